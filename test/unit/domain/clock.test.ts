import { expect, test } from 'vitest';
import { fullJitter, sleepOn, systemClock, unixSeconds } from '../../../src/domain/clock.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('full jitter lies between nothing and twice as much with each attempt, up to the most', () => {
  const longest = (attempt: number) => fullJitter(attempt, 100, 5_000, () => 1);
  expect([0, 1, 2, 3, 4, 5, 6, 60, 2_000].map(longest)).toEqual([
    100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000,
  ]);
  expect(fullJitter(5, 100, 5_000, () => 0)).toBe(0);
  expect(fullJitter(1, 100, 5_000, () => 0.25)).toBe(50);
});

test('the table’s time is the whole second that has begun', () => {
  expect(unixSeconds(new ManualClock(1_774_000_000_999))).toBe(1_774_000_000);
});

test('a sleep that was aborted before it began never begins', async () => {
  const clock = new ManualClock();
  await expect(sleepOn(clock, 10, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  expect(clock.waiting).toBe(0);
});

test('a sleep that ended listens to its signal no more', async () => {
  const clock = new ManualClock();
  const abort = new AbortController();
  const sleep = sleepOn(clock, 10, abort.signal);
  await clock.advance(10);
  await sleep;
  abort.abort(new Error('too late to matter'));
});

test('the system’s clock calls back once unless it is told not to', async () => {
  const called: string[] = [];
  const cancel = systemClock.after(0, () => called.push('cancelled'));
  cancel();
  const before = systemClock.monotonic();
  await systemClock.sleep(5);
  expect(systemClock.monotonic()).toBeGreaterThan(before);
  expect(called).toEqual([]);
});
