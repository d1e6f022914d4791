import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../../support/broker.ts';
import { violations } from '../../support/invariants.ts';
import { makeTable, type TestTable } from '../../support/table.ts';
import { type Api, apiOf, refusal } from './support/api.ts';
import { itemOf, putSandbox } from './support/rows.ts';

let table: TestTable;
let broker: TestBroker;
let api: Api;

/** Forty rows in four shards, and ten that were written before there were any. */
beforeAll(async () => {
  table = await makeTable({ environment: { STATUS_SHARDS: '4' } });
  broker = await startBroker(table.environment);
  api = await apiOf(broker.url);
  await table.seed(40);
  for (let index = 0; index < 10; index += 1) await putSandbox(table, `plain-${index}`);
});

afterAll(async () => {
  await broker.close();
  await table.drop();
});

/** All sandboxes of a status, page by page. */
async function list(query: string): Promise<{ sandbox_id: string; status: string }[]> {
  const found = [];
  let from = '';
  for (;;) {
    const { body } = await api.admin('GET', `/sandboxes?${query}${from}`);
    found.push(...body.sandboxes);
    if (body.cursor === undefined) return found;
    from = `&cursor=${body.cursor}`;
  }
}

test('With STATUS_SHARDS=4 the API shows plain statuses, lists and counts every row once, those with a plain status too', async () => {
  const stored = new Set((await table.items()).map((item) => item.status).filter(Boolean));
  expect([...stored].sort()).toEqual([
    'available',
    'available#00',
    'available#01',
    'available#02',
    'available#03',
  ]);
  for (const query of ['limit=7', 'status=available&limit=7', 'status=available&name_prefix=la&limit=7']) {
    const rows = await list(query);
    expect(new Set(rows.map((row) => row.sandbox_id)).size, query).toBe(50);
    expect(rows.length, query).toBe(50);
    expect(rows.every((row) => row.status === 'available')).toBe(true);
  }
  expect((await api.admin('GET', '/stats')).body).toMatchObject({ total: 50, available: 50 });
});

test('With STATUS_SHARDS=4 every row can be allocated, those with a plain status too, and no more than those', async () => {
  const tracks = Array.from({ length: 51 }, (_, index) => `student-${index}`);
  const answers = await Promise.all(tracks.map((track) => api.allocate(track)));
  const won = answers.filter(({ status }) => status === 201);
  expect(new Set(won.map(({ body }) => body.sandbox_id)).size).toBe(50);
  expect(answers.map(refusal).filter((each) => each.startsWith('409'))).toHaveLength(1);
  expect(violations(await table.items())).toEqual([]);
});

test('With STATUS_SHARDS=4 a release, an operator and a bulk removal move rows of both forms', async () => {
  for (const row of (await list('status=allocated')).filter((each) => each.sandbox_id === 'plain-3')) {
    const { body } = await api.admin('GET', `/sandboxes/${row.sandbox_id}`);
    expect((await api.release(body.allocated_to_track, row.sandbox_id)).body.status).toBe('pending_deletion');
    expect((await itemOf(table, `SBX#${row.sandbox_id}`))?.status).toMatch(/^pending_deletion#0\d$/);
  }
  expect(await list('status=pending_deletion')).toHaveLength(1);
  await putSandbox(table, 'old-stale', { status: 'stale' });
  await putSandbox(table, 'new-stale', { status: 'stale#02' });
  await putSandbox(table, 'aside', { status: 'stale' });
  expect((await api.admin('POST', '/sandboxes/aside/quarantine')).body.status).toBe('quarantined');
  expect((await api.admin('POST', '/bulk-delete?status=stale')).body).toMatchObject({ deleted: 2 });
  expect(violations(await table.items())).toEqual([]);
});

test('A cursor from before the number of shards was raised leads on, or is refused; it is never a 500', async () => {
  const fewer = await startBroker({ ...table.environment, STATUS_SHARDS: '1' });
  const { body } = await (await apiOf(fewer.url)).admin('GET', '/sandboxes?status=allocated&limit=1');
  await fewer.close();
  const cursor = body.cursor ?? '';
  const answer = await api.admin('GET', `/sandboxes?status=allocated&limit=1&cursor=${cursor}`);
  expect([200, 400]).toContain(answer.status);
});
