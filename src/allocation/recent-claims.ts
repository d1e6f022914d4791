import type { Clock } from '../domain/clock.ts';

/** A client repeats itself within its own time-outs and backoff. */
const REMEMBER_MS = 60_000;
/** Keys in one of two generations: so many are remembered at least, and twice as many at most. */
const GENERATION = 10_000;

/**
 * Claim keys that this process has seen a moment ago. Whoever comes with one of them is probably repeating
 * itself, and is looked up before it costs its neighbours a cancelled transaction. A guess: nothing relies
 * on it.
 *
 * Forgotten by the generation, not one by one: to find the first key of a map that has lost many takes as long as it
 * has lost.
 */
export class RecentClaims {
  readonly #clock: Clock;
  /** Keys to the monotonic time when they were seen. */
  #young = new Map<string, number>();
  #old = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(claimKeyText: string): void {
    this.#young.set(claimKeyText, this.#clock.monotonic());
    if (this.#young.size < GENERATION) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  has(claimKeyText: string): boolean {
    const since = this.#young.get(claimKeyText) ?? this.#old.get(claimKeyText);
    return since !== undefined && this.#clock.monotonic() - since < REMEMBER_MS;
  }
}
