import type { Clock } from '../domain/clock.ts';

/** How long a spent sandbox is passed over while an index still lists it: far longer than indexes lag. */
const PASS_OVER_MS = 60_000;

/** The sandboxes that requests of this process are trying just now, and those that they have just spent. */
export class HandedOut {
  readonly #clock: Clock;
  readonly #trying = new Set<string>();
  /** Sandbox to the monotonic time of its end, in order of insertion, which is the order of time. */
  readonly #spent = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  hold(sandboxId: string): void {
    this.#trying.add(sandboxId);
  }

  release(sandboxId: string): void {
    this.#trying.delete(sandboxId);
  }

  bury(sandboxId: string): void {
    this.#trying.delete(sandboxId);
    this.#spent.delete(sandboxId);
    this.#spent.set(sandboxId, this.#clock.monotonic());
    this.#forget();
  }

  isTrying(sandboxId: string): boolean {
    return this.#trying.has(sandboxId);
  }

  isSpent(sandboxId: string): boolean {
    const since = this.#spent.get(sandboxId);
    return since !== undefined && this.#clock.monotonic() - since < PASS_OVER_MS;
  }

  #forget(): void {
    const now = this.#clock.monotonic();
    for (const [sandboxId, since] of this.#spent) {
      if (now - since < PASS_OVER_MS) return;
      this.#spent.delete(sandboxId);
    }
  }
}
