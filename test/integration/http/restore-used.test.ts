import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import { brokerOfTest } from '../../support/broker.ts';
import { tableOfTest } from '../../support/table.ts';
import { apiOf, refusal } from './support/api.ts';
import { itemOf, putSandbox } from './support/rows.ts';

/** `verify --repair used-sandbox` puts such rows aside. */
test.each([
  ['a holder', { allocated_to_track: 'student-1' }],
  ['the time of an allocation', { allocated_at: 1_774_000_000 }],
])('a quarantined row with %s stays out of the pool (I6)', async (_what, attributes) => {
  const table = await tableOfTest();
  const id = await putSandbox(table, 'used', { status: 'quarantined', ...attributes });
  const before = await itemOf(table, `SBX#${id}`);
  const api = await apiOf((await brokerOfTest(table.environment)).url);
  const answer = await api.admin('POST', `/sandboxes/${id}/restore`);
  expect(refusal(answer)).toBe('409 ILLEGAL_MOVE');
  expect(answer.body.error.message).toContain('used');
  expect(await itemOf(table, `SBX#${id}`)).toEqual(before);
});

test('a quarantined row whose sandbox has a tombstone stays out of the pool (I6)', async () => {
  const table = await tableOfTest();
  const id = await putSandbox(table, 'buried', { status: 'quarantined' });
  const Item = { PK: `TOMB#${id}`, SK: 'META', sandbox_id: id };
  await table.database.documents.send(new PutCommand({ TableName: table.database.tableName, Item }));
  const before = await itemOf(table, `SBX#${id}`);
  const api = await apiOf((await brokerOfTest(table.environment)).url);
  expect(refusal(await api.admin('POST', `/sandboxes/${id}/restore`))).toBe('409 ILLEGAL_MOVE');
  expect(await itemOf(table, `SBX#${id}`)).toEqual(before);
  expect((await api.admin('GET', `/sandboxes/${id}/events`)).body.count).toBe(0);
});
