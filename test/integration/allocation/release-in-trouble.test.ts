import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import { sandboxKey } from '../../../src/store/keys.ts';
import { brokerOfTest } from '../../support/broker.ts';
import { allocate, asAdmin, call, release } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { tableOfTest } from '../../support/table.ts';
import { tapDatabase, timeout } from '../../support/tapped-database.ts';

test('a release of a row that is never as it was read ends at its deadline, and so do its tries', async () => {
  const table = await tableOfTest();
  await table.seed(1);
  let tries = 0;
  let onTries = () => {};
  const manyTries = new Promise<void>((resolve) => {
    onTries = resolve;
  });
  const database = tapDatabase(table.database, (each, next) => {
    if (each.operation === 'TransactWriteItems') tries += 1;
    if (tries === 10) onTries();
    return next();
  });
  const clock = new ManualClock();
  const broker = await brokerOfTest(
    { ...table.environment, REQUEST_DEADLINE_MS: '10000' },
    { database, clock },
  );
  const { sandbox_id: sandboxId } = (await allocate(broker.url, 'student-1')).body;
  await table.database.documents.send(
    new UpdateCommand({
      TableName: table.database.tableName,
      Key: sandboxKey(sandboxId),
      UpdateExpression: 'REMOVE allocated_at',
    }),
  );
  const releasing = release(broker.url, 'student-1', sandboxId);
  await manyTries;
  await clock.advance(10_000);
  const answer = await releasing;
  expect([answer.status, answer.body.error.code]).toEqual([503, 'SERVICE_UNAVAILABLE']);
  // Whatever was under way is over once another release of the same row has been refused.
  expect((await release(broker.url, 'student-2', sandboxId)).status).toBe(403);
  const triesSoFar = tries;
  expect((await release(broker.url, 'student-2', sandboxId)).status).toBe(403);
  expect(tries).toBe(triesSoFar);
});

test('an operator’s release that the database does not settle in time is an outage, not a defect, and can be repeated', async () => {
  const table = await tableOfTest();
  await table.seed(1);
  const calm = await brokerOfTest(table.environment);
  const { sandbox_id: sandboxId } = (await allocate(calm.url, 'student-1')).body;
  const database = tapDatabase(table.database, (each, next) =>
    each.operation === 'TransactWriteItems' ? Promise.reject(timeout()) : next(),
  );
  const broker = await brokerOfTest({ ...table.environment, REQUEST_DEADLINE_MS: '200' }, { database });
  const path = `/v1/admin/sandboxes/${sandboxId}/release`;
  const answer = await call('POST', `${broker.url}${path}`, asAdmin());
  expect([answer.status, answer.body.error.code]).toEqual([503, 'SERVICE_UNAVAILABLE']);
  const repeated = await call('POST', `${calm.url}${path}`, asAdmin());
  expect([repeated.status, repeated.body.status]).toEqual([200, 'pending_deletion']);
  expect(violations(await table.items())).toEqual([]);
});
