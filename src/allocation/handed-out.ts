import type { Clock } from '../domain/clock.ts';

/** How long a spent sandbox is passed over at least while an index still lists it: far longer than indexes lag. */
const PASS_OVER_MS = 60_000;

/** The sandboxes that requests of this process are trying just now, and those that they have just spent. */
export class HandedOut {
  readonly #clock: Clock;
  readonly #trying = new Set<string>();
  /** Spent since `#began`, and in the generation before; forgotten by the generation, not one by one. */
  #spent = new Set<string>();
  #spentBefore = new Set<string>();
  #began: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = clock.monotonic();
  }

  hold(sandboxId: string): void {
    this.#trying.add(sandboxId);
  }

  release(sandboxId: string): void {
    this.#trying.delete(sandboxId);
  }

  bury(sandboxId: string): void {
    this.#trying.delete(sandboxId);
    this.#turn();
    this.#spent.add(sandboxId);
  }

  isTrying(sandboxId: string): boolean {
    return this.#trying.has(sandboxId);
  }

  isSpent(sandboxId: string): boolean {
    this.#turn();
    return this.#spent.has(sandboxId) || this.#spentBefore.has(sandboxId);
  }

  #turn(): void {
    const now = this.#clock.monotonic();
    const age = now - this.#began;
    if (age < PASS_OVER_MS) return;
    this.#spentBefore = age < 2 * PASS_OVER_MS ? this.#spent : new Set();
    this.#spent = new Set();
    this.#began = now;
  }
}
