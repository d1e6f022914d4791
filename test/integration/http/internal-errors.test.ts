import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../../support/broker.ts';
import { makeTable, type TestTable } from '../../support/table.ts';
import { type Api, apiOf, refusal } from './support/api.ts';
import { putSandbox } from './support/rows.ts';
import { type WatchedDatabase, watchedDatabase } from './support/watched-database.ts';

const SECRET = 'at /srv/secret/place.ts:42 with password hunter2';

let table: TestTable;
let database: WatchedDatabase;
let broker: TestBroker;
let api: Api;

beforeAll(async () => {
  table = await makeTable();
  database = watchedDatabase(table);
  broker = await startBroker(table.environment, { database });
  api = await apiOf(broker.url);
});

afterAll(async () => {
  await broker.close();
  await table.drop();
});

describe('500 INTERNAL_ERROR without internals is the answer to a defect in', () => {
  test.each([
    ['POST /v1/allocate', () => api.allocate('student')],
    ['POST /v1/sandboxes/{sandbox_id}/mark-for-deletion', () => api.release('student', 'some')],
    ['GET /v1/sandboxes/{sandbox_id}', () => api.read('student', 'some')],
    ['GET /v1/admin/sandboxes', () => api.admin('GET', '/sandboxes')],
    ['POST /v1/admin/sandboxes/{id}/release', () => api.admin('POST', '/sandboxes/some/release')],
    ['GET /v1/admin/stats', () => api.admin('GET', '/stats')],
  ])('%s, and the log has what the answer has not', async (_, send) => {
    database.beforeCall = async () => {
      throw new Error(SECRET);
    };
    const answer = await send().finally(() => {
      database.beforeCall = async () => {};
    });
    expect(refusal(answer)).toBe('500 INTERNAL_ERROR');
    expect(JSON.stringify(answer.body)).not.toMatch(/secret|hunter2|\.ts/);
    const lines = broker.log
      .map((line) => JSON.parse(line))
      .filter((line) => line.request_id === answer.headers.get('x-request-id'));
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({ level: 'error', err: { message: SECRET } });
    expect(lines[1]).toMatchObject({ level: 'warn', outcome: 'internal_error', status: 500 });
  });

  test('a row that the schema of the answer does not allow', async () => {
    await putSandbox(table, 'broken', { status: 'stale', deletion_retry_count: 0.5 });
    expect(refusal(await api.admin('GET', '/sandboxes/broken'))).toBe('500 INTERNAL_ERROR');
  });
});
