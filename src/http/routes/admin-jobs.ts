import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { Deadline } from '../../allocation/deadline.ts';
import type { Clock } from '../../domain/clock.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { FinishedRun, JobRows, JobState } from '../../store/job-rows.ts';
import type { NiosxaasRecord } from '../../store/niosxaas-records.ts';
import { JOB_NAMES, type JobInput, type JobName } from '../../workers/job.ts';
import type { JobRunner } from '../../workers/job-runner.ts';
import { JobNotConfiguredError, type Jobs } from '../../workers/jobs.ts';
import { errorResponses } from '../schemas/errors.ts';
import {
  finishedRunSchema,
  JOB_EXAMPLE,
  jobParametersSchema,
  jobSchema,
  presentJob,
  presentRun,
  RUN_EXAMPLE,
  runningSchema,
} from '../schemas/job.ts';
import { limitSchema, queryNumber } from '../schemas/query-number.ts';
import { reasonSchema } from '../schemas/request.ts';

export interface AdminJobRoutesOptions {
  readonly jobs: Jobs;
  readonly runner: JobRunner;
  readonly rows: JobRows;
  readonly readNiosxaasRecords: (limit: number) => Promise<NiosxaasRecord[]>;
  readonly clock: Clock;
  readonly deadlineMs: number;
}

/** Whoever starts a job by hand waits so long for its result. A load balancer gives up at 60 s. */
const WAIT_MS = 20_000;

/** Where the request does not say how long a row must have been stale to be removed. */
const STALE_GRACE_HOURS = 24;

/** A lease changes hands within a moment, and most runs are over soon. */
const BUSY_RETRY_SECONDS = 1;
/** Long enough for whatever failed it to pass, and sooner than its next run. */
const FAILED_RETRY_SECONDS = 60;

const SECURITY = [{ adminToken: [] }];

/** `completed`, or what ended the run early. */
const runStatusSchema = z.enum(['completed', 'paused', 'stopped', 'lease_lost']);

const forceSchema = z.object({
  force: z
    .enum(['true', 'false'])
    .default('false')
    .describe('Stale what the listing lacks even where the brake would not believe it'),
});

