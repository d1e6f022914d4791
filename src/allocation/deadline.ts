import type { Clock } from '../domain/clock.ts';
import { serviceUnavailable } from '../domain/errors.ts';

/**
 * One request's claim on our time: until when it may go on, and whether anyone still waits for its answer.
 */
export class Deadline {
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly #clock: Clock;
  #abandoned = false;

  constructor(clock: Clock, milliseconds: number) {
    this.#clock = clock;
    this.at = clock.monotonic() + milliseconds;
  }

  /** The client has gone. */
  abandon(): void {
    this.#abandoned = true;
  }

  get abandoned(): boolean {
    return this.#abandoned;
  }

  readonly wanted = (): boolean => !this.#abandoned && this.#clock.monotonic() < this.at;

  /** The promise's result, or a rejection with `onExpiry()` once the deadline has passed. */
  bound<Result>(promise: Promise<Result>, onExpiry: () => unknown): Promise<Result> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(this.at - this.#clock.monotonic(), () => reject(onExpiry()));
      promise.then(resolve, reject).finally(cancel);
    });
  }

  /** The same for a call to the database: the client hears SERVICE_UNAVAILABLE, whatever became of it. */
  orUnavailable<Result>(promise: Promise<Result>): Promise<Result> {
    return this.bound(promise, () => serviceUnavailable(undefined));
  }
}
