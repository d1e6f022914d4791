import { type Clock, sleepOn } from '../../../src/domain/clock.ts';
import type { Process, Timeline } from './schedule.ts';

/** Midnight of a day on which nothing happened. Unix milliseconds. */
export const EPOCH = Date.UTC(2025, 2, 27);

/** A process of the simulation and its clock: it can die, be stopped for a while, and have the time wrong. */
export class SimulatedProcess implements Process, Clock {
  readonly name: string;
  readonly #schedule: Timeline;
  readonly #bornAt: number;
  alive = true;
  pausedUntil = 0;
  /** By how much its wall clock is ahead. Milliseconds. */
  aheadMs: number;

  constructor(name: string, schedule: Timeline, aheadMs = 0) {
    this.name = name;
    this.#schedule = schedule;
    this.#bornAt = schedule.now;
    this.aheadMs = aheadMs;
  }

  now(): number {
    return Math.floor(EPOCH + this.#schedule.now + this.aheadMs);
  }

  monotonic(): number {
    return this.#schedule.now - this.#bornAt;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const event = this.#schedule.after(milliseconds, this, 'timer', callback);
    return () => {
      event.cancelled = true;
    };
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, milliseconds, signal);
  }
}
