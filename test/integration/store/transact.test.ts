import { randomUUID } from 'node:crypto';
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/domain/clock.ts';
import { CONDITION_FAILED, transact, transactPatiently } from '../../../src/store/transact.ts';
import { type TestTable, tableOfTest } from '../../support/table.ts';
import { tapDatabase, timeout } from '../../support/tapped-database.ts';

/** The promises of the engine that the protocol stands on. */

/** Every wait as short as it may be: none. */
const HASTY = { clock: systemClock, random: () => 0 };

const put = (table: TestTable, name: string, value: string): TransactWriteItem => ({
  Put: {
    TableName: table.database.tableName,
    Item: { PK: { S: name }, SK: { S: 'META' }, value: { S: value } },
    ConditionExpression: 'attribute_not_exists(PK)',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  },
});

const valuesOf = async (table: TestTable) =>
  Object.fromEntries(
    (await table.items()).filter((item) => item.PK !== 'ADOPTION').map((item) => [item.PK, item.value]),
  );

test('a cancelled transaction writes nothing, and gives the reasons in the order of the items, with the old item where it was asked for', async () => {
  const table = await tableOfTest();
  await transact(table.database, [put(table, 'b', 'old')], randomUUID());
  const result = await transact(
    table.database,
    [put(table, 'a', 'new'), put(table, 'b', 'new'), put(table, 'c', 'new')],
    randomUUID(),
  );
  expect(result).toEqual({
    committed: false,
    reasons: [
      { code: 'None', item: undefined },
      { code: CONDITION_FAILED, item: { PK: { S: 'b' }, SK: { S: 'META' }, value: { S: 'old' } } },
      { code: 'None', item: undefined },
    ],
  });
  expect(await valuesOf(table)).toEqual({ b: 'old' });
});

test('a transaction of a hundred items that is repeated under its token takes effect once', async () => {
  const table = await tableOfTest();
  const items = Array.from({ length: 100 }, (_, index) => put(table, `${index}`, 'new'));
  const token = randomUUID();
  expect(await transact(table.database, items, token)).toEqual({ committed: true });
  expect(await transact(table.database, items, token)).toEqual({ committed: true });
  expect(Object.keys(await valuesOf(table))).toHaveLength(100);
  expect(await transact(table.database, items, randomUUID())).toMatchObject({ committed: false });
});

test('a token is good for its own writes only', async () => {
  const table = await tableOfTest();
  const token = randomUUID();
  await transact(table.database, [put(table, 'a', 'new')], token);
  await expect(transact(table.database, [put(table, 'b', 'new')], token)).rejects.toMatchObject({
    name: 'IdempotentParameterMismatchException',
  });
});

test('a patient transaction whose answer is lost is repeated under its token, and takes effect once', async () => {
  const table = await tableOfTest();
  const tokens: string[] = [];
  const refuse = Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
  const database = tapDatabase(table.database, async (call, next) => {
    tokens.push(call.input.ClientRequestToken);
    if (tokens.length === 1) throw refuse;
    const answer = await next();
    if (tokens.length === 2) throw timeout();
    return answer;
  });
  const work = transactPatiently(database, [put(table, 'a', 'new')], HASTY);
  expect(await work).toEqual({ committed: true });
  expect([tokens.length, new Set(tokens).size]).toEqual([3, 1]);
  expect(await valuesOf(table)).toEqual({ a: 'new' });
});

test('a patient transaction gives up after its tries, with what the last one met', async () => {
  const table = await tableOfTest();
  let tries = 0;
  const database = tapDatabase(table.database, async () => {
    tries += 1;
    throw timeout();
  });
  const work = transactPatiently(database, [put(table, 'a', 'new')], HASTY);
  await expect(work).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(tries).toBe(8);
});
