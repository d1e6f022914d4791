import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type Clock, unixSeconds } from '../domain/clock.ts';
import type { FinishedRun, JobNotes, JobRows, JobState } from '../store/job-rows.ts';
import type { Job, JobInput, JobName, JobResult } from './job.ts';

export interface JobRunnerParts {
  readonly rows: JobRows;
  readonly clock: Clock;
  readonly logger: Logger;
  /** This process, as `holder` shows it. */
  readonly holder: string;
  /** After this time without a sign of life another process may take the lease. */
  readonly leaseMs: number;
  readonly onFinished: (job: JobName, run: FinishedRun) => void;
}

export type Start =
  | { readonly started: true; readonly runId: string; readonly finished: Promise<FinishedRun> }
  | { readonly started: false; readonly because: 'paused'; readonly state: JobState }
  | { readonly started: false; readonly because: 'running'; readonly state: JobState };

/** Why a run was aborted, as its outcome says it. */
type Abortion = 'lease_lost' | 'paused' | 'stopped';

interface Observation {
  readonly fence: number;
  readonly beat: number;
  /** Monotonic milliseconds. */
  readonly since: number;
}

/**
 * Runs jobs, one run of a job at a time among all processes.
 *
 * A lease says which process. Its holder gives signs of life at a third of its time; an observer takes it when
 * there was none for the whole of that time *on the observer's own timer*, so no clock is compared with another
 * machine's. A holder that was paused past its time finds its fence outdated at the next sign of life and aborts;
 * what it may have written meanwhile was conditional on what it had read, so it wasted work and broke nothing.
 */
export class JobRunner {
  readonly #parts: JobRunnerParts;
  readonly #observed = new Map<JobName, Observation>();
  readonly #aborts = new Map<string, (why: Abortion) => void>();
  readonly #running = new Set<Promise<unknown>>();
  #stopping = false;

  constructor(parts: JobRunnerParts) {
    this.#parts = parts;
  }

  /**
   * Starts a run, unless the job is paused or runs elsewhere. Resolves as soon as it is under way.
   *
   * @param trigger `schedule`, or who asked for it
   */
  async start(job: Job, trigger: string, input: JobInput = {}): Promise<Start> {
    const { rows, clock, holder } = this.#parts;
    const seen = await rows.read(job.name);
    if (seen.pause !== null) return { started: false, because: 'paused', state: seen };
    if (seen.holder !== null && !this.#isSilent(job.name, seen)) {
      return { started: false, because: 'running', state: seen };
    }
    const run = { runId: randomUUID(), startedAt: unixSeconds(clock), trigger };
    const held = this.#stopping ? undefined : await rows.acquire(seen, holder, run);
    if (held === undefined) {
      const state = await rows.read(job.name);
      return { started: false, because: state.pause === null ? 'running' : 'paused', state };
    }
    const finished = this.#run(job, held, input);
    this.#running.add(finished);
    finished.finally(() => this.#running.delete(finished)).catch(() => {});
    return { started: true, runId: run.runId, finished };
  }

  /** Milliseconds until a lease that is held now may be taken if its holder stays silent. */
  silenceLeft(job: JobName): number {
    const observation = this.#observed.get(job);
    if (observation === undefined) return this.#parts.leaseMs;
    return Math.max(0, observation.since + this.#parts.leaseMs - this.#parts.clock.monotonic());
  }

  /** Aborts all runs, starts no more, and waits until their leases are given back. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const abort of this.#aborts.values()) abort('stopped');
    await Promise.allSettled(this.#running);
  }

  #isSilent(job: JobName, state: JobState): boolean {
    const observation = this.#observed.get(job);
    if (observation === undefined || observation.fence !== state.fence || observation.beat !== state.beat) {
      this.#observed.set(job, { fence: state.fence, beat: state.beat, since: this.#parts.clock.monotonic() });
      return false;
    }
    return this.silenceLeft(job) === 0;
  }

  async #run(job: Job, held: JobState, input: JobInput): Promise<FinishedRun> {
    const { clock, rows, logger, leaseMs } = this.#parts;
    const began = clock.monotonic();
    const run = held.run as NonNullable<JobState['run']>;
    const controller = new AbortController();
    let abortion: Abortion | undefined;
    const abort = (why: Abortion) => {
      abortion ??= why;
      controller.abort(new Error(`The run of ${job.name} ended early: ${why}`));
    };
    this.#aborts.set(run.runId, abort);
    let progress: JobNotes = {};
    const heart = new AbortController();
    const beating = this.#beat(held, () => progress, abort, heart.signal, leaseMs);

    let result: JobResult;
    try {
      result = await job.run({
        signal: controller.signal,
        input,
        author: { actor: `job:${job.name}`, requestId: run.runId },
        memory: held.memory,
        report: (notes) => {
          progress = notes;
        },
      });
    } catch (error) {
      if (abortion === undefined) logger.error({ err: error, action: `job_${job.name}` }, 'a job failed');
      const message = error instanceof Error ? error.message : String(error);
      result = { outcome: 'error', notes: { ...progress, error: message } };
    }
    heart.abort();
    await beating;
    this.#aborts.delete(run.runId);

    const finished: FinishedRun = {
      runId: run.runId,
      startedAt: run.startedAt,
      trigger: run.trigger,
      finishedAt: unixSeconds(clock),
      durationMs: Math.round(clock.monotonic() - began),
      outcome: abortion ?? result.outcome,
      result: result.notes,
    };
    const nextRunAt = finished.finishedAt + job.intervalSeconds;
    await rows
      .finish(held, finished, nextRunAt, result.memory ?? held.memory)
      .catch((error: unknown) =>
        logger.warn({ err: error, action: `job_${job.name}` }, 'a lease was not given back'),
      );
    logger.info(
      {
        action: `job_${job.name}`,
        outcome: finished.outcome,
        latency_ms: finished.durationMs,
        request_id: run.runId,
        track_id: null,
        sandbox_id: null,
        result: finished.result,
      },
      `job_${job.name}`,
    );
    this.#parts.onFinished(job.name, finished);
    return finished;
  }

  /** Signs of life until the signal aborts. A failed one is repeated; past the time of the lease it is lost. */
  async #beat(
    held: JobState,
    progress: () => JobNotes,
    abort: (why: Abortion) => void,
    signal: AbortSignal,
    leaseMs: number,
  ): Promise<void> {
    const { clock, rows, logger } = this.#parts;
    let lastSign = clock.monotonic();
    while (!signal.aborted) {
      await clock.sleep(leaseMs / 3, signal).catch(() => {});
      if (signal.aborted) return;
      try {
        const sent = clock.monotonic();
        const state = await rows.renew(held, progress());
        if (state === undefined) abort('lease_lost');
        else if (state.pause !== null) abort('paused');
        if (state === undefined) return;
        lastSign = sent;
      } catch (error) {
        logger.warn({ err: error, action: `job_${held.job}` }, 'a lease could not be renewed');
        if (clock.monotonic() - lastSign >= leaseMs) abort('lease_lost');
      }
    }
  }
}
