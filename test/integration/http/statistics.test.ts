import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { publishStatistics, readStatistics } from '../../../src/store/statistics.ts';
import { startBroker, type TestBroker } from '../../support/broker.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { makeTable, type TestTable } from '../../support/table.ts';
import { type Api, apiOf } from './support/api.ts';
import { putSandbox } from './support/rows.ts';
import { type WatchedDatabase, watchedDatabase } from './support/watched-database.ts';

const clock = new ManualClock();
let table: TestTable;
let database: WatchedDatabase;
let broker: TestBroker;
let api: Api;

const COUNTS = {
  total: 47,
  available: 30,
  allocated: 0,
  pending_deletion: 2,
  stale: 3,
  deletion_failed: 4,
  quarantined: 8,
};

beforeAll(async () => {
  table = await makeTable();
  database = watchedDatabase(table);
  broker = await startBroker(table.environment, { clock, database });
  api = await apiOf(broker.url);
  await table.seed(30);
  for (const [status, count] of Object.entries(COUNTS).slice(3)) {
    for (let index = 0; index < count; index += 1) await putSandbox(table, `${status}-${index}`, { status });
  }
});

afterAll(async () => {
  await broker.close();
  await table.drop();
});

test('No gauge of the pool has a value before anything was counted: 0 would be an empty pool', async () => {
  const { body } = await api.call('GET', '/metrics');
  expect(body).toContain('# TYPE broker_pool_available gauge');
  expect(body).not.toMatch(/^broker_pool_/m);
});

describe('GET /v1/admin/stats', () => {
  test('counts the rows of every status, and says when', async () => {
    const { status, body } = await api.admin('GET', '/stats');
    expect([status, body]).toEqual([200, { ...COUNTS, as_of: clock.now() / 1000, age_seconds: 0 }]);
  });

  test('is cheap: asked a hundred times it counts once, and serves others what one has counted', async () => {
    database.calls.length = 0;
    await Promise.all(Array.from({ length: 100 }, () => api.admin('GET', '/stats')));
    expect(database.calls.filter((command) => command === 'QueryCommand')).toEqual([]);

    await clock.advance(20_000);
    const other = watchedDatabase(table);
    const second = await startBroker(table.environment, { clock, database: other });
    await second.container.statistics.refresh();
    const metrics = await (await apiOf(second.url)).call('GET', '/metrics');
    expect(metrics.body).toContain('broker_pool_available 30\n');
    expect(other.calls).not.toContain('QueryCommand');
    await second.close();
  });

  test('is exact again after a change, by the next count', async () => {
    await clock.advance(1_000);
    const { body: held } = await api.allocate('student');
    const { body } = await api.admin('GET', '/stats');
    expect(body).toMatchObject({ total: 47, available: 29, allocated: 1 });
    await api.release('student', held.sandbox_id);
    await clock.advance(60_000);
    expect((await api.admin('GET', '/stats')).body).toMatchObject({ allocated: 0, pending_deletion: 3 });
  });

  test.each([
    ['an operator moved a row', () => api.admin('POST', '/sandboxes/stale-0/quarantine'), { quarantined: 9 }],
    ['rows were removed', () => api.admin('POST', '/bulk-delete?status=stale'), { stale: 0, total: 45 }],
  ])('is exact after %s, by the next count', async (_, change, counts) => {
    await clock.advance(1_000);
    await api.admin('GET', '/stats');
    await clock.advance(1_000);
    expect((await change()).status).toBe(200);
    expect((await api.admin('GET', '/stats')).body).toMatchObject(counts);
  });

  test('is exact also where the count after a change had failed', async () => {
    await clock.advance(1_000);
    const { body: before } = await api.admin('GET', '/stats');
    await clock.advance(1_000);
    const { body: held } = await api.allocate('other-student');
    expect(held).toHaveProperty('sandbox_id');
    database.beforeCall = async (command) => {
      if (command === 'QueryCommand') throw Object.assign(new Error('lost'), { name: 'TimeoutError' });
    };
    expect((await api.admin('GET', '/stats')).status).toBe(503);
    database.beforeCall = async () => {};
    expect((await api.admin('GET', '/stats')).body).toMatchObject({
      available: before.available - 1,
      allocated: before.allocated + 1,
    });
  });
});

test('The gauges broker_pool_* say what was counted, and a scrape does no table call', async () => {
  await clock.advance(60_000);
  const { body: counted } = await api.admin('GET', '/stats');
  database.calls.length = 0;
  const { body } = await api.call('GET', '/metrics');
  for (const status of ['available', 'allocated', 'pending_deletion', 'stale', 'deletion_failed', 'total'])
    expect(body).toContain(`broker_pool_${status} ${counted[status]}\n`);
  expect(database.calls).toEqual([]);
});

test('a count of a process whose clock is ahead is not served, and keeps nobody’s from being published', async () => {
  const { available } = (await api.admin('GET', '/stats')).body;
  const ahead = clock.now() / 1000 + 7_200;
  await publishStatistics(table.database, { counts: { ...COUNTS, available: 0 }, asOf: ahead });
  await clock.advance(60_000);
  const { body } = await api.admin('GET', '/stats');
  expect(available).toBeGreaterThan(0);
  expect(body).toMatchObject({ available, as_of: clock.now() / 1000, age_seconds: 0 });
  expect(await readStatistics(table.database)).toMatchObject({ asOf: clock.now() / 1000 });
});
