import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../../support/broker.ts';
import { makeTable, type TestTable } from '../../support/table.ts';
import { type Api, apiOf, refusal } from './support/api.ts';
import { putSandbox } from './support/rows.ts';

let table: TestTable;
let broker: TestBroker;
let api: Api;

beforeAll(async () => {
  table = await makeTable();
  broker = await startBroker(table.environment);
  api = await apiOf(broker.url);
  for (const status of ['pending_deletion', 'stale', 'deletion_failed', 'quarantined'])
    await putSandbox(table, `unfit-${status}`, { status });
  await putSandbox(table, 'only');
});

afterAll(async () => {
  await broker.close();
  await table.drop();
});

test('POST /v1/allocate answers 409 NO_SANDBOXES_AVAILABLE with Retry-After 30 when every row is taken or unfit, and 200 to who holds one', async () => {
  const first = await api.allocate('first');
  expect([first.status, first.body.sandbox_id]).toEqual([201, 'only']);

  const answers = await Promise.all(['second', 'third', 'fourth'].map((track) => api.allocate(track)));
  expect(answers.map(refusal)).toEqual(Array(3).fill('409 NO_SANDBOXES_AVAILABLE'));
  expect(answers.map(({ headers }) => headers.get('retry-after'))).toEqual(['30', '30', '30']);
  expect(answers[0]?.body.error).toMatchObject({ retry_after: 30, details: [] });

  const replay = await api.allocate('first');
  expect([replay.status, replay.body]).toEqual([200, first.body]);
});
