import type { Clock } from '../domain/clock.ts';

/** A client repeats itself within its own time-outs and backoff. */
const REMEMBER_MS = 60_000;
const MAX_REMEMBERED = 20_000;

/**
 * Claim keys that this process has seen a moment ago. Whoever comes with one of them is probably repeating
 * itself, and is looked up before it costs its neighbours a cancelled transaction. A guess: nothing relies
 * on it.
 */
export class RecentClaims {
  readonly #clock: Clock;
  /** In order of insertion, which is the order of time. */
  readonly #seen = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(claimKeyText: string): void {
    this.#seen.delete(claimKeyText);
    this.#seen.set(claimKeyText, this.#clock.monotonic());
    if (this.#seen.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#seen.keys()) {
      this.#seen.delete(oldest);
      break;
    }
  }

  has(claimKeyText: string): boolean {
    const since = this.#seen.get(claimKeyText);
    return since !== undefined && this.#clock.monotonic() - since < REMEMBER_MS;
  }
}
