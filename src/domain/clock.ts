/** The time of a process, passed in so that a test can hold it still and move it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /**
   * Milliseconds of a clock that never jumps and whose origin means nothing. Durations and deadlines are
   * measured with it, so that a corrected wall clock neither ends a request nor keeps one alive.
   */
  monotonic(): number;
  /** Calls back once after `milliseconds`, unless the returned function is called first. */
  after(milliseconds: number, callback: () => void): () => void;
  /** Resolves after `milliseconds`; rejects with the signal's reason when it aborts first. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** A number in [0, 1), as `Math.random` gives it. */
export type Random = () => number;

/** The table keeps whole seconds. */
export function unixSeconds(clock: Clock): number {
  return Math.floor(clock.now() / 1000);
}

/** `Clock.sleep` for any clock, made of its `after`. */
export function sleepOn(
  clock: Pick<Clock, 'after'>,
  milliseconds: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = () => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = clock.after(milliseconds, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
  sleep: (milliseconds, signal) => sleepOn(systemClock, milliseconds, signal),
};

/**
 * A wait that spreads retries: uniform between 0 and `base * 2^attempt`, never above `max` ("full jitter",
 * AWS Architecture Blog, "Exponential Backoff And Jitter", 2015).
 *
 * @param attempt counts from 0
 * @returns milliseconds
 */
export function fullJitter(attempt: number, baseMs: number, maxMs: number, random: Random): number {
  return random() * Math.min(maxMs, baseMs * 2 ** attempt);
}
