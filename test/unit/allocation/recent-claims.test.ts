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

test('the last ten thousand keys are remembered, and never more than twice as many', () => {
  const recent = new RecentClaims(new ManualClock());
  for (let key = 0; key < 45_000; key += 1) {
    recent.add(`${key}`);
    if (key >= 10_000) expect(recent.has(`${key - 9_999}`)).toBe(true);
    if (key >= 20_000) expect(recent.has(`${key - 20_000}`)).toBe(false);
  }
});
