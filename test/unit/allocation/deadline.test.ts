import { expect, test } from 'vitest';
import { Deadline } from '../../../src/allocation/deadline.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('a deadline is wanted until its last millisecond, by a clock that no correction moves', async () => {
  const clock = new ManualClock();
  const deadline = new Deadline(clock, 1_000);
  clock.correctWallClock(3_600_000);
  await clock.advance(999);
  expect(deadline.wanted()).toBe(true);
  await clock.advance(1);
  expect(deadline.wanted()).toBe(false);
});

test('a deadline that is abandoned is wanted no more', () => {
  const deadline = new Deadline(new ManualClock(), 1_000);
  deadline.abandon();
  expect([deadline.abandoned, deadline.wanted()]).toEqual([true, false]);
});

test('a bound promise gives its own result before the deadline, and leaves no timer behind', async () => {
  const clock = new ManualClock();
  const deadline = new Deadline(clock, 1_000);
  await expect(deadline.bound(Promise.resolve(7), () => new Error('late'))).resolves.toBe(7);
  await expect(deadline.bound(Promise.reject(new Error('its own')), () => new Error('late'))).rejects.toThrow(
    'its own',
  );
  await clock.advance(0);
  expect(clock.waiting).toBe(0);
});

test('a bound promise rejects at the deadline with what stands in the way then, and its own end changes nothing', async () => {
  const clock = new ManualClock();
  const deadline = new Deadline(clock, 1_000);
  let obstacle = 'the first';
  let finish: (value: number) => void = () => {};
  const bound = deadline.bound(
    new Promise<number>((resolve) => {
      finish = resolve;
    }),
    () => new Error(obstacle),
  );
  const rejected = expect(bound).rejects.toThrow('the last');
  obstacle = 'the last';
  await clock.advance(1_000);
  finish(7);
  await rejected;
});

test('a promise that is bound after the deadline rejects at once', async () => {
  const clock = new ManualClock();
  const deadline = new Deadline(clock, 10);
  await clock.advance(20);
  const bound = expect(deadline.bound(new Promise(() => {}), () => new Error('late'))).rejects.toThrow(
    'late',
  );
  await clock.advance(0);
  await bound;
});
