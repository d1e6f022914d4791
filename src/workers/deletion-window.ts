import type { JobNotes } from '../store/job-rows.ts';

/**
 * How many deletions a window of time has seen, over all runs and tasks: a brake on a mistake that would delete
 * everything. It travels from run to run in the job's memory.
 */
export class DeletionWindow {
  readonly #limit: number;
  #startedAt: number;
  #deletions: number;

  /** @param now Unix seconds */
  constructor(memory: JobNotes, limit: number, windowSeconds: number, now: number) {
    this.#limit = limit;
    const startedAt = Number(memory.window_started_at ?? 0);
    const goesOn = now - startedAt < windowSeconds && startedAt <= now;
    this.#startedAt = goesOn ? startedAt : now;
    this.#deletions = goesOn ? Number(memory.window_deletions ?? 0) : 0;
  }

  get exhausted(): boolean {
    return this.#deletions >= this.#limit;
  }

  count(): void {
    this.#deletions += 1;
  }

  get memory(): JobNotes {
    return { window_started_at: this.#startedAt, window_deletions: this.#deletions };
  }
}
