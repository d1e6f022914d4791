import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { Database } from './database.ts';
import { moveWrite } from './move-writes.ts';
import type { StoredSandbox } from './sandbox-row.ts';
import type { StatusShards } from './status-shards.ts';

/** Longer reasons are cut. */
const REASON_MAX_LENGTH = 500;

/**
 * A deletion did not succeed: how often by now, why, and when to try again. The count is written over the one that
 * was read, so a run that was overtaken counts nothing twice.
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
  return moveWrite(database, shards, row, failure.final ? 'deletion_failed' : 'pending_deletion', now, {
    deletion_retry_count: { N: String(failure.attempts) },
    next_attempt_at: { N: String(failure.nextAttemptAt) },
    deletion_error: { S: failure.reason.slice(0, REASON_MAX_LENGTH) },
  });
}
