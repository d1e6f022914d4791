import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Database } from './database.ts';
import type { ItemReader } from './item-reader.ts';
import { sandboxKey } from './keys.ts';
import { isSandboxRow, type Row, type StoredSandbox, toSandbox } from './sandbox-row.ts';
import { plainStatus } from './status-shards.ts';

/** Reads single sandboxes and those of one caller. */
export class PoolReader {
  readonly #database: Database;
  readonly #items: Pick<ItemReader, 'get'>;
  readonly #defaultLabDurationHours: number;

  constructor(database: Database, items: Pick<ItemReader, 'get'>, defaultLabDurationHours: number) {
    this.#database = database;
    this.#items = items;
    this.#defaultLabDurationHours = defaultLabDurationHours;
  }

  /** The row as it stands now (a consistent read), or undefined when there is none. */
  async get(sandboxId: string): Promise<StoredSandbox | undefined> {
    const item = await this.#items.get(sandboxKey(sandboxId));
    return item === undefined ? undefined : this.sandbox(unmarshall(item));
  }

  sandbox(row: Row): StoredSandbox {
    return toSandbox(row, this.#defaultLabDurationHours);
  }

  /** What the index knows to be allocated to a caller, the latest first. It may lag: read a row again before relying on it. */
  async allocatedTo(track: string): Promise<StoredSandbox[]> {
    const found: StoredSandbox[] = [];
    let after: Record<string, unknown> | undefined;
    do {
      const answer = await this.#database.documents.send(
        new QueryCommand({
          TableName: this.#database.tableName,
          IndexName: this.#database.trackIndex,
          KeyConditionExpression: 'allocated_to_track = :track',
          ExpressionAttributeValues: { ':track': track },
          ScanIndexForward: false,
          ExclusiveStartKey: after,
        }),
      );
      for (const row of answer.Items ?? []) {
        if (isSandboxRow(row) && plainStatus(String(row.status)) === 'allocated')
          found.push(this.sandbox(row));
      }
      after = answer.LastEvaluatedKey;
    } while (after !== undefined);
    return found;
  }
}
