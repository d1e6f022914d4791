import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../../support/broker.ts';
import { violations } from '../../support/invariants.ts';
import { makeTable, type TestTable } from '../../support/table.ts';
import { type Api, apiOf, refusal, wrongFields } from './support/api.ts';
import { itemOf, putSandbox } from './support/rows.ts';

let table: TestTable;
let broker: TestBroker;
let api: Api;

const OTHERS = ['available', 'allocated', 'pending_deletion', 'quarantined'];

beforeAll(async () => {
  table = await makeTable();
  // One request removes for so many seconds, and on a slow machine says that it was not all: time stands still.
  broker = await startBroker(table.environment, { clock: { ...table.clock, monotonic: () => 0 } });
  api = await apiOf(broker.url);
});

beforeEach(async () => {
  for (const status of [...OTHERS, 'stale', 'deletion_failed']) {
    for (const index of [1, 2, 3]) await putSandbox(table, `${status}-${index}`, { status });
  }
});

afterAll(async () => {
  await broker.close();
  await table.drop();
});

async function idsIn(status: string): Promise<string[]> {
  const { body } = await api.admin('GET', `/sandboxes?status=${status}&limit=100`);
  return body.sandboxes.map((row: { sandbox_id: string }) => row.sandbox_id).sort();
}

describe('POST /v1/admin/bulk-delete', () => {
  test.each(['stale', 'deletion_failed'])(
    'with status=%s removes those rows and no others, and says how many and how long it took',
    async (status) => {
      const other = status === 'stale' ? 'deletion_failed' : 'stale';
      const answer = await api.admin('POST', `/bulk-delete?status=${status}`, { reason: 'spring cleaning' });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ status: 'completed', deleted: 3, skipped: 0 });
      expect(answer.body.duration_ms).toBeGreaterThanOrEqual(0);
      expect(await idsIn(status)).toEqual([]);
      for (const kept of [...OTHERS, other]) expect(await idsIn(kept)).toHaveLength(3);
    },
  );

  test('leaves a tombstone and a trace for each row, so that sync does not take the account for a new one', async () => {
    await api.admin('POST', '/bulk-delete?status=stale', { reason: 'spring cleaning' });
    expect(await itemOf(table, 'SBX#stale-2')).toBeUndefined();
    expect(await itemOf(table, 'TOMB#stale-2')).toMatchObject({ sandbox_id: 'stale-2' });
    const { body } = await api.admin('GET', '/sandboxes/stale-2/events?limit=1');
    expect(body.events[0]).toMatchObject({
      move: 'remove',
      from: 'stale',
      to: 'removed',
      actor: 'admin',
      reason: 'spring cleaning',
    });
  });

  test('removes more rows than one page holds', async () => {
    const ids = Array.from({ length: 230 }, (_, index) => `many-${index}`);
    await Promise.all(ids.map((id) => putSandbox(table, id, { status: 'deletion_failed' })));
    const { body } = await api.admin('POST', '/bulk-delete?status=deletion_failed');
    expect(body).toMatchObject({ status: 'completed', deleted: 233 });
    expect(await idsIn('deletion_failed')).toEqual([]);
  });

  test('has nothing to do the second time, and says so', async () => {
    await api.admin('POST', '/bulk-delete?status=stale');
    const { status, body } = await api.admin('POST', '/bulk-delete?status=stale');
    expect([status, body]).toMatchObject([200, { status: 'completed', deleted: 0 }]);
  });

  test.each([...OTHERS, 'removed', '', 'STALE', 'stale&status=available'])(
    'answers 400 VALIDATION_ERROR to status=%s and removes nothing',
    async (status) => {
      const before = await table.items();
      const answer = await api.admin('POST', `/bulk-delete?status=${status}`);
      expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
      expect(wrongFields(answer)).toEqual(['status']);
      expect(await table.items()).toEqual(before);
    },
  );

  test('answers 400 VALIDATION_ERROR where no status is sent', async () => {
    expect(refusal(await api.admin('POST', '/bulk-delete'))).toBe('400 VALIDATION_ERROR');
  });

  test('never touches a sandbox that somebody holds', async () => {
    await putSandbox(table, 'held', { name: 'zz-held' });
    const { body: held } = await api.allocate('holder', { 'x-sandbox-name-prefix': 'zz-' });
    await api.admin('POST', '/bulk-delete?status=stale');
    await api.admin('POST', '/bulk-delete?status=deletion_failed');
    expect((await api.read('holder', held.sandbox_id)).body.status).toBe('allocated');
    expect(violations(await table.items()).filter((problem) => problem.includes('held'))).toEqual([]);
  });
});
