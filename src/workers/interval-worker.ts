import type { Logger } from 'pino';
import type { Clock, Random } from '../domain/clock.ts';
import type { FinishedRun, JobState } from '../store/job-rows.ts';
import type { Job } from './job.ts';
import type { JobRunner } from './job-runner.ts';

export interface IntervalWorkerParts {
  readonly runner: JobRunner;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The first tick comes within this time, so that tasks that start together do not tick together. */
const START_JITTER_MS = 5_000;
/** Each interval is longer or shorter by up to this part, so that tasks drift apart. */
const JITTER = 0.1;

/**
 * Ticks for one job in one process; never two ticks at once. Every process has one, and a tick runs the job only
 * when no process has run it since this one's last tick: so with any number of processes it runs about once an
 * interval, and when the one that ran it dies another goes on, without comparing clocks.
 */
export class IntervalWorker {
  readonly #job: Job;
  readonly #parts: IntervalWorkerParts;
  readonly #stopped = new AbortController();
  #ticking: Promise<void> = Promise.resolve();
  #lastSeenRun: string | null | undefined;

  constructor(job: Job, parts: IntervalWorkerParts) {
    this.#job = job;
    this.#parts = parts;
  }

  start(): void {
    this.#ticking = this.#tickUntilStopped();
  }

  /** Ends the waiting; a run under way is the runner's to end. Resolves when the last tick is over. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#ticking;
  }

  async #tickUntilStopped(): Promise<void> {
    const { random } = this.#parts;
    const interval = this.#job.intervalSeconds * 1000;
    let wait = Math.min(START_JITTER_MS, interval) * random();
    while (await this.#waited(wait)) {
      try {
        await this.tick();
      } catch (error) {
        this.#parts.logger.warn({ err: error, action: `job_${this.#job.name}` }, 'a tick failed');
      }
      wait = interval * (1 - JITTER + 2 * JITTER * random());
    }
  }

  /** One tick: runs the job if it is due and nobody else does. */
  async tick(): Promise<void> {
    const { runner } = this.#parts;
    const isDue = (state: JobState) => this.#isDue(state.lastRun);
    let start = await runner.start(this.#job, 'schedule', {}, isDue);
    if (!start.started && start.because === 'running') {
      // Its holder may have died: stay to see whether it gives a sign of life.
      if (!(await this.#waited(runner.silenceLeft(this.#job.name)))) return;
      start = await runner.start(this.#job, 'schedule', {}, isDue);
    }
    this.#lastSeenRun = start.started ? (await start.finished).runId : (start.state.lastRun?.runId ?? null);
  }

  /** Whether nobody has run it since the last tick. One that was stopped half-way has not run. */
  #isDue(last: FinishedRun | null): boolean {
    if (last === null || last.outcome === 'stopped') return true;
    return this.#lastSeenRun === undefined
      ? !this.#ranJustNow(last.finishedAt)
      : last.runId === this.#lastSeenRun;
  }

  /** A process that has just started knows no earlier tick: it goes by the time that the row names. */
  #ranJustNow(finishedAt: number): boolean {
    const age = this.#parts.clock.now() / 1000 - finishedAt;
    return age >= 0 && age < this.#job.intervalSeconds / 2;
  }

  /** @returns false when the worker was stopped first */
  async #waited(milliseconds: number): Promise<boolean> {
    try {
      await this.#parts.clock.sleep(milliseconds, this.#stopped.signal);
      return true;
    } catch {
      return false;
    }
  }
}
