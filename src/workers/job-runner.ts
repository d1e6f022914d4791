import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type Clock, unixSeconds } from '../domain/clock.ts';
import type { FinishedRun, JobNotes, JobRows, JobState } from '../store/job-rows.ts';
import { failureWords } from './failure-words.ts';
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
  | {
      readonly started: false;
      /** `running`: elsewhere, or its holder is not known to be dead; `stopping`: this process is. */
      readonly because: 'paused' | 'running' | 'not_due' | 'stopping';
      readonly state: JobState;
    };

/** Why a run was aborted, as its outcome says it. */
type Abortion = 'lease_lost' | 'paused' | 'stopped';

interface Observation {
  readonly fence: number;
  readonly beat: number;
  /** Monotonic milliseconds. */
  readonly since: number;
}

/** What a run has told so far. */
interface Report {
  progress: JobNotes;
  memory: JobNotes;
}

/**
 * Runs jobs, one run of a job at a time among all processes.
 *
 * A lease says which process. Its holder gives signs of life at a third of its time; an observer takes it when
 * there was none for the whole of that time *on the observer's own timer*, so no clock is compared with another
 * machine's. The holder gives its run up when it could give no sign for as long, on its own timer: one that was
 * paused, or cut off from the database, aborts as it wakes. What it may have written meanwhile was conditional on
 * what it had read, so it wasted work and broke nothing; and its fence is outdated, so it reports to nobody.
 */
export class JobRunner {
  readonly #parts: JobRunnerParts;
  readonly #observed = new Map<JobName, Observation>();
  readonly #aborts = new Map<string, (why: Abortion) => void>();
  /** Starts and runs: what a stop waits for. */
  readonly #underWay = new Set<Promise<unknown>>();
  #stopping = false;

  constructor(parts: JobRunnerParts) {
    this.#parts = parts;
  }

  /**
   * Starts a run, unless the job is paused or runs elsewhere. Resolves as soon as it is under way.
   *
   * @param trigger `schedule`, or who asked for it
   * @param isDue asked of the state from which the lease is taken: no run of another process comes in between
   */
  start(
    job: Job,
    trigger: string,
    input: JobInput = {},
    isDue: (state: JobState) => boolean = () => true,
  ): Promise<Start> {
    return this.#awaitedByStop(this.#start(job, trigger, input, isDue));
  }

  async #start(
    job: Job,
    trigger: string,
    input: JobInput,
    isDue: (state: JobState) => boolean,
  ): Promise<Start> {
    const { rows, clock, holder } = this.#parts;
    const seen = await rows.read(job.name);
    if (seen.pause !== null) return { started: false, because: 'paused', state: seen };
    if (!isDue(seen)) return { started: false, because: 'not_due', state: seen };
    if (seen.holder !== null && !this.#isSilent(job.name, seen)) {
      return { started: false, because: 'running', state: seen };
    }
    if (this.#stopping) return { started: false, because: 'stopping', state: seen };
    const run = { runId: randomUUID(), startedAt: unixSeconds(clock), trigger };
    const asked = clock.monotonic();
    const held = await rows.acquire(seen, holder, run);
    if (held === undefined) {
      const state = await rows.read(job.name);
      return { started: false, because: state.pause === null ? 'running' : 'paused', state };
    }
    if (this.#stopping) {
      await rows.giveBack(held);
      return { started: false, because: 'stopping', state: seen };
    }
    const finished = this.#awaitedByStop(this.#run(job, held, input, asked));
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
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  #awaitedByStop<Result>(promise: Promise<Result>): Promise<Result> {
    this.#underWay.add(promise);
    promise.finally(() => this.#underWay.delete(promise)).catch(() => {});
    return promise;
  }

  #isSilent(job: JobName, state: JobState): boolean {
    const observation = this.#observed.get(job);
    if (observation === undefined || observation.fence !== state.fence || observation.beat !== state.beat) {
      this.#observed.set(job, { fence: state.fence, beat: state.beat, since: this.#parts.clock.monotonic() });
      return false;
    }
    return this.silenceLeft(job) === 0;
  }

  /** @param asked when the lease was asked for: it lasts from then. Monotonic milliseconds. */
  async #run(job: Job, held: JobState, input: JobInput, asked: number): Promise<FinishedRun> {
    const { clock, rows, logger } = this.#parts;
    const began = clock.monotonic();
    const run = held.run as NonNullable<JobState['run']>;
    const controller = new AbortController();
    let abortion: Abortion | undefined;
    const abort = (why: Abortion) => {
      abortion ??= why;
      controller.abort(new Error(`The run of ${job.name} ended early: ${why}`));
    };
    this.#aborts.set(run.runId, abort);
    const report: Report = { progress: {}, memory: held.memory };
    const heart = new AbortController();
    const beating = this.#beat(held, asked, report, abort, heart.signal);

    let result: JobResult;
    try {
      result = await job.run({
        signal: controller.signal,
        input,
        author: { actor: `job:${job.name}`, requestId: run.runId },
        memory: held.memory,
        report: (progress) => {
          report.progress = progress;
        },
        remember: (memory) => {
          report.memory = memory;
        },
      });
    } catch (error) {
      if (abortion === undefined)
        logger.error({ err: error, action: `job_${job.name}`, request_id: run.runId }, 'a job failed');
      result = { outcome: 'error', notes: { ...report.progress, error: failureWords(error) } };
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
    const nextRunAt = finished.finishedAt + (abortion === 'stopped' ? 0 : job.intervalSeconds);
    await rows
      .finish(held, finished, nextRunAt, report.memory)
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

  /** Signs of life until the signal aborts or the lease is lost. One that fails is followed by the next. */
  async #beat(
    held: JobState,
    asked: number,
    report: Readonly<Report>,
    abort: (why: Abortion) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, rows, logger, leaseMs } = this.#parts;
    let lost = false;
    let cancel = () => {};
    const holdFrom = (sign: number) => {
      cancel();
      cancel = clock.after(sign + leaseMs - clock.monotonic(), () => {
        lost = true;
        abort('lease_lost');
      });
    };
    holdFrom(asked);
    while ((await slept(clock, leaseMs / 3, signal)) && !lost) {
      const sent = clock.monotonic();
      try {
        const state = await rows.renew(held, report.progress, report.memory);
        if (state === undefined) {
          abort('lease_lost');
          break;
        }
        if (lost) break;
        holdFrom(sent);
        if (state.pause !== null) abort('paused');
      } catch (error) {
        logger.warn({ err: error, action: `job_${held.job}` }, 'a lease could not be renewed');
      }
    }
    cancel();
  }
}

/** @returns false when the signal aborted first */
async function slept(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(milliseconds, signal);
    return true;
  } catch {
    return false;
  }
}
