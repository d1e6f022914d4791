import type { TransactWriteItem, Update } from '@aws-sdk/client-dynamodb';
import type { Database } from './database.ts';
import { moveWrite } from './move-writes.ts';
import type { StoredSandbox } from './sandbox-row.ts';
import type { StatusShards } from './status-shards.ts';

/** Longer reasons are cut. */
const REASON_MAX_LENGTH = 500;

/**
 * A deletion did not succeed: how often by now, why, and when to try again.
 *
 * The count is written over the one that was read, and only if no other run has tried since, which sets
 * `next_attempt_at`: a run that wakes late neither takes attempts back nor gives up a row that an operator has
 * given new ones.
 */
export function failedDeletionWrite(
  database: Database,
  shards: StatusShards,
  row: StoredSandbox,
  now: number,
  failure: {
    readonly attempts: number;
    readonly nextAttemptAt: number;
    readonly reason: string;
    readonly final: boolean;
  },
): TransactWriteItem {
  const to = failure.final ? 'deletion_failed' : 'pending_deletion';
  const update = moveWrite(database, shards, row, to, now, {
    deletion_retry_count: { N: String(failure.attempts) },
    next_attempt_at: { N: String(failure.nextAttemptAt) },
    deletion_error: { S: failure.reason.slice(0, REASON_MAX_LENGTH) },
  }).Update as Update;
  // Rows that were never tried do not have it.
  const untried = row.nextAttemptAt === 0 ? 'attribute_not_exists(next_attempt_at) OR ' : '';
  return {
    Update: {
      ...update,
      ConditionExpression: `${update.ConditionExpression} AND (${untried}next_attempt_at = :turn)`,
      ExpressionAttributeValues: {
        ...update.ExpressionAttributeValues,
        ':turn': { N: String(row.nextAttemptAt) },
      },
    },
  };
}
