import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  type KeySchemaElement,
  ResourceInUseException,
  ResourceNotFoundException,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import type { Database } from './database.ts';
import { databaseFault } from './database-faults.ts';
import { ADOPTION_KEY, attributes } from './keys.ts';

export type TableNames = Pick<Database, 'tableName' | 'statusIndex' | 'trackIndex' | 'idempotencyIndex'>;

/** The attribute that holds when a tombstone or an event may go (Unix seconds). */
export const TIME_TO_LIVE_ATTRIBUTE = 'ttl';

/** The table's one definition: it is created from it, and what is found at start is held against it. */
export function tableDefinition(names: TableNames): CreateTableCommandInput & { TableName: string } {
  const index = (IndexName: string, partitionKey: string) => ({
    IndexName,
    KeySchema: [
      { AttributeName: partitionKey, KeyType: 'HASH' as const },
      { AttributeName: 'allocated_at', KeyType: 'RANGE' as const },
    ],
    Projection: { ProjectionType: 'ALL' as const },
  });
  return {
    TableName: names.tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'PK', AttributeType: 'S' },
      { AttributeName: 'SK', AttributeType: 'S' },
      { AttributeName: 'status', AttributeType: 'S' },
      { AttributeName: 'allocated_to_track', AttributeType: 'S' },
      { AttributeName: 'idempotency_key', AttributeType: 'S' },
      { AttributeName: 'allocated_at', AttributeType: 'N' },
    ],
    KeySchema: [
      { AttributeName: 'PK', KeyType: 'HASH' },
      { AttributeName: 'SK', KeyType: 'RANGE' },
    ],
    GlobalSecondaryIndexes: [
      index(names.statusIndex, 'status'),
      index(names.trackIndex, 'allocated_to_track'),
      index(names.idempotencyIndex, 'idempotency_key'),
    ],
  };
}

/** Creates the table unless it is there. @returns whether it was created */
export async function createTable(database: Database): Promise<boolean> {
  const client: DynamoDBClient = database.client;
  if (!(await wasCreated(client, tableDefinition(database)))) return false;
  await waitUntilTableExists({ client, maxWaitTime: 120, minDelay: 1 }, { TableName: database.tableName });
  await client.send(
    new UpdateTimeToLiveCommand({
      TableName: database.tableName,
      TimeToLiveSpecification: { Enabled: true, AttributeName: TIME_TO_LIVE_ATTRIBUTE },
    }),
  );
  return true;
}

/** An engine that has just been started may take longer than a row does. */
const CREATE_ATTEMPTS = 5;

async function wasCreated(client: DynamoDBClient, definition: CreateTableCommandInput): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await client.send(new CreateTableCommand(definition));
      return true;
    } catch (error) {
      // Of this call's own first try, perhaps, whose answer was lost: it is there, and new.
      if (error instanceof ResourceInUseException) return attempt > 1;
      if (databaseFault(error) !== 'unsettled' || attempt === CREATE_ATTEMPTS)
        throw await asUnreachable(client, error);
    }
  }
}

/** The table is not there, or not the one that the broker needs. The message says what to do. */
export class TableError extends Error {
  override readonly name = 'TableError';
}

/**
 * Holds the table that is there against the definition.
 *
 * @throws TableError one message that names everything that is missing or different
 */
export async function checkTable(database: Database): Promise<void> {
  const found = await describe(database);
  const wanted = tableDefinition(database);
  const problems: string[] = [];
  if (keys(found.KeySchema) !== keys(wanted.KeySchema)) {
    problems.push(`its keys are ${keys(found.KeySchema)} instead of ${keys(wanted.KeySchema)}`);
  }
  const indexes = new Map((found.GlobalSecondaryIndexes ?? []).map((index) => [index.IndexName, index]));
  for (const index of wanted.GlobalSecondaryIndexes ?? []) {
    const present = indexes.get(index.IndexName);
    if (present === undefined)
      problems.push(`index ${index.IndexName} (${keys(index.KeySchema)}) is missing`);
    else if (keys(present.KeySchema) !== keys(index.KeySchema)) {
      problems.push(
        `index ${index.IndexName} has the keys ${keys(present.KeySchema)} instead of ${keys(index.KeySchema)}`,
      );
    } else if (present.Projection?.ProjectionType !== 'ALL') {
      problems.push(`index ${index.IndexName} does not project all attributes`);
    }
  }
  if (problems.length > 0)
    throw new TableError(`Table ${database.tableName} cannot be used: ${problems.join('; ')}`);
}

/**
 * Reads one item, which may be missing: so the table is there, and answers. Not a look at its description, which is a
 * call to another part of DynamoDB, limited for the whole account, and may fail while the table is well.
 *
 * @throws whatever the database throws
 */
export async function reachTable(database: Database): Promise<void> {
  await database.client.send(
    new GetItemCommand({
      TableName: database.tableName,
      Key: attributes(ADOPTION_KEY),
      ProjectionExpression: 'PK',
    }),
  );
}

async function describe(database: Database) {
  try {
    const answer = await database.client.send(new DescribeTableCommand({ TableName: database.tableName }));
    return answer.Table ?? {};
  } catch (error) {
    if (error instanceof ResourceNotFoundException) {
      throw new TableError(
        `Table ${database.tableName} does not exist; create it with "npm run broker -- table create" or name another one in DDB_TABLE_NAME`,
        { cause: error },
      );
    }
    throw await asUnreachable(database.client, error);
  }
}

/** What a person must hear who has named a database that is not there; any other error as it is. */
async function asUnreachable(client: DynamoDBClient, error: unknown): Promise<unknown> {
  if (!(error instanceof Error)) return error;
  if (databaseFault(error) !== 'unsettled' && error.name !== 'CredentialsProviderError') return error;
  const endpoint = await client.config.endpoint?.();
  const where =
    endpoint === undefined
      ? `in AWS region ${await client.config.region()} (AWS_REGION; DDB_ENDPOINT_URL names another database)`
      : `at ${endpoint.hostname}${endpoint.port === undefined ? '' : `:${endpoint.port}`} (DDB_ENDPOINT_URL)`;
  // Where a name has several addresses the error of all of them has no message, but a code.
  const reason = error.message || ('code' in error ? String(error.code) : error.name);
  return new TableError(`The database ${where} cannot be reached: ${reason}`, { cause: error });
}

function keys(schema: readonly KeySchemaElement[] | undefined): string {
  return (schema ?? []).map((element) => element.AttributeName).join(' + ');
}
