import { expect, test } from 'vitest';
import {
  expiresAt,
  MOVES,
  type Move,
  mayMove,
  SANDBOX_STATUSES,
  type Sandbox,
} from '../../../src/domain/sandbox.ts';
import { toSandbox } from '../../../src/store/sandbox-row.ts';

const UNHELD = toSandbox({ PK: 'SBX#1', SK: 'META', status: 'available' }, 4);
const HELD = { ...UNHELD, allocatedToTrack: 'student', allocatedAt: 1_774_000_000 };

const legalMovesOf = (sandbox: Sandbox) =>
  SANDBOX_STATUSES.flatMap((status) =>
    (Object.keys(MOVES) as Move[])
      .filter((move) => mayMove(move, { ...sandbox, status }))
      .map((move) => `${status} --${move}--> ${MOVES[move].to}`),
  );

test('every legal move is one of the table of moves, and no other is', () => {
  expect(legalMovesOf(UNHELD).sort()).toEqual(
    [
      'available --allocate--> allocated',
      'available --mark_stale--> stale',
      'available --quarantine--> quarantined',
      'allocated --release--> pending_deletion',
      'allocated --expire--> pending_deletion',
      'pending_deletion --delete--> deleted',
      'pending_deletion --give_up_deletion--> deletion_failed',
      'stale --listed_again--> available',
      'stale --quarantine--> quarantined',
      'stale --remove--> removed',
      'deletion_failed --retry_deletion--> pending_deletion',
      'deletion_failed --remove--> removed',
      'quarantined --remove--> removed',
      'quarantined --restore--> available',
    ].sort(),
  );
});

test('what was held and is stale or quarantined can be sent to its deletion besides', () => {
  const others = new Set(legalMovesOf(UNHELD));
  expect(legalMovesOf(HELD).filter((move) => !others.has(move))).toEqual([
    'stale --release--> pending_deletion',
    'stale --expire--> pending_deletion',
    'quarantined --release--> pending_deletion',
  ]);
});

test('no way leads back to available from a sandbox that was allocated', () => {
  const reached = new Set<string>(['allocated']);
  for (const from of reached) {
    for (const move of Object.values(MOVES)) {
      if ((move.from as readonly string[]).includes(from)) reached.add(move.to);
    }
  }
  expect([...reached].sort()).toEqual([
    'allocated',
    'deleted',
    'deletion_failed',
    'pending_deletion',
    'removed',
  ]);
});

test('a lab’s time ends after its hours, in whole seconds', () => {
  expect(expiresAt({ allocatedAt: 1_774_000_000, labDurationHours: 4 })).toBe(1_774_014_400);
  expect(expiresAt({ allocatedAt: 1_774_000_000, labDurationHours: 0.0001 })).toBe(1_774_000_000);
});
