import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { Database } from './database.ts';
import { sandboxKey } from './keys.ts';
import type { StatusShards } from './status-shards.ts';

/** A sandbox as the provider lists it. */
export interface NewSandbox {
  readonly sandboxId: string;
  readonly name: string;
  readonly externalId: string;
  readonly sfdcAccountId: string | null;
}

/** The row of a sandbox that has just come into the pool. */
export function availableRow(
  shards: StatusShards,
  sandbox: NewSandbox,
  now: number,
): Record<string, unknown> {
  return {
    ...sandboxKey(sandbox.sandboxId),
    sandbox_id: sandbox.sandboxId,
    name: sandbox.name,
    external_id: sandbox.externalId,
    status: shards.stored('available', sandbox.sandboxId),
    allocated_at: 0,
    deletion_requested_at: 0,
    deletion_retry_count: 0,
    last_synced: now,
    created_at: now,
    updated_at: now,
    ...(sandbox.sfdcAccountId === null ? {} : { sfdc_account_id: sandbox.sfdcAccountId }),
  };
}

/** Most rows that one call writes (DynamoDB, "BatchWriteItem"). */
const BATCH = 25;

/**
 * Writes rows without looking whether they are there: for a table of one's own that is being filled, never for
 * one that is in use.
 */
export async function fillPool(
  database: Database,
  shards: StatusShards,
  sandboxes: readonly NewSandbox[],
  now: number,
): Promise<void> {
  const batches: NewSandbox[][] = [];
  for (let index = 0; index < sandboxes.length; index += BATCH)
    batches.push(sandboxes.slice(index, index + BATCH));
  const write = async (batch: NewSandbox[]) => {
    let requests = batch.map((sandbox) => ({ PutRequest: { Item: availableRow(shards, sandbox, now) } }));
    while (requests.length > 0) {
      const answer = await database.documents.send(
        new BatchWriteCommand({ RequestItems: { [database.tableName]: requests } }),
      );
      requests = (answer.UnprocessedItems?.[database.tableName] ?? []) as typeof requests;
    }
  };
  const lane = async () => {
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) await write(batch);
  };
  await Promise.all(Array.from({ length: 4 }, lane));
}
