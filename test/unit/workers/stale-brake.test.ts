import { expect, test } from 'vitest';
import { type ListingComparison, staleBrake } from '../../../src/workers/stale-brake.ts';

const compare = (comparison: Partial<ListingComparison>) =>
  staleBrake({
    rows: 100,
    listed: 1_000,
    unreadable: 0,
    available: 100,
    missing: 0,
    maxStalePercent: 20,
    ...comparison,
  });

test.each([
  [{ missing: 0 }, null],
  [{ missing: 20 }, null],
  [{ missing: 21 }, 'the listing lacks 21 of 100 available sandboxes, more than 20 %'],
  // So few that a percentage says nothing.
  [{ available: 5, missing: 5 }, null],
  [{ available: 6, missing: 5 }, null],
  [{ available: 6, missing: 6 }, 'the listing lacks 6 of 6 available sandboxes, more than 20 %'],
  [{ available: 30, missing: 6 }, null],
  [{ available: 29, missing: 6 }, 'the listing lacks 6 of 29 available sandboxes, more than 20 %'],
  [{ listed: 0, available: 1, missing: 1 }, 'the listing is empty'],
  // Nothing could be staled by it, and stale rows would be removed for it.
  [{ rows: 3, listed: 0, available: 0, missing: 0 }, 'the listing is empty'],
  [{ rows: 0, listed: 0, available: 0, missing: 0 }, null],
  [{ unreadable: 1, missing: 1 }, '1 rows of the listing could not be read'],
  [{ unreadable: 1, missing: 0 }, null],
  [{ maxStalePercent: 0, missing: 6 }, 'the listing lacks 6 of 100 available sandboxes, more than 0 %'],
  [{ maxStalePercent: 100, missing: 100 }, null],
  [{ maxStalePercent: 12.5, available: 80, missing: 10 }, null],
  [
    { maxStalePercent: 12.5, available: 80, missing: 11 },
    'the listing lacks 11 of 80 available sandboxes, more than 12.5 %',
  ],
] satisfies [Partial<ListingComparison>, string | null][])(
  'a comparison of %o brakes with %o',
  (comparison, brake) => {
    expect(compare(comparison)).toBe(brake);
  },
);
