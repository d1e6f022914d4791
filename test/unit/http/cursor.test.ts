import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BrokerError } from '../../../src/domain/errors.ts';
import { SANDBOX_STATUSES } from '../../../src/domain/sandbox.ts';
import { decodeCursor, encodeCursor } from '../../../src/http/schemas/cursor.ts';

const PARTITIONS = 5;

const identifier = fc.stringMatching(/^[!-~]{1,40}$/);
const filter = fc.record({
  status: fc.option(fc.constantFrom(...SANDBOX_STATUSES), { nil: undefined }),
  track: fc.option(identifier, { nil: undefined }),
  lab: fc.option(identifier, { nil: undefined }),
  namePrefix: fc.option(identifier, { nil: undefined }),
});
const position = fc.record({
  partition: fc.integer({ min: 0, max: PARTITIONS - 1 }),
  after: fc.option(
    fc.record({
      PK: identifier.map((id) => `SBX#${id}`),
      SK: fc.constant('META'),
      allocatedAt: fc.oneof(fc.nat(), fc.double({ min: 1e-130, max: 4e9, noNaN: true })),
    }),
    { nil: undefined },
  ),
});

/** What `decodeCursor` says of a cursor. */
function verdict(cursor: string, from: Parameters<typeof decodeCursor>[1]): unknown {
  try {
    return decodeCursor(cursor, from, PARTITIONS);
  } catch (error) {
    return error;
  }
}

test('A cursor leads its own listing to exactly where it stood', () => {
  fc.assert(
    fc.property(filter, position, (own, where) => {
      // -0 and 0 are one number of the table.
      expect(JSON.stringify(verdict(encodeCursor(own, where), own))).toBe(JSON.stringify(where));
    }),
  );
});

test('A cursor is refused by any listing with another filter', () => {
  fc.assert(
    fc.property(filter, filter, position, (own, other, where) => {
      fc.pre(JSON.stringify(own) !== JSON.stringify(other));
      expect(verdict(encodeCursor(own, where), other)).toMatchObject({ code: 'VALIDATION_ERROR' });
    }),
  );
});

test('Whatever a client sends as a cursor is a position or a VALIDATION_ERROR, never another error', () => {
  const anything = fc.oneof(
    fc.string(),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
    fc
      .tuple(filter, position, fc.nat(400), fc.string({ minLength: 1, maxLength: 1 }))
      .map(([own, where, at, letter]) => {
        const cursor = encodeCursor(own, where);
        return cursor.slice(0, at) + letter + cursor.slice(at + 1);
      }),
  );
  fc.assert(
    fc.property(anything, filter, (cursor, own) => {
      const result = verdict(cursor, own);
      if (result instanceof Error) expect(result).toBeInstanceOf(BrokerError);
      else expect(result).toMatchObject({ partition: expect.any(Number) });
    }),
    { numRuns: 500 },
  );
});

test('A cursor of a listing through an index never leads to a key that is no sandbox of the pool', () => {
  const forged = fc.record({
    PK: fc.string({ minLength: 1 }),
    SK: fc.string({ minLength: 1 }),
    allocatedAt: fc.nat(),
  });
  fc.assert(
    fc.property(forged, (after) => {
      fc.pre(!after.PK.startsWith('SBX#') || after.SK !== 'META');
      const own = { status: 'stale' as const };
      const cursor = encodeCursor(own, { partition: 0, after });
      expect(verdict(cursor, own)).toMatchObject({ code: 'VALIDATION_ERROR' });
    }),
  );
});
