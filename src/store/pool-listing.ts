import {
  QueryCommand,
  type QueryCommandOutput,
  ScanCommand,
  type ScanCommandOutput,
} from '@aws-sdk/lib-dynamodb';
import type { SandboxStatus } from '../domain/sandbox.ts';
import type { Database } from './database.ts';
import { type Key, META, SANDBOX_PREFIX, sandboxKey } from './keys.ts';
import type { PoolReader } from './pool-reader.ts';
import type { StoredSandbox } from './sandbox-row.ts';
import { isSandboxRow } from './sandbox-row.ts';
import { isStatus, plainStatus, type StatusShards } from './status-shards.ts';

export interface ListingFilter {
  readonly status?: SandboxStatus | undefined;
  /** The caller that holds or held it. */
  readonly track?: string | undefined;
  /** The lab. */
  readonly lab?: string | undefined;
  readonly namePrefix?: string | undefined;
}

/**
 * Where a listing stands: after which row, in which partition of the status index. The rest of an index key
 * comes from the filter, so a position cannot lead into another index, partition or table.
 */
export interface ListingPosition {
  readonly partition: number;
  readonly after?: (Key & { readonly allocatedAt?: number | undefined }) | undefined;
}

export interface ListingPage {
  readonly sandboxes: StoredSandbox[];
  /** Ids of rows that cannot be shown: their status is none that this version knows. */
  readonly unreadable: string[];
  /** Undefined at the end. */
  readonly next: ListingPosition | undefined;
}

/**
 * Calls to the database for one page at the most. A page whose filter matches little comes back short, with a
 * position to go on from, rather than late.
 */
const MAX_READS = 20;
/** Rows that one read evaluates at most when a filter drops some of them. */
const READ_ROWS = 500;
/** Rows that a read without such a filter evaluates at least. */
const READ_ROWS_LEAST = 100;

/** Lists sandboxes in pages: through an index where the filter names its key, else through the table. */
export class PoolListing {
  readonly #database: Database;
  readonly #shards: StatusShards;
  readonly #reader: PoolReader;

  constructor(database: Database, shards: StatusShards, reader: PoolReader) {
    this.#database = database;
    this.#shards = shards;
    this.#reader = reader;
  }

  /** How many partitions a listing with this filter walks: positions beyond are none of its own. */
  partitionCount(filter: ListingFilter): number {
    return this.#statusPartitions(filter)?.length ?? 1;
  }

  /** @param limit rows at most, 1 or more */
  async page(filter: ListingFilter, from: ListingPosition, limit: number): Promise<ListingPage> {
    const sandboxes: StoredSandbox[] = [];
    const unreadable: string[] = [];
    let position: ListingPosition | undefined = from;
    for (let reads = 0; reads < MAX_READS && position !== undefined; reads += 1) {
      const answer: QueryCommandOutput | ScanCommandOutput = await this.#read(filter, position, limit);
      for (const row of answer.Items ?? []) {
        if (!isSandboxRow(row)) continue;
        if (!isStatus(plainStatus(String(row.status)))) {
          unreadable.push(String(row.PK).slice(SANDBOX_PREFIX.length));
          continue;
        }
        const sandbox = this.#reader.sandbox(row);
        sandboxes.push(sandbox);
        if (sandboxes.length === limit) {
          const after = { ...sandboxKey(sandbox.sandboxId), allocatedAt: sandbox.allocatedAt };
          return { sandboxes, unreadable, next: { partition: position.partition, after } };
        }
      }
      position = this.#following(filter, position, answer.LastEvaluatedKey);
    }
    return { sandboxes, unreadable, next: position };
  }

  #following(
    filter: ListingFilter,
    position: ListingPosition,
    lastKey: Record<string, unknown> | undefined,
  ): ListingPosition | undefined {
    if (lastKey !== undefined) {
      const { PK, SK, allocated_at: allocatedAt } = lastKey as unknown as Key & { allocated_at?: number };
      return { partition: position.partition, after: { PK, SK, allocatedAt } };
    }
    const partition = position.partition + 1;
    return partition < this.partitionCount(filter) ? { partition } : undefined;
  }

  #read(filter: ListingFilter, position: ListingPosition, limit: number) {
    const { conditions, names, values } = conditionsOf(filter, this.#statusPartitions(filter) !== undefined);
    const common = {
      TableName: this.#database.tableName,
      Limit: conditions.length === 0 ? limit : READ_ROWS,
      ...(conditions.length === 0 ? {} : { FilterExpression: conditions.join(' AND ') }),
    };
    const start = position.after && { PK: position.after.PK, SK: position.after.SK };
    const statusPartition = this.#statusPartitions(filter)?.[position.partition];
    if (filter.track !== undefined) {
      return this.#database.documents.send(
        new QueryCommand({
          ...common,
          IndexName: this.#database.trackIndex,
          KeyConditionExpression: 'allocated_to_track = :track',
          ExclusiveStartKey: start && {
            ...start,
            allocated_to_track: filter.track,
            allocated_at: position.after?.allocatedAt,
          },
          ...named(names, { ...values, ':track': filter.track }),
        }),
      );
    }
    if (statusPartition !== undefined) {
      return this.#database.documents.send(
        new QueryCommand({
          ...common,
          IndexName: this.#database.statusIndex,
          KeyConditionExpression: '#status = :status',
          ExclusiveStartKey: start && {
            ...start,
            status: statusPartition,
            allocated_at: position.after?.allocatedAt,
          },
          ...named({ ...names, '#status': 'status' }, { ...values, ':status': statusPartition }),
        }),
      );
    }
    return this.#database.documents.send(
      new ScanCommand({
        ...common,
        // The table holds claims, events and tombstones beside the sandboxes. Hardly more than are asked for, though:
        // what a page does not show is read again for the next one.
        Limit: conditions.length === 0 ? Math.max(READ_ROWS_LEAST, 2 * limit) : READ_ROWS,
        FilterExpression: ['SK = :meta', 'begins_with(PK, :sandboxes)', ...conditions].join(' AND '),
        ExclusiveStartKey: start,
        ...named(names, { ...values, ':meta': META, ':sandboxes': SANDBOX_PREFIX }),
      }),
    );
  }

  /** Undefined when the listing does not go through the status index. */
  #statusPartitions(filter: ListingFilter): string[] | undefined {
    if (filter.track !== undefined || filter.status === undefined) return undefined;
    return this.#shards.partitions(filter.status);
  }
}

function conditionsOf(filter: ListingFilter, statusIsKey: boolean) {
  const conditions: string[] = [];
  const names: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  if (filter.status !== undefined && !statusIsKey) {
    conditions.push('(#status = :status OR begins_with(#status, :sharded))');
    names['#status'] = 'status';
    values[':status'] = filter.status;
    values[':sharded'] = `${filter.status}#`;
  }
  if (filter.lab !== undefined) {
    conditions.push('track_name = :lab');
    values[':lab'] = filter.lab;
  }
  if (filter.namePrefix !== undefined) {
    conditions.push('begins_with(#name, :prefix)');
    names['#name'] = 'name';
    values[':prefix'] = filter.namePrefix;
  }
  return { conditions, names, values };
}

function named(names: Record<string, string>, values: Record<string, unknown>) {
  return {
    ...(Object.keys(names).length === 0 ? {} : { ExpressionAttributeNames: names }),
    ExpressionAttributeValues: values,
  };
}
