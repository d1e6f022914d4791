import { type AttributeValue, ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ListingFilter, ListingPosition } from '../../../src/store/pool-listing.ts';
import { startBroker, type TestBroker } from '../../support/broker.ts';
import { allocate, asAdmin, call, release } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { makeTable, type TestTable } from '../../support/table.ts';

const ROWS = 20_000;

let table: TestTable;
let broker: TestBroker;
const clock = new ManualClock();

beforeAll(async () => {
  table = await makeTable();
  await table.seed(ROWS);
  broker = await startBroker(table.environment, { clock });
});

afterAll(async () => {
  await broker?.close();
  await table?.drop();
});

/** Allocates, one after the other, for as long as `work` goes on. @returns what was allocated meanwhile */
async function allocatingDuring(work: () => Promise<unknown>, group: string): Promise<string[]> {
  const allocated: string[] = [];
  let over = false;
  const students = async () => {
    for (let index = 0; !over; index += 1) {
      const answer = await allocate(broker.url, `${group}-${index}`);
      expect(answer.status).toBe(201);
      allocated.push(answer.body.sandbox_id);
    }
  };
  await Promise.all([work().finally(() => (over = true)), students()]);
  return allocated;
}

/** Follows the cursor of the API to its end. */
async function listAll(query: Record<string, string>): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const parameters = new URLSearchParams({ ...query, ...(cursor === undefined ? {} : { cursor }) });
    const page = await call('GET', `${broker.url}/v1/admin/sandboxes?${parameters}`, asAdmin());
    expect([page.status, page.body.count]).toEqual([200, page.body.sandboxes.length]);
    expect(page.body.count).toBeLessThanOrEqual(100);
    for (const sandbox of page.body.sandboxes) ids.push(sandbox.sandbox_id);
    cursor = page.body.cursor;
  } while (cursor !== undefined);
  return ids;
}

/** Goes through the pages of the store itself to their end. */
async function pagesOf(filter: ListingFilter): Promise<string[]> {
  const ids: string[] = [];
  let position: ListingPosition | undefined = { partition: 0 };
  for (let pages = 0; position !== undefined; pages += 1) {
    const page = await table.listing.page(filter, position, 1_000);
    expect(page.sandboxes.length).toBeLessThanOrEqual(1_000);
    expect(pages).toBeLessThan(50);
    for (const { sandboxId } of page.sandboxes) ids.push(sandboxId);
    position = page.next;
  }
  return ids;
}

/** The ids of the rows of one status, read past the broker, and as cheaply as twenty thousand rows ask for. */
async function idsOfTable(status: string): Promise<string[]> {
  const ids: string[] = [];
  let after: Record<string, AttributeValue> | undefined;
  do {
    const page: ScanCommandOutput = await table.database.client.send(
      new ScanCommand({
        TableName: table.database.tableName,
        ConsistentRead: true,
        FilterExpression: '#status = :status',
        ProjectionExpression: 'sandbox_id',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':status': { S: status } },
        ExclusiveStartKey: after,
      }),
    );
    for (const item of page.Items ?? []) ids.push(item.sandbox_id?.S ?? '');
    after = page.LastEvaluatedKey;
  } while (after !== undefined);
  return ids;
}

test('a listing of twenty thousand rows by cursor shows each row once while allocations go on', async () => {
  let listed: string[] = [];
  const allocated = await allocatingDuring(async () => {
    listed = await listAll({ limit: '100' });
  }, 'all');
  expect(allocated.length).toBeGreaterThan(10);
  expect(listed).toHaveLength(ROWS);
  expect(new Set(listed).size).toBe(ROWS);
});

test('a listing by status shows each row once that keeps its status meanwhile, and none twice', async () => {
  const before = await idsOfTable('available');
  let listed: string[] = [];
  const allocated = new Set(
    await allocatingDuring(async () => {
      listed = await pagesOf({ status: 'available' });
    }, 'by-status'),
  );
  expect(allocated.size).toBeGreaterThan(0);
  const unique = new Set(listed);
  expect(unique.size).toBe(listed.length);
  for (const id of before) if (!allocated.has(id)) expect(unique.has(id)).toBe(true);
  expect((await pagesOf({ status: 'allocated' })).sort()).toEqual((await idsOfTable('allocated')).sort());
});

test('statistics are exact when writes pause, over all of the pool', async () => {
  const held = (await idsOfTable('allocated')).length;
  const { body } = await allocate(broker.url, 'leaver');
  await release(broker.url, 'leaver', body.sandbox_id);
  // A count is not made more than once a second, whoever asks.
  await clock.advance(1_000);
  const statistics = await call('GET', `${broker.url}/v1/admin/stats`, asAdmin());
  expect(statistics.body).toEqual({
    total: ROWS,
    available: ROWS - held - 1,
    allocated: held,
    pending_deletion: 1,
    stale: 0,
    deletion_failed: 0,
    quarantined: 0,
    as_of: Math.floor(clock.now() / 1000),
    age_seconds: 0,
  });
  expect(violations(await table.items())).toEqual([]);
});

test.each<[string, ListingFilter, number]>([
  ['a prefix', { namePrefix: 'lab-adventure-1999' }, 11],
  ['a lab that no row has', { lab: 'no-such-lab' }, 0],
  ['one caller', { track: 'leaver' }, 1],
])('a filter for %s finds all that match, in bounded pages', async (_, filter, count) => {
  const found = await pagesOf(filter);
  expect([found.length, new Set(found).size]).toEqual([count, count]);
});

test('a filter for a prefix within a status finds all that match, in bounded pages', async () => {
  const rows = await table.items();
  // The tests before have allocated some of them.
  const matching = rows.filter(
    ({ name, status }) => status === 'available' && String(name).startsWith('lab-adventure-199'),
  );
  expect(matching.length).toBeGreaterThan(0);
  const found = await pagesOf({ status: 'available', namePrefix: 'lab-adventure-199' });
  expect(found.sort()).toEqual(matching.map(({ sandbox_id: id }) => String(id)).sort());
});
