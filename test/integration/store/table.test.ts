import { CreateTableCommand, DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { checkTable, createTable, tableDefinition } from '../../../src/store/table.ts';
import { tableOfTest } from '../../support/table.ts';

test('a table that is created fits, and creating it again leaves it as it is', async () => {
  const table = await tableOfTest();
  await table.seed(3);
  expect(await createTable(table.database)).toBe(false);
  await expect(checkTable(table.database)).resolves.toBeUndefined();
  expect((await table.items()).filter((item) => item.status === 'available')).toHaveLength(3);
});

test('a table that does not exist is told with the command that makes it', async () => {
  const table = await tableOfTest();
  const absent = { ...table.database, tableName: 'No-Such-Table' };
  await expect(checkTable(absent)).rejects.toThrow('npm run broker -- table create');
});

test('everything that is wrong with a table is told at once', async () => {
  const table = await tableOfTest();
  const wrong = { ...table.database, tableName: `${table.database.tableName}-wrong` };
  const definition = tableDefinition(wrong);
  const [status, track] = definition.GlobalSecondaryIndexes!;
  await table.database.client.send(
    new CreateTableCommand({
      ...definition,
      AttributeDefinitions: definition.AttributeDefinitions!.filter(
        ({ AttributeName }) => AttributeName !== 'idempotency_key',
      ),
      GlobalSecondaryIndexes: [
        { ...status!, Projection: { ProjectionType: 'KEYS_ONLY' } },
        { ...track!, KeySchema: [{ AttributeName: 'allocated_to_track', KeyType: 'HASH' }] },
      ],
    }),
  );
  const problem = await checkTable(wrong).catch((error: Error) => error.message);
  await table.database.client.send(new DeleteTableCommand({ TableName: wrong.tableName }));
  expect(problem).toContain('index StatusIndex does not project all attributes');
  expect(problem).toContain('index TrackIndex has the keys allocated_to_track instead of');
  expect(problem).toContain('index IdempotencyIndex (idempotency_key + allocated_at) is missing');
});
