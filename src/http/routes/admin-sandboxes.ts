import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { BulkRemoval } from '../../allocation/bulk-removal.ts';
import { Deadline } from '../../allocation/deadline.ts';
import { OPERATOR_MOVES, type OperatorMoves } from '../../allocation/operator-moves.ts';
import { sandboxNotFound } from '../../allocation/releaser.ts';
import type { Clock } from '../../domain/clock.ts';
import { MOVES, SANDBOX_STATUSES } from '../../domain/sandbox.ts';
import type { AuditEvent } from '../../store/audit.ts';
import type { PoolListing } from '../../store/pool-listing.ts';
import type { PoolReader } from '../../store/pool-reader.ts';
import { decodeCursor, encodeCursor } from '../schemas/cursor.ts';
import { errorResponses } from '../schemas/errors.ts';
import { limitSchema } from '../schemas/query-number.ts';
import { identifierSchema, reasonSchema, sandboxParametersSchema } from '../schemas/request.ts';
import { presentSandbox, SANDBOX_EXAMPLE, sandboxSchema } from '../schemas/sandbox.ts';

export interface AdminSandboxRoutesOptions {
  readonly reader: PoolReader;
  readonly listing: PoolListing;
  readonly moves: OperatorMoves;
  readonly removal: BulkRemoval;
  readonly readEvents: (sandboxId: string, limit: number) => Promise<AuditEvent[]>;
  readonly clock: Clock;
  readonly deadlineMs: number;
}

const SECURITY = [{ adminToken: [] }];

const listQuerySchema = z.object({
  status: z.enum(SANDBOX_STATUSES).optional().describe('Only rows of this status'),
  track: identifierSchema.optional().describe('The caller that holds or held it'),
  lab: identifierSchema.optional().describe('The lab that it was allocated for'),
  name_prefix: identifierSchema.optional().describe('Only rows whose name starts with it'),
  limit: limitSchema.describe('Rows of a page at most'),
  cursor: z.string().min(1).max(8_192).optional().describe('`cursor` of the page before'),
});

const EVENT_EXAMPLE = {
  move: 'quarantine',
  from: 'available',
  to: 'quarantined',
  actor: 'admin',
  reason: 'broken tenant',
  request_id: '0f8fad5b-d9cb-469f-a165-70867728950e',
  at: 1774000000,
  allocated_to_track: null,
  allocated_at: 0,
};

const eventSchema = z
  .object({
    move: z.string(),
    from: z.string(),
    to: z.string(),
    actor: z
      .string()
      .describe(
        'Who: the name of a credential, `job:<name>`, or `unknown` where the previous broker allocated',
      ),
    reason: z.string().nullable(),
    request_id: z.string().nullable(),
    at: z.int().describe('Unix seconds'),
    allocated_to_track: z
      .string()
      .nullable()
      .describe('Whose allocation it ended or, with `allocate`, began'),
    allocated_at: z.int(),
  })
  .meta({
    id: 'Event',
    examples: [EVENT_EXAMPLE],
  });