/** The background jobs in operators' hands. */
export const adminJobRoutes: FastifyPluginAsyncZod<AdminJobRoutesOptions> = async (app, options) => {
  const { jobs, runner, rows, clock } = options;
  const inTime = <Result>(promise: Promise<Result>) =>
    new Deadline(clock, options.deadlineMs).orUnavailable(promise);

  app.post(
    '/sync',
    {
      config: { action: 'run_sync' },
      schema: {
        tags: ['admin'],
        summary: "Bring the pool into line with the provider's listing now",
        security: SECURITY,
        querystring: forceSchema,
        response: {
          200: z
            .object({
              status: runStatusSchema,
              synced: z.int().describe('Accounts that the listing held'),
              marked_stale: z.int(),
              added: z.int(),
              updated: z.int(),
              restored: z.int(),
              would_stale: z.int().describe('Available sandboxes that the listing lacked'),
              brake: z.string().nullable().describe('Why none of them went stale'),
              duration_ms: z.int(),
            })
            .meta({
              id: 'SyncResult',
              description: 'What the comparison found and changed',
              examples: [
                {
                  status: 'completed',
                  synced: 200,
                  marked_stale: 1,
                  added: 3,
                  updated: 0,
                  restored: 0,
                  would_stale: 1,
                  brake: null,
                  duration_ms: 2873,
                },
              ],
            }),
          202: runningSchema,
          ...errorResponses('VALIDATION_ERROR', 'JOB_PAUSED', 'JOB_BUSY', 'JOB_NOT_CONFIGURED', 'JOB_FAILED'),
        },
      },
    },
    async (request, reply) => {
      const force = request.query.force === 'true';
      const run = await startAndWait(request, 'sync', { force }, force);
      if ('running' in run) return stillRunning(reply, run.running);
      return {
        status: statusOf(run),
        synced: count(run, 'synced'),
        marked_stale: count(run, 'marked_stale'),
        added: count(run, 'added'),
        updated: count(run, 'updated'),
        restored: count(run, 'restored'),
        would_stale: count(run, 'would_stale'),
        brake: typeof run.result.brake === 'string' ? run.result.brake : null,
        duration_ms: run.durationMs,
      };
    },
  );

  app.post(
    '/cleanup',
    {
      config: { action: 'run_cleanup' },
      schema: {
        tags: ['admin'],
        summary: 'Delete at the provider what waits for it now',
        security: SECURITY,
        response: {
          200: z
            .object({
              status: runStatusSchema,
              deleted: z.int(),
              failed: z.int(),
              gave_up: z.int().describe('Of the failed: those that are deletion_failed now'),
              stopped_by: z.string().nullable().describe('What ended the run early; it cost no attempts'),
              duration_ms: z.int(),
            })
            .meta({
              id: 'CleanupResult',
              description: 'What was deleted at the provider',
              examples: [
                {
                  status: 'completed',
                  deleted: 10,
                  failed: 0,
                  gave_up: 0,
                  stopped_by: null,
                  duration_ms: 19021,
                },
              ],
            }),
          202: runningSchema,
          ...errorResponses('JOB_PAUSED', 'JOB_BUSY', 'JOB_NOT_CONFIGURED', 'JOB_FAILED'),
        },
      },
    },
    async (request, reply) => {
      const run = await startAndWait(request, 'cleanup', {}, false);
      if ('running' in run) return stillRunning(reply, run.running);
      return {
        status: statusOf(run),
        deleted: count(run, 'deleted'),
        failed: count(run, 'failed'),
        gave_up: count(run, 'gave_up'),
        stopped_by: typeof run.result.stopped_by === 'string' ? run.result.stopped_by : null,
        duration_ms: run.durationMs,
      };
    },
  );

  app.post(
    '/auto-delete-stale',
    {
      config: { action: 'run_stale' },
      schema: {
        tags: ['admin'],
        summary: 'Remove rows that have been stale for long now',
        security: SECURITY,
        querystring: z.object({
          grace_period_hours: queryNumber(z.number('must be a number').min(0).max(8_760))
            .optional()
            .describe(`Hours that a row must have been stale; ${STALE_GRACE_HOURS} by default`),
        }),
        response: {
          200: z
            .object({
              status: runStatusSchema,
              deleted: z.int(),
              duration_ms: z.int(),
              grace_period_hours: z.number(),
            })
            .meta({
              id: 'StaleResult',
              description: 'How many rows were removed',
              examples: [{ status: 'completed', deleted: 2, duration_ms: 31, grace_period_hours: 24 }],
            }),
          202: runningSchema,
          ...errorResponses('VALIDATION_ERROR', 'JOB_PAUSED', 'JOB_BUSY', 'JOB_NOT_CONFIGURED', 'JOB_FAILED'),
        },
      },
    },
    async (request, reply) => {
      const asked = request.query.grace_period_hours;
      const gracePeriodHours = asked ?? STALE_GRACE_HOURS;
      const run = await startAndWait(request, 'stale', { gracePeriodHours }, asked !== undefined);
      if ('running' in run) return stillRunning(reply, run.running);
      return {
        status: statusOf(run),
        deleted: count(run, 'deleted'),
        duration_ms: run.durationMs,
        grace_period_hours: gracePeriodHours,
      };
    },
  );

  app.get(
    '/jobs',
    {
      config: { action: 'list_jobs' },
      schema: {
        tags: ['admin'],
        summary: 'How the background jobs are doing, on all tasks',
        security: SECURITY,
        response: {
          200: z
            .object({ jobs: z.array(jobSchema) })
            .meta({ id: 'Jobs', description: 'Every job', examples: [{ jobs: [JOB_EXAMPLE] }] }),
          ...errorResponses(),
        },
      },
    },
    async () => ({
      jobs: (await inTime(Promise.all(JOB_NAMES.map((name) => rows.read(name))))).map(presentJob),
    }),
  );

  app.post(
    '/jobs/:job/pause',
    {
      config: { action: 'pause_job' },
      schema: {
        tags: ['admin'],
        summary: 'Hold a job back on every task, until it is resumed',
        description: 'A run under way stops soon. The pause survives restarts.',
        security: SECURITY,
        params: jobParametersSchema,
        body: reasonSchema,
        response: {
          200: jobSchema.describe('The job as it is now'),
          ...errorResponses('VALIDATION_ERROR', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'),
        },
      },
    },
    async (request) =>
      presentJob(await inTime(rows.pause(request.params.job, actorOf(request), request.body?.reason))),
  );

  app.post(
    '/jobs/:job/resume',
    {
      config: { action: 'resume_job' },
      schema: {
        tags: ['admin'],
        summary: 'End the pause of a job',
        security: SECURITY,
        params: jobParametersSchema,
        response: { 200: jobSchema.describe('The job as it is now'), ...errorResponses('VALIDATION_ERROR') },
      },
    },
    async (request) => presentJob(await inTime(rows.resume(request.params.job))),
  );

  app.post(
    '/jobs/:job/run',
    {
      config: { action: 'run_job' },
      schema: {
        tags: ['admin'],
        summary: 'Run a job now',
        security: SECURITY,
        params: jobParametersSchema,
        querystring: forceSchema,
        response: {
          200: z.object({ status: runStatusSchema, run: finishedRunSchema }).meta({
            id: 'JobResult',
            description: 'The run has ended',
            examples: [{ status: 'completed', run: RUN_EXAMPLE }],
          }),
          202: runningSchema,
          ...errorResponses('VALIDATION_ERROR', 'JOB_PAUSED', 'JOB_BUSY', 'JOB_NOT_CONFIGURED', 'JOB_FAILED'),
        },
      },
    },
    async (request, reply) => {
      const force = request.query.force === 'true';
      const run = await startAndWait(request, request.params.job, { force }, force);
      if ('running' in run) return stillRunning(reply, run.running);
      return { status: statusOf(run), run: presentRun(run) };
    },
  );

  app.get(
    '/niosxaas-cleanups',
    {
      config: { action: 'list_niosxaas_cleanups' },
      schema: {
        tags: ['admin'],
        summary: 'What the NIOSXaaS step did before deletions, the latest first; kept for 30 days',
        security: SECURITY,
        querystring: z.object({ limit: limitSchema }),
        response: {
          200: z
            .object({
              cleanups: z.array(
                z.object({
                  sandbox_id: z.string(),
                  at: z.int().describe('Unix seconds'),
                  outcome: z.string(),
                  found: z.int(),
                  deleted: z.int(),
                  failed: z.int(),
                  services: z.array(z.object({ id: z.string(), name: z.string(), result: z.string() })),
                  error: z.string().nullable(),
                }),
              ),
              count: z.int(),
            })
            .meta({
              id: 'NiosxaasCleanups',
              description: 'What was done, sandbox by sandbox',
              examples: [
                {
                  cleanups: [
                    {
                      sandbox_id: '2009521',
                      at: 1774000000,
                      outcome: 'success',
                      found: 1,
                      deleted: 1,
                      failed: 0,
                      services: [
                        { id: 'infra/universal_service/7f3a', name: 'lab-service', result: 'deleted' },
                      ],
                      error: null,
                    },
                  ],
                  count: 1,
                },
              ],
            }),
          ...errorResponses('VALIDATION_ERROR'),
        },
      },
    },
    async (request) => {
      const records = await inTime(options.readNiosxaasRecords(request.query.limit));
      return {
        cleanups: records.map((record) => ({
          sandbox_id: record.sandboxId,
          at: record.at,
          outcome: record.outcome,
          found: record.found,
          deleted: record.deleted,
          failed: record.failed,
          services: record.services.map((service) => ({ ...service })),
          error: record.error ?? null,
        })),
        count: records.length,
      };
    },
  );

  /**
   * Starts a job, and waits for its end as long as a client does. Where it runs already, that run is the answer,
   * unless this one was to be `particular`: the other one will not do what it was asked.
   */
  async function startAndWait(
    request: FastifyRequest,
    name: JobName,
    input: JobInput,
    particular: boolean,
  ): Promise<FinishedRun | { running: string }> {
    const start = await runner.start(jobNamed(name), actorOf(request), input);
    if (!start.started) {
      if (start.because === 'paused') throw paused(name, start.state);
      if (start.state.run === null || start.because !== 'running') throw busy(name, 'is changing hands');
      if (particular) throw busy(name, 'is running already, and not as it was asked for here');
      return { running: start.state.run.runId };
    }
    const enough = new AbortController();
    const waited = clock.sleep(WAIT_MS, enough.signal).then(
      () => undefined,
      () => undefined,
    );
    const run = await Promise.race([start.finished, waited]);
    enough.abort();
    if (run === undefined) return { running: start.runId };
    if (run.outcome === 'error') {
      throw new BrokerError(
        'JOB_FAILED',
        `The job "${name}" failed; its last run, under /v1/admin/jobs, says why`,
        { retryAfter: FAILED_RETRY_SECONDS },
      );
    }
    return run;
  }

  function jobNamed(name: JobName) {
    try {
      return jobs.get(name);
    } catch (error) {
      if (error instanceof JobNotConfiguredError) throw new BrokerError('JOB_NOT_CONFIGURED', error.message);
      throw error;
    }
  }
};

function paused(name: JobName, { pause }: JobState): BrokerError {
  const reason = pause?.reason ? `: ${pause.reason}` : '';
  return new BrokerError('JOB_PAUSED', `The job "${name}" is paused${reason}; resume it first`);
}

function busy(name: JobName, why: string): BrokerError {
  return new BrokerError('JOB_BUSY', `The job "${name}" ${why}; try again`, {
    retryAfter: BUSY_RETRY_SECONDS,
  });
}

function stillRunning(reply: FastifyReply, runId: string) {
  return reply.code(202 as never).send({ status: 'running', run_id: runId } as never);
}

function statusOf(run: FinishedRun): z.output<typeof runStatusSchema> {
  const early = runStatusSchema.safeParse(run.outcome);
  return early.success ? early.data : 'completed';
}

function actorOf(request: FastifyRequest): string {
  return request.credential?.name ?? 'admin';
}

function count(run: FinishedRun, note: string): number {
  return Number(run.result[note] ?? 0);
}
