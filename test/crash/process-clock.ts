import { type Clock, sleepOn } from '../../src/domain/clock.ts';

/**
 * The clock of one process among several on one time: its wall clock may be off, it stands still while the process
 * is stopped (what falls due meanwhile is late), and no timer of a process that has ended ever fires.
 */
export class ProcessClock implements Clock {
  readonly #time: Clock;
  #skewMs: number;
  #state: 'running' | 'stopped' | 'ended' = 'running';
  #late: (() => void)[] = [];

  constructor(time: Clock, skewMs = 0) {
    this.#time = time;
    this.#skewMs = skewMs;
  }

  now(): number {
    return this.#time.now() + this.#skewMs;
  }

  monotonic(): number {
    return this.#time.monotonic();
  }

  after(milliseconds: number, callback: () => void): () => void {
    let cancelled = false;
    const fire = () => {
      if (cancelled || this.#state === 'ended') return;
      if (this.#state === 'stopped') this.#late.push(fire);
      else callback();
    };
    const cancel = this.#time.after(milliseconds, fire);
    return () => {
      cancelled = true;
      cancel();
    };
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, milliseconds, signal);
  }

  /** The wall clock is set, as a time server would: durations and timers do not notice. */
  correct(byMilliseconds: number): void {
    this.#skewMs += byMilliseconds;
  }

  stop(): void {
    if (this.#state === 'running') this.#state = 'stopped';
  }

  goOn(): void {
    if (this.#state !== 'stopped') return;
    this.#state = 'running';
    for (const fire of this.#late.splice(0)) fire();
  }

  end(): void {
    this.#state = 'ended';
    this.#late = [];
  }
}