/** What operators see of the pool, and their moves on its rows. */
export const adminSandboxRoutes: FastifyPluginAsyncZod<AdminSandboxRoutesOptions> = async (app, options) => {
  const { reader, listing, moves, removal, clock } = options;
  const deadline = () => new Deadline(clock, options.deadlineMs);

  app.get(
    '/sandboxes',
    {
      config: { action: 'list_sandboxes' },
      schema: {
        tags: ['admin'],
        summary: 'List the pool, page by page',
        description:
          'Follow `cursor` until there is none: every row comes once. A page may be short, or empty, when the filter matches little of what was read.',
        security: SECURITY,
        querystring: listQuerySchema,
        response: {
          200: z
            .object({
              sandboxes: z.array(sandboxSchema),
              count: z.int().min(0).describe('Rows of this page'),
              unreadable: z
                .array(z.string())
                .optional()
                .describe('Ids of rows met on the way whose status this version does not know'),
              cursor: z.string().optional().describe('Leads to the next page; absent at the end'),
            })
            .meta({
              id: 'SandboxPage',
              description: 'A page of the pool',
              examples: [{ sandboxes: [SANDBOX_EXAMPLE], count: 1, cursor: 'eyJmIjoiT1...' }],
            }),
          ...errorResponses('VALIDATION_ERROR'),
        },
      },
    },
    async (request) => {
      const { status, track, lab, name_prefix: namePrefix, limit, cursor } = request.query;
      const filter = { status, track, lab, namePrefix };
      const from =
        cursor === undefined
          ? { partition: 0 }
          : decodeCursor(cursor, filter, listing.partitionCount(filter));
      const page = await deadline().orUnavailable(listing.page(filter, from, limit));
      return {
        sandboxes: page.sandboxes.map(presentSandbox),
        count: page.sandboxes.length,
        ...(page.unreadable.length === 0 ? {} : { unreadable: page.unreadable }),
        ...(page.next === undefined ? {} : { cursor: encodeCursor(filter, page.next) }),
      };
    },
  );

  app.get(
    '/sandboxes/:sandbox_id',
    {
      config: { action: 'read_row' },
      schema: {
        tags: ['admin'],
        summary: 'One whole row',
        security: SECURITY,
        params: sandboxParametersSchema,
        response: {
          200: sandboxSchema.describe('The row'),
          ...errorResponses('VALIDATION_ERROR', 'SANDBOX_NOT_FOUND'),
        },
      },
    },
    async (request) => {
      request.activity.sandboxId = request.params.sandbox_id;
      const row = await deadline().orUnavailable(reader.get(request.params.sandbox_id));
      if (row === undefined) throw sandboxNotFound();
      return presentSandbox(row);
    },
  );

  app.get(
    '/sandboxes/:sandbox_id/events',
    {
      config: { action: 'read_events' },
      schema: {
        tags: ['admin'],
        summary: 'What was done to a sandbox, the latest first',
        description: 'Kept for 30 days, beyond the row itself.',
        security: SECURITY,
        params: sandboxParametersSchema,
        querystring: z.object({
          limit: limitSchema.describe('Events at most'),
        }),
        response: {
          200: z.object({ events: z.array(eventSchema), count: z.int().min(0) }).meta({
            id: 'Events',
            description: 'Its events, the latest first',
            examples: [{ events: [EVENT_EXAMPLE], count: 1 }],
          }),
          ...errorResponses('VALIDATION_ERROR'),
        },
      },
    },
    async (request) => {
      request.activity.sandboxId = request.params.sandbox_id;
      const { sandbox_id: sandboxId } = request.params;
      const events = await deadline().orUnavailable(options.readEvents(sandboxId, request.query.limit));
      return { events: events.map(presentEvent), count: events.length };
    },
  );

  for (const move of OPERATOR_MOVES) {
    app.post(
      `/sandboxes/:sandbox_id/${move.replace('_', '-')}`,
      {
        config: { action: move },
        schema: {
          tags: ['admin'],
          summary: SUMMARIES[move],
          description: `For a sandbox that is ${MOVES[move].from.join(' or ')}; it is ${MOVES[move].to} afterwards, and the audit trail says who did it and why.${move === 'release' ? ' Also for one that was held and is stale or quarantined.' : ''}`,
          security: SECURITY,
          params: sandboxParametersSchema,
          body: reasonSchema,
          response: {
            200: sandboxSchema.describe('The row as it is now'),
            ...errorResponses('VALIDATION_ERROR', 'SANDBOX_NOT_FOUND', 'ILLEGAL_MOVE'),
          },
        },
      },
      async (request) => {
        request.activity.sandboxId = request.params.sandbox_id;
        const author = authorOf(request, request.body?.reason);
        return presentSandbox(await moves.move(request.params.sandbox_id, move, author, deadline()));
      },
    );
  }

  app.post(
    '/bulk-delete',
    {
      config: { action: 'bulk_delete' },
      schema: {
        tags: ['admin'],
        summary: 'Remove all rows that are stale, or whose deletion failed',
        description:
          'Removes rows, not accounts at the provider. With many rows it stops after 20 s with the status `partial`: call it again until it is `completed`.',
        security: SECURITY,
        querystring: z.object({
          status: z
            .enum(['stale', 'deletion_failed'])
            .describe('Which rows; others are never removed in bulk'),
        }),
        body: reasonSchema,
        response: {
          200: z
            .object({
              status: z.enum(['completed', 'partial']),
              deleted: z.int(),
              skipped: z.int().describe('Rows that somebody else moved meanwhile'),
              duration_ms: z.int(),
            })
            .meta({
              id: 'BulkDelete',
              description: 'How many rows were removed',
              examples: [{ status: 'completed', deleted: 12, skipped: 0, duration_ms: 148 }],
            }),
          ...errorResponses('VALIDATION_ERROR'),
        },
      },
    },
    async (request) => {
      const began = clock.monotonic();
      const author = authorOf(request, request.body?.reason);
      const result = await removal.removeAll(request.query.status, author);
      return {
        status: result.complete ? ('completed' as const) : ('partial' as const),
        deleted: result.removed,
        skipped: result.skipped,
        duration_ms: Math.round(clock.monotonic() - began),
      };
    },
  );
};

const SUMMARIES = {
  retry_deletion: 'Try again to delete it at the provider',
  quarantine: 'Take a sandbox that nobody holds out of the pool',
  restore: 'Put a quarantined sandbox back into the pool',
  release: 'End an allocation for its owner',
} as const;

function authorOf(request: FastifyRequest, reason: string | undefined) {
  return { actor: request.credential?.name ?? 'admin', reason, requestId: request.id };
}

function presentEvent(event: AuditEvent): z.output<typeof eventSchema> {
  return {
    move: event.move,
    from: event.from,
    to: event.to,
    actor: event.actor,
    reason: event.reason,
    request_id: event.requestId,
    at: event.at,
    allocated_to_track: event.allocatedToTrack,
    allocated_at: Math.floor(event.allocatedAt),
  };
}
