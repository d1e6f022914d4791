import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, sleepOn } from '../../src/domain/clock.ts';

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** Midnight of a day on which nothing happened. */
const DEFAULT_START = Date.UTC(2025, 2, 27);

/**
 * Turns of the event loop after each timer, in which whoever woke does its work and sets its next timer. Enough for
 * promises and for an exchange with a server in this process; work that takes longer is awaited by its test.
 */
const TURNS_AFTER_A_TIMER = 3;

/** How long `untilWaiting` waits, in real milliseconds. */
const PATIENCE_MS = 30_000;

/**
 * A clock that stands still until a test moves it.
 *
 * `advance` fires timers and wakes sleepers in the order of their times, each at its own time, and lets each work
 * before the next; one that waits again within the stretch is served again within it. So a loop of a hundred ticks
 * runs a hundred times in one call, and as it would have.
 */
export class ManualClock implements Clock {
  #wall: number;
  #monotonic = 0;
  /** In the order of their setting, which decides between timers of one moment. */
  readonly #timers = new Set<Timer>();

  /** @param start Unix milliseconds */
  constructor(start: number = DEFAULT_START) {
    this.#wall = start;
  }

  now(): number {
    return this.#wall;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer: Timer = { due: this.#monotonic + Math.max(0, milliseconds), callback };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, milliseconds, signal);
  }

  /** How many timers and sleepers there are now. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next one is due; null where there is none. */
  get untilNext(): number | null {
    const next = this.#next();
    return next === undefined ? null : next.due - this.#monotonic;
  }

  /** Moves on by `milliseconds`, serving whoever is due on the way. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#monotonic + milliseconds;
    await settle();
    for (let next = this.#next(); next !== undefined && next.due <= end; next = this.#next()) {
      this.#moveTo(next.due);
      this.#timers.delete(next);
      next.callback();
      await settle();
    }
    this.#moveTo(end);
  }

  /**
   * Moves on to the next timer and serves it, and whoever else is due at that moment. For a test that knows who is about
   * to wait: the timer is chosen some turns later, so what `untilNext` said before may not hold any more.
   *
   * @throws Error when nothing waits
   */
  async advanceToNext(): Promise<void> {
    await settle();
    const wait = this.untilNext;
    if (wait === null) throw new Error('Nothing waits on this clock');
    await this.advance(wait);
  }

  /** Corrects the wall clock, as a time server would: durations, timers and sleepers do not notice. */
  correctWallClock(byMilliseconds: number): void {
    this.#wall += byMilliseconds;
  }

  /** Waits until `count` timers and sleepers are there, for a test that must not move the clock before. */
  async untilWaiting(count: number): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    while (this.#timers.size < count) {
      if (performance.now() > end) throw new Error(`${this.#timers.size} wait where ${count} were awaited`);
      await nextTurn();
    }
  }

  #next(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (next === undefined || timer.due < next.due) next = timer;
    }
    return next;
  }

  #moveTo(monotonic: number): void {
    // A timer may have moved the clock itself, by an advance of its own.
    if (monotonic <= this.#monotonic) return;
    this.#wall += monotonic - this.#monotonic;
    this.#monotonic = monotonic;
  }
}

/** Lets promises, and input and output that are at hand, run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS_AFTER_A_TIMER; turn += 1) await nextTurn();
}
