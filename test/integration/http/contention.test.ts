import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../../support/broker.ts';
import { makeTable, type TestTable } from '../../support/table.ts';
import { type Api, apiOf, refusal } from './support/api.ts';
import { type WatchedDatabase, watchedDatabase } from './support/watched-database.ts';

let table: TestTable;
let database: WatchedDatabase;
let broker: TestBroker;
let api: Api;

beforeAll(async () => {
  table = await makeTable({ environment: { K_CANDIDATES: '3' } });
  await table.seed(40);
  database = watchedDatabase(table);
  broker = await startBroker(table.environment, { database });
  api = await apiOf(broker.url);
});

afterAll(async () => {
  await broker.close();
  await table.drop();
});

test('POST /v1/allocate answers 503 ALLOCATION_CONTENTION with Retry-After when rows were there and every race was lost, and both conflict counters count the races', async () => {
  // Somebody else is always a moment faster.
  database.beforeCall = async (command, input) => {
    if (command === 'TransactWriteItemsCommand') await takeFirst(input as TransactionInput);
  };
  const answer = await api.allocate('unlucky');
  expect(refusal(answer)).toBe('503 ALLOCATION_CONTENTION');
  expect(answer.headers.get('retry-after')).toBe('2');
  const { body: metrics } = await api.call('GET', '/metrics');
  expect(metrics).toContain('broker_allocate_conflicts_total 3\n');
  expect(metrics).toContain('broker_conflict_total 3\n');
  expect(metrics).toContain('broker_allocate_total{outcome="contention"} 1\n');

  database.beforeCall = async () => {};
  expect((await api.allocate('unlucky')).status).toBe(201);
});

interface TransactionInput {
  readonly TransactItems: { Update?: { Key: Record<string, { S: string }> } }[];
}

/** Allocates the sandbox that an allocation is about to take. */
async function takeFirst({ TransactItems }: TransactionInput): Promise<void> {
  const key = TransactItems.find(({ Update }) => Update !== undefined)?.Update?.Key;
  await table.database.documents.send(
    new UpdateCommand({
      TableName: table.database.tableName,
      Key: { PK: key?.PK?.S, SK: key?.SK?.S },
      UpdateExpression: 'SET #status = :allocated, allocated_to_track = :other, allocated_at = :now',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':allocated': 'allocated', ':other': 'faster', ':now': 1_774_000_000 },
    }),
  );
}
