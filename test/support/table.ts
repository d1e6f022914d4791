import { randomUUID } from 'node:crypto';
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { inject, onTestFinished } from 'vitest';
import { type Config, readConfig } from '../../src/config.ts';
import { type Overrides, openTable, type TableAccess } from '../../src/container/table-access.ts';
import { unixSeconds } from '../../src/domain/clock.ts';
import { sampleSandboxes } from '../../src/local/sample-sandboxes.ts';
import { markAdopted } from '../../src/store/adoption.ts';
import { fillPool, type NewSandbox } from '../../src/store/new-sandboxes.ts';
import { createTable } from '../../src/store/table.ts';

export const TRACK_TOKEN = 'track-token-of-the-tests';
export const ADMIN_TOKEN = 'admin-token-of-the-tests';

export type Environment = Record<string, string>;

export interface TestTable extends TableAccess {
  /** What a broker needs to serve this table. */
  readonly environment: Environment;
  readonly config: Config;
  /** Adds available sandboxes, numbered from `first`. */
  seed(count: number, first?: number): Promise<NewSandbox[]>;
  /** Every item of the table as the engine holds it, read past the broker. */
  items(): Promise<Record<string, unknown>[]>;
  drop(): Promise<void>;
}

export interface TestTableOptions {
  readonly environment?: Environment;
  readonly overrides?: Overrides;
  /** Another engine than the one of the run. */
  readonly endpoint?: string;
  /** Whether nothing is left of a previous broker; true by default. */
  readonly adopted?: boolean;
}

/**
 * Nearly all tests are of what happens and not of how fast: on a machine that does ten things at once a request may
 * take long, and is answered all the same. A test of a time-out sets its own.
 */
export const UNHURRIED: Environment = {
  REQUEST_DEADLINE_MS: '60000',
  DDB_TIMEOUT_CONNECT_MS: '30000',
  DDB_TIMEOUT_REQUEST_MS: '30000',
};

/** A table that was made by somebody else, such as Terraform: used instead of new ones, one test after the other. */
const GIVEN_TABLE = process.env.TEST_TABLE_NAME ?? '';

/** A table of one's own on the engine of the run. Who makes it drops it. */
export async function makeTable(options: TestTableOptions = {}): Promise<TestTable> {
  const environment: Environment = {
    BROKER_API_TOKEN: TRACK_TOKEN,
    BROKER_ADMIN_TOKEN: ADMIN_TOKEN,
    DDB_ENDPOINT_URL: options.endpoint ?? inject('engineUrl'),
    DDB_TABLE_NAME: GIVEN_TABLE || `Test-${randomUUID()}`,
    ...(process.env.AWS_REGION === undefined ? {} : { AWS_REGION: process.env.AWS_REGION }),
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'info',
    RATE_LIMIT_PER_CALLER: '1000000',
    RATE_LIMIT_PER_CREDENTIAL: '100000000',
    BACKOFF_BASE_MS: '5',
    BACKOFF_MAX_MS: '200',
    ...UNHURRIED,
    ...options.environment,
  };
  const config = readConfig(environment);
  const table = openTable(config, options.overrides);
  const { database, shards, clock } = table;
  if (GIVEN_TABLE === '') await createTable(database);
  if (options.adopted ?? true) await markAdopted(database, clock);
  const items = async () => {
    const all: Record<string, unknown>[] = [];
    let after: Record<string, unknown> | undefined;
    do {
      const page = await database.documents.send(
        new ScanCommand({ TableName: database.tableName, ConsistentRead: true, ExclusiveStartKey: after }),
      );
      all.push(...(page.Items ?? []));
      after = page.LastEvaluatedKey;
    } while (after !== undefined);
    return all;
  };
  return {
    ...table,
    environment,
    config,
    seed: async (count, first = 0) => {
      const sandboxes = sampleSandboxes(count, first);
      await fillPool(database, shards, sandboxes, unixSeconds(clock));
      return sandboxes;
    },
    items,
    drop: async () => {
      if (GIVEN_TABLE === '') {
        await database.client.send(new DeleteTableCommand({ TableName: database.tableName }));
      } else {
        for (const { PK, SK } of await items()) {
          await database.documents.send(
            new DeleteCommand({ TableName: database.tableName, Key: { PK, SK } }),
          );
        }
      }
      database.close();
    },
  };
}

/** `makeTable` for one test, at whose end it is dropped. */
export async function tableOfTest(options: TestTableOptions = {}): Promise<TestTable> {
  const table = await makeTable(options);
  onTestFinished(() => table.drop());
  return table;
}
