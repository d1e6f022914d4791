import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import type { Database } from '../../../src/store/database.ts';
import { sandboxKey } from '../../../src/store/keys.ts';
import { brokerOfTest } from '../../support/broker.ts';
import { allocate, release } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { tableOfTest } from '../../support/table.ts';
import { recordCalls, tapDatabase } from '../../support/tapped-database.ts';

const SANDBOX_ID = '2009001';

/** Writes an available row that differs from an ordinary one in some attributes; undefined for one that it lacks. */
async function putAvailable(database: Database, differences: Record<string, unknown>): Promise<void> {
  const row = {
    ...sandboxKey(SANDBOX_ID),
    sandbox_id: SANDBOX_ID,
    name: 'lab-1',
    external_id: 'identity/accounts/1',
    status: 'available',
    allocated_at: 0,
    ...differences,
  };
  await database.documents.send(new PutCommand({ TableName: database.tableName, Item: row }));
}

test.each([
  ['has no external id', { external_id: undefined }],
  ['has null for its external id', { external_id: null }],
  ['has neither name nor external id', { name: undefined, external_id: undefined }],
  [
    'has null wherever the previous broker may have left it',
    { sfdc_account_id: null, track_name: null, last_synced: null },
  ],
])('an available row that %s is allocated, replayed and released like any other', async (_, oddities) => {
  const table = await tableOfTest();
  await putAvailable(table.database, oddities);
  const { database, calls } = recordCalls(table.database);
  const broker = await brokerOfTest(table.environment, { database });
  const first = await allocate(broker.url, 'student-1');
  expect([first.status, first.body.sandbox_id]).toEqual([201, SANDBOX_ID]);
  expect(first.body.external_id).toBe('external_id' in oddities ? SANDBOX_ID : 'identity/accounts/1');
  expect(calls.filter(({ operation }) => operation === 'TransactWriteItems')).toHaveLength(1);
  expect((await allocate(broker.url, 'student-1')).body).toEqual(first.body);
  expect(violations(await table.items())).toEqual([]);
  expect((await release(broker.url, 'student-1', SANDBOX_ID)).status).toBe(200);
  expect(violations(await table.items())).toEqual([]);
});

test('what the claim repeats is what the row says, also where sync changed the row while it was a candidate', async () => {
  const table = await tableOfTest();
  await putAvailable(table.database, {});
  let changed = false;
  const database = tapDatabase(table.database, async (call, next) => {
    if (call.operation === 'TransactWriteItems' && !changed) {
      changed = true;
      await putAvailable(table.database, { name: 'renamed', external_id: 'new-id' });
    }
    return next();
  });
  const broker = await brokerOfTest(table.environment, { database });
  const answer = await allocate(broker.url, 'student-1');
  expect(answer.body).toMatchObject({
    sandbox_id: SANDBOX_ID,
    name: 'renamed',
    external_id: 'new-id',
  });
  const items = await table.items();
  const claim = items.find((item) => String(item.PK).startsWith('CLAIM#'));
  expect(claim).toMatchObject({ name: 'renamed', external_id: 'new-id' });
});

test.each([
  ['changed', 'account-1', 'account-2'],
  ['added', undefined, 'account-2'],
  ['added in place of null', null, 'account-2'],
  ['taken away', 'account-1', null],
])('nor does a claim repeat an account id that sync has %s', async (_, before, after) => {
  const table = await tableOfTest();
  await putAvailable(table.database, { sfdc_account_id: before });
  let changed = false;
  const database = tapDatabase(table.database, async (call, next) => {
    if (call.operation === 'TransactWriteItems' && !changed) {
      changed = true;
      await putAvailable(table.database, { sfdc_account_id: after });
    }
    return next();
  });
  const broker = await brokerOfTest(table.environment, { database });
  const answer = await allocate(broker.url, 'student-1');
  expect([answer.status, answer.body.sfdc_account_id]).toEqual([201, after ?? undefined]);
  expect((await allocate(broker.url, 'student-1')).body).toEqual(answer.body);
});
