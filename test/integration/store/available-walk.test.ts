import { expect, test } from 'vitest';
import { AvailableWalk } from '../../../src/store/available-walk.ts';
import { StatusShards } from '../../../src/store/status-shards.ts';
import { type TestTable, tableOfTest } from '../../support/table.ts';

/** One whole round: the ids in the order in which they were read, and how many pages it took. */
async function roundOf(walk: AvailableWalk, pageSize: number, pages = Number.POSITIVE_INFINITY) {
  const ids: string[] = [];
  let count = 0;
  let complete = false;
  for await (const page of walk.round(() => pageSize)) {
    expect(complete).toBe(false);
    complete = page.complete;
    count += 1;
    for (const { sandboxId } of page.candidates) ids.push(sandboxId);
    if (count === pages) break;
  }
  return { ids, complete };
}

const walkOver = (table: TestTable, shards: number, namePrefix?: string, first = 0) =>
  new AvailableWalk(table.database, new StatusShards(shards), namePrefix, first);

test.each([1, 3])(
  'a whole round over %i shard(s) reads every available row, wherever it begins',
  async (shards) => {
    const table = await tableOfTest({ environment: { STATUS_SHARDS: `${shards}` } });
    const ids = (await table.seed(50)).map(({ sandboxId }) => sandboxId).sort();
    for (let first = 0; first <= shards; first += 1) {
      const round = await roundOf(walkOver(table, shards, undefined, first), 7);
      expect(round.complete).toBe(true);
      expect(round.ids.sort()).toEqual(ids);
    }
  },
);

test('a round goes on where the last one was left, and reads every row although it begins in the middle', async () => {
  const table = await tableOfTest();
  const ids = (await table.seed(50)).map(({ sandboxId }) => sandboxId).sort();
  const walk = walkOver(table, 1);
  const first = await roundOf(walk, 10, 2);
  const second = await roundOf(walk, 10, 2);
  expect(new Set([...first.ids, ...second.ids]).size).toBe(40);
  const whole = await roundOf(walk, 10);
  expect(whole.complete).toBe(true);
  expect([...new Set(whole.ids)].sort()).toEqual(ids);
});

test('a pool without rows is complete after one round', async () => {
  const table = await tableOfTest();
  expect(await roundOf(walkOver(table, 4), 10)).toEqual({ ids: [], complete: true });
});

test('a prefix reads its own rows only, and all of them', async () => {
  const table = await tableOfTest();
  await table.seed(120);
  const round = await roundOf(walkOver(table, 1, 'lab-adventure-011'), 5);
  expect([round.complete, round.ids.length]).toEqual([true, 10]);
});
