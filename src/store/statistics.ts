import { GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { SANDBOX_STATUSES, type SandboxStatus } from '../domain/sandbox.ts';
import type { Database } from './database.ts';
import { STATISTICS_KEY } from './keys.ts';
import type { StatusShards } from './status-shards.ts';

export type StatusCounts = Readonly<Record<SandboxStatus, number>>;

/** Counts of the pool by status, and when they were begun to be counted (Unix seconds). */
export interface Statistics {
  readonly counts: StatusCounts;
  readonly asOf: number;
}

/**
 * Counts every status through its index, page by page to the end: exact when no one writes meanwhile. Reads
 * the whole index once, so it is for one process at a time and not for every scrape.
 */
export async function countByStatus(database: Database, shards: StatusShards): Promise<StatusCounts> {
  const counts = await Promise.all(
    SANDBOX_STATUSES.map(async (status) => {
      const ofPartitions = await Promise.all(
        shards.partitions(status).map((partition) => countPartition(database, partition)),
      );
      return [status, ofPartitions.reduce((sum, count) => sum + count, 0)] as const;
    }),
  );
  return Object.fromEntries(counts) as Record<SandboxStatus, number>;
}

/** Rows that one query counts: a page as large as the database gives would keep others waiting on a small engine. */
const PAGE_ROWS = 500;

async function countPartition(database: Database, partition: string): Promise<number> {
  let count = 0;
  let after: Record<string, unknown> | undefined;
  do {
    const answer = await database.documents.send(
      new QueryCommand({
        TableName: database.tableName,
        IndexName: database.statusIndex,
        KeyConditionExpression: '#status = :status',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':status': partition },
        Select: 'COUNT',
        Limit: PAGE_ROWS,
        ExclusiveStartKey: after,
      }),
    );
    count += answer.Count ?? 0;
    after = answer.LastEvaluatedKey;
  } while (after !== undefined);
  return count;
}

/** The counts that were last published, for every process to serve; undefined before the first time. */
export async function readStatistics(database: Database): Promise<Statistics | undefined> {
  const answer = await database.documents.send(
    new GetCommand({ TableName: database.tableName, Key: STATISTICS_KEY, ConsistentRead: true }),
  );
  if (answer.Item === undefined) return undefined;
  const counts = Object.fromEntries(
    SANDBOX_STATUSES.map((status) => [status, Number(answer.Item?.[`count_${status}`] ?? 0)]),
  ) as Record<SandboxStatus, number>;
  return { counts, asOf: Number(answer.Item.as_of) };
}

/** A count that says to be so much later than ours is of a process whose clock is wrong, in seconds. */
export const CLOCK_TOLERANCE = 60;

/** Publishes counts, unless later ones are there already. */
export async function publishStatistics(database: Database, statistics: Statistics): Promise<void> {
  const counts = Object.fromEntries(
    SANDBOX_STATUSES.map((status) => [`count_${status}`, statistics.counts[status]]),
  );
  try {
    await database.documents.send(
      new PutCommand({
        TableName: database.tableName,
        Item: { ...STATISTICS_KEY, ...counts, as_of: statistics.asOf },
        ConditionExpression: 'attribute_not_exists(PK) OR as_of <= :as_of OR as_of > :too_late',
        ExpressionAttributeValues: {
          ':as_of': statistics.asOf,
          ':too_late': statistics.asOf + CLOCK_TOLERANCE,
        },
      }),
    );
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ConditionalCheckFailedException') throw error;
  }
}
