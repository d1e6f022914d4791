import { expect, test } from 'vitest';
import { RecentClaims } from '../../../src/allocation/recent-claims.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('a claim key is remembered for a minute after it was last seen', async () => {
  const clock = new ManualClock();
  const recent = new RecentClaims(clock);
  recent.add('a');
  await clock.advance(59_999);
  expect(recent.has('a')).toBe(true);
  recent.add('a');
  await clock.advance(59_999);
  expect(recent.has('a')).toBe(true);
  await clock.advance(1);
  expect(recent.has('a')).toBe(false);
});

test('a class of twenty thousand is remembered, and one more pushes out the key that was seen longest ago', () => {
  const recent = new RecentClaims(new ManualClock());
  for (let key = 0; key < 20_000; key += 1) recent.add(`${key}`);
  expect(recent.has('0')).toBe(true);
  recent.add('0');
  recent.add('one more');
  expect([recent.has('0'), recent.has('1'), recent.has('2')]).toEqual([true, false, true]);
});
