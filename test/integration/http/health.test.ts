import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { brokerOfTest, startBroker, type TestBroker } from '../../support/broker.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { makeTable, type TestTable } from '../../support/table.ts';
import { type Api, apiOf, refusal } from './support/api.ts';
import { type WatchedDatabase, watchedDatabase } from './support/watched-database.ts';

const clock = new ManualClock();
let table: TestTable;
let database: WatchedDatabase;
let broker: TestBroker;
let api: Api;

beforeAll(async () => {
  table = await makeTable();
  database = watchedDatabase(table);
  broker = await startBroker(table.environment, { clock, database });
  api = await apiOf(broker.url);
});

afterAll(async () => {
  await broker.close();
  await table.drop();
});

describe('GET /healthz', () => {
  test('answers 200 healthy with the time, and asks nobody', async () => {
    database.calls.length = 0;
    const { status, body } = await api.call('GET', '/healthz');
    expect([status, body]).toEqual([200, { status: 'healthy', timestamp: clock.now() / 1000 }]);
    expect(database.calls).toEqual([]);
  });
});

describe('GET /readyz', () => {
  test('answers 200 ready when the database answers', async () => {
    const { status, body } = await api.call('GET', '/readyz');
    expect([status, body]).toEqual([200, { status: 'ready', checks: { dynamodb: 'ok' } }]);
  });

  test('answers 503 not_ready when the table is not there', async () => {
    const other = await makeTable();
    const lost = await brokerOfTest(other.environment);
    await other.drop();
    const { status, body } = await (await apiOf(lost.url)).call('GET', '/readyz');
    expect([status, body]).toEqual([
      503,
      { status: 'not_ready', checks: { dynamodb: 'failed (ResourceNotFoundException)' } },
    ]);
  });

  test('answers 503 not_ready during a stop without asking anybody, while requests are still served and told to reconnect', async () => {
    await table.seed(1);
    broker.beginStop();
    database.calls.length = 0;
    const { status, body } = await api.call('GET', '/readyz');
    expect([status, body.status]).toEqual([503, 'not_ready']);
    expect(database.calls).toEqual([]);
    const allocation = await api.allocate('late-comer');
    expect([allocation.status, allocation.headers.get('connection')]).toEqual([201, 'close']);
    expect((await api.call('GET', '/healthz')).status).toBe(200);
  });
});

test('With ROLE=worker health and metrics are answered, and no route of the API exists', async () => {
  const worker = await brokerOfTest({ ...table.environment, ROLE: 'worker' });
  const workerApi = await apiOf(worker.url);
  for (const path of ['/healthz', '/readyz', '/metrics'])
    expect((await workerApi.call('GET', path)).status).toBe(200);
  expect(refusal(await workerApi.allocate('student'))).toBe('404 NOT_FOUND');
  expect(refusal(await workerApi.admin('GET', '/stats'))).toBe('404 NOT_FOUND');
});

test('API_BASE_PATH moves the API and its documentation, and nothing else', async () => {
  const moved = await brokerOfTest({ ...table.environment, API_BASE_PATH: '/broker/v2' });
  const at = async (method: string, path: string) => (await fetch(moved.url + path, { method })).status;
  expect(await at('POST', '/broker/v2/allocate')).toBe(401);
  expect(await at('GET', '/broker/v2/admin/stats')).toBe(401);
  expect(await at('GET', '/broker/v2/openapi.json')).toBe(200);
  expect(await at('GET', '/broker/v2/docs')).toBe(200);
  expect(await at('POST', '/v1/allocate')).toBe(404);
  expect(await at('GET', '/healthz')).toBe(200);
});
