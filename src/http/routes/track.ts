import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Allocator } from '../../allocation/allocator.ts';
import { Deadline } from '../../allocation/deadline.ts';
import { notSandboxOwner, type Releaser, sandboxNotFound } from '../../allocation/releaser.ts';
import type { Clock } from '../../domain/clock.ts';
import { BrokerError } from '../../domain/errors.ts';
import { expiresAt } from '../../domain/sandbox.ts';
import type { AllocateOutcome, Metrics, ReleaseOutcome } from '../../observability/metrics.ts';
import type { Author } from '../../store/audit.ts';
import type { PoolReader } from '../../store/pool-reader.ts';
import { errorResponses } from '../schemas/errors.ts';
import {
  allocateHeadersSchema,
  callerHeadersSchema,
  callerOf,
  sandboxParametersSchema,
} from '../schemas/request.ts';
import { allocationSchema, ownSandboxSchema, releaseSchema } from '../schemas/sandbox.ts';

export interface TrackRoutesOptions {
  readonly allocator: Allocator;
  readonly releaser: Releaser;
  readonly reader: PoolReader;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly deadlineMs: number;
}

const SECURITY = [{ trackToken: [] }];

/** What lab scripts call. */
export const trackRoutes: FastifyPluginAsyncZod<TrackRoutesOptions> = async (app, options) => {
  const { allocator, releaser, reader, metrics, clock } = options;
  app.addHook('onRequest', app.authenticate);
  app.addHook('onRequest', app.limitRequests);
  app.addHook('onRequest', app.allowOnly('track'));

  app.post(
    '/allocate',
    {
      config: { action: 'allocate' },
      schema: {
        tags: ['track'],
        summary: 'Get a sandbox',
        description:
          'One sandbox for each claim key. Send the same headers again after a time-out or a 5xx: the answer is the same sandbox (200), or a new one if none had been allocated (201).',
        security: SECURITY,
        headers: allocateHeadersSchema,
        response: {
          201: allocationSchema.describe('A sandbox, newly allocated'),
          200: allocationSchema.describe('The sandbox that this claim key holds already'),
          ...errorResponses(
            'INVALID_TRACK_ID',
            'VALIDATION_ERROR',
            'NO_SANDBOXES_AVAILABLE',
            'ALLOCATION_CONTENTION',
          ),
        },
      },
    },
    async (request, reply) => {
      const track = callerOf(request.headers) as string;
      request.activity.trackId = track;
      const began = clock.monotonic();
      let outcome: AllocateOutcome = 'error';
      try {
        const allocation = await allocator.allocate(
          {
            track,
            idempotencyKey: request.headers['idempotency-key'],
            trackName: request.headers['x-instruqt-track-id'],
            namePrefix: request.headers['x-sandbox-name-prefix'],
            author: authorOf(request),
          },
          deadlineOf(request),
        );
        outcome = allocation.replayed ? 'replay' : 'success';
        request.activity.sandboxId = allocation.sandboxId;
        request.activity.outcome = outcome;
        if (allocation.replayed) metrics.idempotentHits.inc();
        return reply.code(allocation.replayed ? 200 : 201).send({
          sandbox_id: allocation.sandboxId,
          name: allocation.name,
          external_id: allocation.externalId,
          allocated_at: Math.floor(allocation.allocatedAt),
          expires_at: expiresAt(allocation),
          ...(allocation.sfdcAccountId === null ? {} : { sfdc_account_id: allocation.sfdcAccountId }),
        });
      } catch (error) {
        outcome = allocateOutcomeOf(error);
        throw error;
      } finally {
        metrics.allocations.inc({ outcome });
        metrics.allocationLatency.observe({ outcome }, (clock.monotonic() - began) / 1000);
      }
    },
  );

  app.post(
    '/sandboxes/:sandbox_id/mark-for-deletion',
    {
      config: { action: 'mark_for_deletion' },
      schema: {
        tags: ['track'],
        summary: 'Give a sandbox back',
        description:
          'The owner is done with it; it will be deleted. Repeating it gives the same answer for thirty days, also when it has been deleted by then.',
        security: SECURITY,
        headers: callerHeadersSchema,
        params: sandboxParametersSchema,
        response: {
          200: releaseSchema.describe('It will be deleted'),
          ...errorResponses('INVALID_TRACK_ID', 'VALIDATION_ERROR', 'NOT_SANDBOX_OWNER', 'SANDBOX_NOT_FOUND'),
        },
      },
    },
    async (request) => {
      const track = callerOf(request.headers) as string;
      const sandboxId = request.params.sandbox_id;
      request.activity.trackId = track;
      request.activity.sandboxId = sandboxId;
      let outcome: ReleaseOutcome = 'error';
      try {
        const row = await releaser.release(sandboxId, track, authorOf(request), deadlineOf(request));
        outcome = 'success';
        return {
          sandbox_id: row.sandboxId,
          status: 'pending_deletion' as const,
          deletion_requested_at: Math.floor(row.deletionRequestedAt),
        };
      } catch (error) {
        outcome = releaseOutcomeOf(error);
        throw error;
      } finally {
        metrics.deletionsMarked.inc({ outcome });
      }
    },
  );

  app.get(
    '/sandboxes/:sandbox_id',
    {
      config: { action: 'read_sandbox' },
      schema: {
        tags: ['track'],
        summary: 'Look at the sandbox that one holds',
        description: 'For its owner alone, also after the release and until it is deleted.',
        security: SECURITY,
        headers: callerHeadersSchema,
        params: sandboxParametersSchema,
        response: {
          200: ownSandboxSchema.describe('The sandbox'),
          ...errorResponses('INVALID_TRACK_ID', 'VALIDATION_ERROR', 'NOT_SANDBOX_OWNER', 'SANDBOX_NOT_FOUND'),
        },
      },
    },
    async (request) => {
      const track = callerOf(request.headers) as string;
      request.activity.trackId = track;
      request.activity.sandboxId = request.params.sandbox_id;
      const row = await deadlineOf(request).orUnavailable(reader.get(request.params.sandbox_id));
      if (row === undefined) throw sandboxNotFound();
      if (row.allocatedToTrack !== track) throw notSandboxOwner();
      return {
        sandbox_id: row.sandboxId,
        name: row.name,
        external_id: row.externalId,
        status: row.status,
        allocated_to_track: track,
        allocated_at: Math.floor(row.allocatedAt),
        expires_at: expiresAt(row),
        ...(row.trackName === null ? {} : { track_name: row.trackName }),
        ...(row.sfdcAccountId === null ? {} : { sfdc_account_id: row.sfdcAccountId }),
      };
    },
  );

  /** Ends with the configured time, or when the client hangs up. */
  function deadlineOf(request: FastifyRequest): Deadline {
    const deadline = new Deadline(clock, options.deadlineMs);
    request.activity.onAbandoned = () => deadline.abandon();
    return deadline;
  }
};

function authorOf(request: FastifyRequest): Author {
  return { actor: request.credential?.name ?? 'track', requestId: request.id };
}

function allocateOutcomeOf(error: unknown): AllocateOutcome {
  if (!(error instanceof BrokerError)) return 'error';
  if (error.code === 'NO_SANDBOXES_AVAILABLE') return 'no_sandboxes';
  if (error.code === 'ALLOCATION_CONTENTION') return 'contention';
  return error.code === 'SERVICE_UNAVAILABLE' ? 'unavailable' : 'error';
}

function releaseOutcomeOf(error: unknown): ReleaseOutcome {
  if (!(error instanceof BrokerError)) return 'error';
  if (error.code === 'NOT_SANDBOX_OWNER') return 'not_owner';
  if (error.code === 'SANDBOX_NOT_FOUND') return 'not_found';
  return error.code === 'SERVICE_UNAVAILABLE' ? 'unavailable' : 'error';
}
