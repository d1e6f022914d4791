import { setTimeout as realTime } from 'node:timers/promises';
import type { ManualClock } from '../support/manual-clock.ts';
import type { Gate } from './gate.ts';

/** A wait of a broker that passes by itself while something is under way; longer ones wait for a step of the clock. */
const SHORT_WAIT_MS = 1_000;

/**
 * Waits for something that brokers do, and lets their short waits (backoff and the like) pass on the way, when none
 * of their calls is under way.
 */
export async function whileTimePasses<Result>(
  time: ManualClock,
  gates: readonly Gate[],
  work: Promise<Result>,
): Promise<Result> {
  let over = false;
  const settled = work.then(
    () => undefined,
    () => undefined,
  );
  void settled.then(() => {
    over = true;
  });
  while (!over) {
    await Promise.race([settled, realTime(3)]);
    if (over || gates.some(({ inFlight }) => inFlight > 0)) continue;
    const next = time.untilNext;
    // By so much and no more: whoever waits may give up in this moment, and the next one to wait may wait for hours.
    if (next !== null && next <= SHORT_WAIT_MS) await time.advance(next);
  }
  return work;
}
