import { z } from 'zod';
import type { FinishedRun, JobState } from '../../store/job-rows.ts';
import { JOB_NAMES } from '../../workers/job.ts';

const unixTime = z.int().min(0).describe('Unix seconds');
const notesSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

export const jobParametersSchema = z.object({ job: z.enum(JOB_NAMES) });

export const RUN_EXAMPLE = {
  run_id: '5b1e2c1a-6f0d-4b43-9a25-1c1b7f9b0c11',
  trigger: 'schedule',
  started_at: 1774000000,
  finished_at: 1774000003,
  duration_ms: 2873,
  outcome: 'success',
  result: { synced: 200, added: 3, marked_stale: 0 },
};

export const JOB_EXAMPLE = {
  name: 'sync',
  state: 'idle',
  holder: null,
  run: null,
  last_run: RUN_EXAMPLE,
  next_run_at: 1774000603,
  paused: null,
};

export const finishedRunSchema = z
  .object({
    run_id: z.string(),
    trigger: z.string().describe('`schedule`, or who asked for it'),
    started_at: unixTime,
    finished_at: unixTime,
    duration_ms: z.int(),
    outcome: z.string().describe('`success`, or what stood in the way'),
    result: notesSchema,
  })
  .meta({
    id: 'JobRun',
    description: 'A run that has ended',
    examples: [RUN_EXAMPLE],
  });

export const jobSchema = z
  .object({
    name: z.enum(JOB_NAMES),
    state: z.enum(['idle', 'running', 'paused']),
    holder: z.string().nullable().describe('The process that runs it'),
    run: z
      .object({
        run_id: z.string(),
        trigger: z.string(),
        started_at: unixTime,
        last_sign_at: unixTime.describe('Unix seconds; long ago where the process that runs it has died'),
        progress: notesSchema,
      })
      .nullable(),
    last_run: finishedRunSchema.nullable(),
    next_run_at: unixTime.nullable().describe('Unix seconds, about'),
    paused: z.object({ by: z.string(), reason: z.string().nullable(), at: unixTime }).nullable(),
  })
  .meta({
    id: 'Job',
    description: 'The job as it is now',
    examples: [JOB_EXAMPLE],
  });

/** Answer to a job started by hand that takes longer than anyone waits. */
export const runningSchema = z.object({ status: z.literal('running'), run_id: z.string() }).meta({
  id: 'JobRunning',
  description: 'It goes on; its result will be under `/admin/jobs`',
  examples: [{ status: 'running', run_id: '5b1e2c1a-6f0d-4b43-9a25-1c1b7f9b0c11' }],
});

export function presentRun(run: FinishedRun): z.output<typeof finishedRunSchema> {
  return {
    run_id: run.runId,
    trigger: run.trigger,
    started_at: run.startedAt,
    finished_at: run.finishedAt,
    duration_ms: run.durationMs,
    outcome: run.outcome,
    result: { ...run.result },
  };
}

export function presentJob(state: JobState): z.output<typeof jobSchema> {
  return {
    name: state.job as (typeof JOB_NAMES)[number],
    state: state.run !== null ? 'running' : state.pause !== null ? 'paused' : 'idle',
    holder: state.holder,
    run:
      state.run === null
        ? null
        : {
            run_id: state.run.runId,
            trigger: state.run.trigger,
            started_at: state.run.startedAt,
            last_sign_at: state.run.lastSignAt,
            progress: { ...state.run.progress },
          },
    last_run: state.lastRun === null ? null : presentRun(state.lastRun),
    next_run_at: state.nextRunAt === 0 ? null : state.nextRunAt,
    paused: state.pause,
  };
}
