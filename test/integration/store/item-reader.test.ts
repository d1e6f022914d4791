import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/domain/clock.ts';
import { claimKeyOf } from '../../../src/domain/identifiers.ts';
import { ClaimReader } from '../../../src/store/claim-reader.ts';
import { claimAttributes } from '../../../src/store/claim-row.ts';
import { ItemReader } from '../../../src/store/item-reader.ts';
import { attributes, claimKey } from '../../../src/store/keys.ts';
import { transact } from '../../../src/store/transact.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { claimOn } from '../../support/scripted-allocator.ts';
import { invalid } from '../../support/scripted-commits.ts';
import { type TestTable, tableOfTest } from '../../support/table.ts';
import { recordCalls, type Tap, tapDatabase, timeout } from '../../support/tapped-database.ts';

const keyOf = (index: number) => claimKeyOf(`student-${index}`, undefined);

/** Claims of the first students. */
async function putClaims(table: TestTable, count: number): Promise<void> {
  for (let index = 0; index < count; index += 100) {
    const writes = Array.from({ length: Math.min(100, count - index) }, (_, offset) => ({
      Put: {
        TableName: table.database.tableName,
        Item: {
          ...attributes(claimKey(keyOf(index + offset))),
          ...claimAttributes(claimOn(`${index + offset}`)),
        },
      },
    }));
    await transact(table.database, writes, randomUUID());
  }
}

/** Every wait is as short as it may be: none. */
function readerThrough(table: TestTable, tap: Tap): ClaimReader {
  return new ClaimReader(new ItemReader(tapDatabase(table.database, tap), systemClock, () => 0));
}

test('reads of one moment share calls of a hundred keys, and each gets its own claim or none', async () => {
  const table = await tableOfTest();
  await putClaims(table, 200);
  const { database, calls } = recordCalls(table.database);
  const reader = new ClaimReader(new ItemReader(database, systemClock, Math.random));
  const claims = await Promise.all(Array.from({ length: 250 }, (_, index) => reader.get(keyOf(index))));
  expect(claims).toEqual(
    Array.from({ length: 250 }, (_, index) => (index < 200 ? claimOn(`${index}`) : undefined)),
  );
  expect(calls).toHaveLength(3);
  expect(calls.every(({ input }) => input.RequestItems[table.database.tableName].ConsistentRead)).toBe(true);
});

test('reads of one key at one moment are one read', async () => {
  const table = await tableOfTest();
  await putClaims(table, 1);
  const { database, calls } = recordCalls(table.database);
  const reader = new ClaimReader(new ItemReader(database, systemClock, Math.random));
  const claims = await Promise.all(Array.from({ length: 20 }, () => reader.get(keyOf(0))));
  expect(claims).toEqual(Array(20).fill(claimOn('0')));
  expect(calls.map(({ input }) => input.RequestItems[table.database.tableName].Keys)).toEqual([
    [attributes(claimKey(keyOf(0)))],
  ]);
});

test('reads that come one after the other while a call is under way share the next one', async () => {
  const table = await tableOfTest();
  await putClaims(table, 6);
  const clock = new ManualClock();
  const held = Promise.withResolvers<void>();
  const sizes: number[] = [];
  const database = tapDatabase(table.database, async (call, next) => {
    sizes.push(call.input.RequestItems[table.database.tableName].Keys.length);
    if (sizes.length === 1) await held.promise;
    return next();
  });
  const reader = new ClaimReader(new ItemReader(database, clock, Math.random));
  const reads = [];
  for (let index = 0; index < 6; index += 1) {
    reads.push(reader.get(keyOf(index)));
    await nextTurn();
  }
  expect(sizes).toEqual([1]);
  // Those that come when it has taken long do not wait for it.
  await clock.advance(50);
  expect(await reader.get(keyOf(6))).toBeUndefined();
  expect(sizes).toEqual([1, 6]);
  held.resolve();
  expect(await Promise.all(reads)).toEqual(Array.from({ length: 6 }, (_, index) => claimOn(`${index}`)));
});

test('keys that come back unread are asked for again, and those that were read are answered at once', async () => {
  const table = await tableOfTest();
  await putClaims(table, 2);
  let calls = 0;
  const reader = readerThrough(table, async (call, next) => {
    calls += 1;
    if (calls > 1) return next();
    const [first, ...unread] = call.input.RequestItems[table.database.tableName].Keys;
    call.input.RequestItems[table.database.tableName].Keys = [first];
    const answer = (await next()) as object;
    return { ...answer, UnprocessedKeys: { [table.database.tableName]: { Keys: unread } } };
  });
  expect(await Promise.all([reader.get(keyOf(0)), reader.get(keyOf(1)), reader.get(keyOf(2))])).toEqual([
    claimOn('0'),
    claimOn('1'),
    undefined,
  ]);
  expect(calls).toBe(2);
});

test('keys that come back unread again and again end as throttling', async () => {
  const table = await tableOfTest();
  const reader = readerThrough(table, async (call) => ({ UnprocessedKeys: call.input.RequestItems }));
  await expect(reader.get(keyOf(0))).rejects.toMatchObject({ name: 'ThrottlingException' });
});

test('a call that is lost is made again, and one that stays lost fails for its readers alone', async () => {
  const table = await tableOfTest();
  await putClaims(table, 1);
  let lost = 1;
  const reader = readerThrough(table, (_call, next) => {
    lost -= 1;
    return lost >= 0 ? Promise.reject(timeout()) : next();
  });
  expect(await reader.get(keyOf(0))).toEqual(claimOn('0'));
  lost = 3;
  await expect(reader.get(keyOf(0))).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(await reader.get(keyOf(0))).toEqual(claimOn('0'));
});

test('a call that the database will not have is not repeated', async () => {
  const table = await tableOfTest();
  let calls = 0;
  const reader = readerThrough(table, () => {
    calls += 1;
    return Promise.reject(invalid());
  });
  await expect(reader.get(keyOf(0))).rejects.toMatchObject({ name: 'ValidationException' });
  expect(calls).toBe(1);
});
