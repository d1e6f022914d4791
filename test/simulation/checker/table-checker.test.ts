import { expect, test } from 'vitest';
import { ADOPTED, AVAILABLE, allocatedTo, claim, event, row, ToldTable, tombstone } from './told-table.ts';

const pool = () => new ToldTable().previously(ADOPTED, row('A', AVAILABLE), row('B', AVAILABLE));
const annHasA = () => pool().commit(claim('ann', 'A'), row('A', allocatedTo('ann')));
const pending = allocatedTo('ann', 'pending_deletion');
const released = [row('A', pending), event('A', 'release', 'track')] as const;
const annGaveBackA = () => annHasA().commit(...released, claim('ann', undefined));

test('a life from allocation to deletion breaks nothing, and the key may allocate again', () => {
  const table = annGaveBackA()
    .commit(row('A', undefined), tombstone('A'), event('A', 'delete', 'job:cleanup'))
    .commit(claim('ann', 'B'), row('B', allocatedTo('ann')));
  expect(table.violation).toBeUndefined();
});

test('a life by way of stale and back breaks nothing', () => {
  const table = pool()
    .commit(row('A', { status: 'stale' }), event('A', 'mark_stale', 'job:sync'))
    .commit(row('A', AVAILABLE), event('A', 'listed_again', 'job:sync'))
    .commit(claim('ann', 'A'), row('A', allocatedTo('ann')));
  expect(table.violation).toBeUndefined();
});

test('an allocation of the previous broker needs no claim until adoption is complete', () => {
  const table = new ToldTable().previously(row('A', allocatedTo('ann')), row('B', AVAILABLE));
  expect(table.violation).toBeUndefined();
  table.commit(ADOPTED);
  expect(table.violation).toMatchObject({ invariant: 'I10', text: expect.stringContaining('has no claim') });
});

const WRONG: readonly [string, string, () => ToldTable][] = [
  ['an allocation without a claim', 'I10', () => pool().commit(row('A', allocatedTo('ann')))],
  ['a claim without an allocation', 'I10', () => pool().commit(claim('ann', 'A'))],
  [
    'a claim of one caller on a row of another',
    'I10',
    () => pool().commit(claim('bob', 'A'), row('A', allocatedTo('ann'))),
  ],
  ['a release that leaves the claim', 'I10', () => annHasA().commit(...released)],
  ['a claim that goes while its row stays', 'I10', () => annHasA().commit(claim('ann', undefined))],
  ['a claim put over another', 'I2', () => annHasA().commit(claim('ann', 'B'), row('B', allocatedTo('ann')))],
  ['a second row under the same claim', 'I2', () => annHasA().commit(row('B', allocatedTo('ann')))],
  [
    'a new sandbox for a caller with one from before',
    'I2',
    () =>
      new ToldTable()
        .previously(row('A', allocatedTo('ann')), row('B', AVAILABLE))
        .commit(claim('ann', 'B'), row('B', allocatedTo('ann'))),
  ],
  [
    'a row that goes from hand to hand',
    'I1',
    () => annGaveBackA().commit(claim('bob', 'A'), row('A', allocatedTo('bob'))),
  ],
  ['a used row that is free again', 'I6', () => annGaveBackA().commit(row('A', AVAILABLE))],
  [
    'a free row with the marks of an allocation',
    'I6',
    () => pool().commit(row('C', allocatedTo('ann', 'available'))),
  ],
  [
    'a deletion without a tombstone',
    'I6',
    () => annGaveBackA().commit(row('A', undefined), event('A', 'delete', 'job:cleanup')),
  ],
  [
    'a removed row that comes back',
    'I6',
    () =>
      pool()
        .commit(row('A', { status: 'stale' }), event('A', 'mark_stale', 'job:sync'))
        .commit(row('A', undefined), tombstone('A'), event('A', 'remove', 'job:stale'))
        .commit(row('A', AVAILABLE)),
  ],
  [
    'a move that no event tells of',
    'moves',
    () => annHasA().commit(row('A', pending), claim('ann', undefined)),
  ],
  [
    'a move that is none',
    'moves',
    () => annHasA().commit(row('A', { ...pending, status: 'stale' }), event('A', 'mark_stale', 'job:sync')),
  ],
  [
    'a move by somebody whose it is not',
    'moves',
    () => annHasA().commit(row('A', pending), event('A', 'release', 'job:sync'), claim('ann', undefined)),
  ],
  ['a row that comes into the pool allocated', 'moves', () => pool().commit(row('C', allocatedTo('ann')))],
  [
    'an allocation that gets another owner',
    'moves',
    () => annHasA().commit(row('A', allocatedTo('bob')), claim('ann', undefined), claim('bob', 'A')),
  ],
  [
    'a release that forgets whose the row was',
    'moves',
    () => annHasA().commit(row('A', { status: 'pending_deletion' }), released[1], claim('ann', undefined)),
  ],
];

test.each(WRONG)('%s breaks %s', (_what, invariant, history) => {
  // Two rules may see one mistake; the first of them is reported.
  expect(history().violation?.invariant).toBe(invariant);
});
