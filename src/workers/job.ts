import type { Author } from '../store/audit.ts';
import type { JobNotes } from '../store/job-rows.ts';

export const JOB_NAMES = ['sync', 'cleanup', 'expiry', 'stale', 'statistics'] as const;
export type JobName = (typeof JOB_NAMES)[number];

/** What a run may be told by whoever asks for it by hand. */
export interface JobInput {
  /** Sync: stale even what the brake would hold back. */
  readonly force?: boolean | undefined;
  /** Stale: remove what has been stale for so many hours. */
  readonly gracePeriodHours?: number | undefined;
}

/** One run, as the job sees it. */
export interface JobContext {
  /** Aborts when the lease is lost, the job is paused or the process stops: end soon, and begin nothing new. */
  readonly signal: AbortSignal;
  readonly input: JobInput;
  /** Under whom the run's moves are recorded. */
  readonly author: Author;
  /** What its runs remembered last. */
  readonly memory: JobNotes;
  /** Shows how far the run has come; what was reported last counts. Cheap: written with the next sign of life. */
  report(progress: JobNotes): void;
  /** What the next run is to know, however this one ends: written with the next sign of life, and at the end. */
  remember(memory: JobNotes): void;
}

export interface JobResult {
  /** `success`, or a word for what stood in the way. */
  readonly outcome: string;
  readonly notes: JobNotes;
}

export interface Job {
  readonly name: JobName;
  readonly intervalSeconds: number;
  /** @throws whatever went wrong; the run is then recorded as `error` */
  run(context: JobContext): Promise<JobResult>;
}
