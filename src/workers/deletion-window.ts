import type { JobNotes } from '../store/job-rows.ts';

/**
 * How many deletions a window of time has seen, over all runs and tasks: a brake on a mistake that would delete
 * everything. It travels from run to run in the job's memory.
 */
export class DeletionWindow {
  readonly #limit: number;
  readonly #startedAt: number;
  #deletions: number;

  /** @param now Unix seconds */
  constructor(memory: JobNotes, limit: number, windowSeconds: number, now: number) {
    this.#limit = limit;
    const startedAt = Number(memory.window_started_at ?? 0);
    // Either way: the task that began it may have had a clock that was ahead of this one's.
    const goesOn = Math.abs(now - startedAt) < windowSeconds;
    this.#startedAt = goesOn ? startedAt : now;
    this.#deletions = goesOn ? Number(memory.window_deletions ?? 0) : 0;
  }

  /** Counts a deletion that is about to be sent. @returns false when there is no room for it */
  take(): boolean {
    if (this.#deletions >= this.#limit) return false;
    this.#deletions += 1;
    return true;
  }

  /** One that was counted has not happened. */
  giveBack(): void {
    this.#deletions -= 1;
  }

  get memory(): JobNotes {
    return { window_started_at: this.#startedAt, window_deletions: this.#deletions };
  }
}
