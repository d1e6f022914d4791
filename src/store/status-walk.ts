import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { SandboxStatus } from '../domain/sandbox.ts';
import type { Database } from './database.ts';
import type { PoolReader } from './pool-reader.ts';
import type { StoredSandbox } from './sandbox-row.ts';
import type { StatusShards } from './status-shards.ts';

/** Rows read at a time. */
const PAGE = 500;

/**
 * All rows of a status, page by page, through the index: it may lag, so whoever writes names what it read.
 *
 * @param allocatedBefore only rows allocated before this time (Unix seconds), by key: others are not even read
 */
export async function* walkStatus(
  { database, shards, reader }: { database: Database; shards: StatusShards; reader: PoolReader },
  status: SandboxStatus,
  allocatedBefore?: number,
): AsyncGenerator<StoredSandbox[]> {
  for (const partition of shards.partitions(status)) {
    let after: Record<string, unknown> | undefined;
    do {
      const answer = await database.documents.send(
        new QueryCommand({
          TableName: database.tableName,
          IndexName: database.statusIndex,
          KeyConditionExpression: `#status = :status${allocatedBefore === undefined ? '' : ' AND allocated_at < :before'}`,
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: {
            ':status': partition,
            ...(allocatedBefore === undefined ? {} : { ':before': allocatedBefore }),
          },
          Limit: PAGE,
          ExclusiveStartKey: after,
        }),
      );
      yield (answer.Items ?? []).map((row) => reader.sandbox(row));
      after = answer.LastEvaluatedKey;
    } while (after !== undefined);
  }
}
