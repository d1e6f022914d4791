import { BatchWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Database } from '../../src/store/database.ts';
import { sandboxKey } from '../../src/store/keys.ts';
import type { NewSandbox } from '../../src/store/new-sandboxes.ts';

export interface PreviousAllocation {
  readonly sandbox: NewSandbox;
  readonly track: string;
  /** The header that came with it; without one the previous broker stored the caller's id. */
  readonly idempotencyKey?: string;
  /** Unix seconds. */
  readonly allocatedAt: number;
  /** Whether optional attributes hold null instead of being absent. */
  readonly nulls?: boolean;
}

/** What the previous broker leaves in the table when it allocates: a row, and no claim. */
export async function allocateAsPreviousBroker(
  database: Database,
  allocations: readonly PreviousAllocation[],
): Promise<void> {
  for (let index = 0; index < allocations.length; index += 25) {
    const requests = allocations.slice(index, index + 25).map((allocation) => ({
      PutRequest: { Item: rowOf(allocation) },
    }));
    await database.documents.send(
      new BatchWriteCommand({ RequestItems: { [database.tableName]: requests } }),
    );
  }
}

function rowOf({ sandbox, track, idempotencyKey, allocatedAt, nulls = false }: PreviousAllocation) {
  return {
    ...sandboxKey(sandbox.sandboxId),
    sandbox_id: sandbox.sandboxId,
    name: sandbox.name,
    external_id: sandbox.externalId,
    status: 'allocated',
    allocated_to_track: track,
    allocated_at: allocatedAt,
    idempotency_key: idempotencyKey ?? track,
    lab_duration_hours: 4,
    deletion_retry_count: 0,
    created_at: allocatedAt - 1_000,
    updated_at: allocatedAt,
    ...(nulls
      ? { deletion_requested_at: null, last_synced: null, track_name: null, sfdc_account_id: null }
      : { deletion_requested_at: 0, last_synced: allocatedAt - 100 }),
  };
}

/** What the previous broker does when a lab ends: the row moves, and no claim with it. */
export async function releaseAsPreviousBroker(
  database: Database,
  sandboxId: string,
  now: number,
): Promise<void> {
  await database.documents.send(
    new UpdateCommand({
      TableName: database.tableName,
      Key: sandboxKey(sandboxId),
      UpdateExpression: 'SET #status = :pending, deletion_requested_at = :now, updated_at = :now',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':pending': 'pending_deletion', ':now': now },
    }),
  );
}

/** A caller of the previous broker: what it sends, and the sandbox that it was given last. */
export interface PreviousCaller {
  readonly track: string;
  readonly headers: Record<string, string>;
  readonly held: string[];
}

/**
 * Rows as the previous broker left them: most callers with one, every seventh with an idempotency key, every
 * tenth with three, because it gave simultaneous retries a sandbox each.
 */
export async function fillAsPreviousBroker(
  database: Database,
  rows: readonly NewSandbox[],
): Promise<PreviousCaller[]> {
  // Not so long ago that expiry would take them.
  const allocatedAt = Math.floor(Date.now() / 1000) - 600;
  const allocations: PreviousAllocation[] = [];
  const callers: PreviousCaller[] = [];
  let next = 0;
  for (let caller = 0; next < rows.length; caller += 1) {
    const track = `previous-${caller}`;
    const idempotencyKey = caller % 7 === 0 ? `key-${caller}` : undefined;
    const given = rows.slice(next, next + (caller % 10 === 0 ? 3 : 1));
    next += given.length;
    for (const [index, sandbox] of given.entries()) {
      allocations.push({
        sandbox,
        track,
        ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
        allocatedAt: allocatedAt + index,
        nulls: (next + index) % 2 === 0,
      });
    }
    callers.push({
      track,
      headers: idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey },
      held: given.map(({ sandboxId }) => sandboxId),
    });
  }
  await allocateAsPreviousBroker(database, allocations);
  return callers;
}
