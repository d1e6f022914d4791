import { expect, test } from 'vitest';
import { violations } from '../../support/invariants.ts';

const available = (id: string) => ({
  PK: `SBX#${id}`,
  SK: 'META',
  sandbox_id: id,
  status: 'available',
  allocated_at: 0,
});
const allocated = (id: string, track: string, idempotencyKey = track) => ({
  ...available(id),
  status: 'allocated',
  allocated_at: 1_774_000_000,
  allocated_to_track: track,
  idempotency_key: idempotencyKey,
});
const claim = (id: string, track: string, idempotencyKey = '') => ({
  PK: `CLAIM#${track} ${idempotencyKey}`,
  SK: 'META',
  sandbox_id: id,
});
const tombstone = (id: string) => ({ PK: `TOMB#${id}`, SK: 'META', sandbox_id: id });

test('a table in which everything agrees breaks no invariant', () => {
  expect(
    violations([
      available('1'),
      allocated('2', 'anna'),
      claim('2', 'anna'),
      { ...allocated('3', 'anna', 'second'), status: 'allocated#07' },
      claim('3', 'anna', 'second'),
      { ...allocated('4', 'anna'), superseded: true },
      { ...allocated('5', 'bert'), status: 'pending_deletion' },
      { PK: 'SBX#5', SK: 'EVT#001#0', sandbox_id: '5' },
      tombstone('6'),
      { PK: 'STATS', SK: 'META' },
    ]),
  ).toEqual([]);
});

test.each([
  ['a sandbox with two claims', 'I1', [allocated('1', 'anna'), claim('1', 'anna'), claim('1', 'bert')]],
  [
    'a claim key with two sandboxes',
    'I2',
    [allocated('1', 'anna'), allocated('2', 'anna'), claim('2', 'anna')],
  ],
  [
    'a sandbox whose account was used under another id',
    'I6',
    [
      { ...available('1'), external_id: 'accounts/a' },
      { PK: 'TOMB_EXTERNAL#accounts/a', SK: 'META', sandbox_id: '2' },
    ],
  ],
  ['a claim without a row', 'I10', [claim('1', 'anna')]],
  ['a claim on a sandbox that is available', 'I10', [available('1'), claim('1', 'anna')]],
  [
    'a claim on a sandbox that was released',
    'I10',
    [{ ...allocated('1', 'anna'), status: 'pending_deletion' }, claim('1', 'anna')],
  ],
  ['a claim on a sandbox of another key', 'I10', [allocated('1', 'anna', 'second'), claim('1', 'anna')]],
  ['an allocated sandbox without a claim', 'I10', [allocated('1', 'anna')]],
  [
    'a superseded sandbox with a claim',
    'I10',
    [{ ...allocated('1', 'anna'), superseded: true }, claim('1', 'anna')],
  ],
  ['an available sandbox that was allocated', 'I6', [{ ...available('1'), allocated_to_track: 'anna' }]],
  ['an available sandbox that was allocated at some time', 'I6', [{ ...available('1'), allocated_at: 1 }]],
  ['a sandbox with a tombstone', 'I6', [available('1'), tombstone('1')]],
])('%s breaks %s', (_, invariant, items) => {
  const problems = violations(items);
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.some((problem) => problem.startsWith(`${invariant}:`))).toBe(true);
});
