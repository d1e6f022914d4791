import { expect, test } from 'vitest';
import { tableOfTest } from '../../support/table.ts';
import { ENGINE_DIFFERENCES, ENGINES, engineOfTests } from './engine-differences.ts';
import { observe } from './observed-answer.ts';
import { simulatedTwin } from './simulated-twin.ts';

const ENGINE = engineOfTests();

test.each(ENGINE_DIFFERENCES.map((difference) => [difference.what, difference] as const))(
  `${ENGINE} differs from the simulated table in what is listed of it, and in nothing that is listed of another: %s`,
  async (_what, { engine, explains, example }) => {
    const { database } = await tableOfTest({ adopted: false });
    const call = example(database.tableName);
    const real = (await observe(database, call)) as object;
    const simulated = (await observe(simulatedTwin(database.tableName), call)) as object;
    if (engine !== ENGINE) expect(real).toEqual(simulated);
    else expect({ real, explained: explains(call, real, simulated) }).toEqual({ real, explained: true });
  },
);

test('no engine commits a transaction that names an item twice, were all its conditions to hold', async () => {
  const { database } = await tableOfTest({ adopted: false });
  const write = { Delete: { TableName: database.tableName, Key: { PK: { S: 'SBX#1' }, SK: { S: 'META' } } } };
  const call = { operation: 'TransactWriteItems', input: { TransactItems: [write, write] }, paged: false };
  expect(await observe(database, call)).toEqual({ error: 'ValidationException' });
});

test('every engine that the tests run on has been compared', () => {
  expect(new Set(ENGINE_DIFFERENCES.map(({ engine }) => engine))).toEqual(new Set(ENGINES));
});
