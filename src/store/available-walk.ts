import { type AttributeValue, QueryCommand } from '@aws-sdk/client-dynamodb';
import type { Candidate } from './allocation-writes.ts';
import type { Database } from './database.ts';
import type { StatusShards } from './status-shards.ts';

/** Where a walk over the available rows stands: a partition of the index and the last row read in it. */
interface Position {
  partition: number;
  after: Record<string, AttributeValue> | undefined;
}

/** One page of a walk. */
export interface WalkPage {
  readonly candidates: Candidate[];
  /** True when the page ended a full round: every row has been read since the walk began. */
  readonly complete: boolean;
}

/**
 * Walks the available rows of the status index, round and round, a page at a time. Where one walk stops the
 * next goes on, so that a long pool is read evenly and a refill does not meet the rows it has just used.
 */
export class AvailableWalk {
  readonly #database: Database;
  readonly #partitions: readonly string[];
  readonly #namePrefix: string | undefined;
  #position: Position;

  /** @param firstPartition where to begin, so that processes begin in different places */
  constructor(
    database: Database,
    shards: StatusShards,
    namePrefix: string | undefined,
    firstPartition: number,
  ) {
    this.#database = database;
    this.#partitions = shards.partitions('available');
    this.#namePrefix = namePrefix;
    this.#position = { partition: firstPartition % this.#partitions.length, after: undefined };
  }

  /**
   * Pages of one round, beginning where the last round was left.
   *
   * @param pageSize rows that the next page shall have, asked before each. With a name prefix pages are read whole (1 MB): the prefix is
   * no key, so most rows of a page may be others'.
   */
  async *round(pageSize: () => number): AsyncGenerator<WalkPage> {
    const begin = { ...this.#position };
    // A round that begins in the middle of a partition comes back to it at the end, from its beginning.
    let left = this.#partitions.length + (begin.after === undefined ? 0 : 1);
    while (left > 0) {
      const answer = await this.#query(pageSize());
      this.#position.after = answer.LastEvaluatedKey;
      if (answer.LastEvaluatedKey === undefined) {
        left -= 1;
        this.#position.partition = (this.#position.partition + 1) % this.#partitions.length;
      }
      yield { candidates: (answer.Items ?? []).map(toCandidate), complete: left === 0 };
    }
  }

  #query(pageSize: number) {
    const prefix = this.#namePrefix;
    return this.#database.client.send(
      new QueryCommand({
        TableName: this.#database.tableName,
        IndexName: this.#database.statusIndex,
        KeyConditionExpression: '#status = :status AND allocated_at = :never',
        ExpressionAttributeNames: { '#status': 'status', '#name': 'name' },
        ExpressionAttributeValues: {
          ':status': { S: this.#partitions[this.#position.partition] as string },
          ':never': { N: '0' },
          ...(prefix === undefined ? {} : { ':prefix': { S: prefix } }),
        },
        ...(prefix === undefined ? { Limit: pageSize } : { FilterExpression: 'begins_with(#name, :prefix)' }),
        ProjectionExpression: 'sandbox_id, #name, external_id, sfdc_account_id, #status',
        ExclusiveStartKey: this.#position.after,
      }),
    );
  }
}

/** A candidate from a row, as an index or the `ALL_OLD` of a failed condition shows it. */
export function toCandidate(item: Record<string, AttributeValue>): Candidate {
  const sandboxId = item.sandbox_id?.S ?? '';
  return {
    sandboxId,
    name: item.name?.S ?? sandboxId,
    externalId: item.external_id?.S ?? sandboxId,
    sfdcAccountId: item.sfdc_account_id?.S ?? null,
    storedStatus: item.status?.S ?? '',
  };
}
