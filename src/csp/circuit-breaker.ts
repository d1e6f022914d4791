import type { Clock } from '../domain/clock.ts';

export type BreakerState = 'closed' | 'open' | 'half_open';

/** Leave for one call. Exactly one of its methods is called, once, when the call is over. */
export interface BreakerPermit {
  /** The provider answered. */
  succeeded(): void;
  /**
   * The provider is unwell.
   *
   * @param openForMs given where the provider itself said how long to stay away: opens at once, for that long
   */
  failed(openForMs?: number): void;
  /** The call was given up for a reason of ours, and says nothing. */
  withdrawn(): void;
}

export interface CircuitBreakerOptions {
  /** Consecutive failures that open it. */
  readonly threshold: number;
  /** How long it stays open before one call may probe. Milliseconds. */
  readonly openMs: number;
  readonly clock: Clock;
  readonly onState?: (state: BreakerState) => void;
}

/**
 * Stops calls to a provider that is unwell, so that an outage costs rows no attempts and the provider no load.
 *
 * Not cockatiel's: that one reads `Date.now` itself, so an incident of many minutes cannot be replayed on a
 * simulated clock and a corrected wall clock opens or closes it; and while its probe is under way it lets other
 * callers wait for the outcome, where a cleanup wants to end its run at once.
 */
export class CircuitBreaker {
  readonly #options: CircuitBreakerOptions;
  #consecutiveFailures = 0;
  /** Monotonic time at which a probe may go; null while closed. */
  #openUntil: number | null = null;
  #probing = false;
  /** Counts openings and closings: a call that began before one says nothing about the time after it. */
  #era = 0;

  constructor(options: CircuitBreakerOptions) {
    this.#options = options;
  }

  /** `half_open` as soon as a probe may go, so that a caller which asks before it calls does not wait for ever. */
  state(): BreakerState {
    if (this.#openUntil === null) return 'closed';
    return this.#probing || this.millisecondsUntilProbe() === 0 ? 'half_open' : 'open';
  }

  millisecondsUntilProbe(): number {
    return Math.max(0, (this.#openUntil ?? 0) - this.#options.clock.monotonic());
  }

  /** @returns null where the call must not be made: the breaker is open, or another call is its probe */
  enter(): BreakerPermit | null {
    const probe = this.#openUntil !== null;
    if (probe) {
      if (this.#probing || this.millisecondsUntilProbe() > 0) return null;
      this.#probing = true;
      this.#options.onState?.('half_open');
    }
    const era = this.#era;
    let over = false;
    const end = (judge: () => void) => {
      if (over) return;
      over = true;
      if (probe && era === this.#era) this.#probing = false;
      judge();
    };
    return {
      succeeded: () => end(() => this.#succeeded(era)),
      failed: (openForMs) => end(() => this.#failed(era, probe, openForMs)),
      withdrawn: () => end(() => undefined),
    };
  }

  #succeeded(era: number): void {
    if (era !== this.#era) return;
    this.#consecutiveFailures = 0;
    if (this.#openUntil === null) return;
    this.#openUntil = null;
    this.#era += 1;
    this.#options.onState?.('closed');
  }

  #failed(era: number, probe: boolean, openForMs: number | undefined): void {
    if (openForMs !== undefined) {
      // Whenever the call began, the provider has just said how long to stay away.
      this.#open(Math.max(openForMs, this.millisecondsUntilProbe()));
      return;
    }
    if (era !== this.#era) return;
    this.#consecutiveFailures += 1;
    if (probe || this.#consecutiveFailures >= this.#options.threshold) this.#open(this.#options.openMs);
  }

  #open(forMs: number): void {
    this.#consecutiveFailures = 0;
    this.#openUntil = this.#options.clock.monotonic() + forMs;
    this.#probing = false;
    this.#era += 1;
    this.#options.onState?.('open');
  }
}
