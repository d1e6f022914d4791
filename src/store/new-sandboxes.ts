import { type AttributeValue, BatchWriteItemCommand, type WriteRequest } from '@aws-sdk/client-dynamodb';
import type { Database } from './database.ts';
import { attributes, sandboxKey } from './keys.ts';
import type { StatusShards } from './status-shards.ts';

/** A sandbox as the provider lists it. */
export interface NewSandbox {
  readonly sandboxId: string;
  readonly name: string;
  readonly externalId: string;
  readonly sfdcAccountId: string | null;
}

/** The row of a sandbox that has just come into the pool. */
export function availableAttributes(
  shards: StatusShards,
  sandbox: NewSandbox,
  now: number,
): Record<string, AttributeValue> {
  const seconds = { N: String(now) };
  return {
    ...attributes(sandboxKey(sandbox.sandboxId)),
    sandbox_id: { S: sandbox.sandboxId },
    name: { S: sandbox.name },
    external_id: { S: sandbox.externalId },
    status: { S: shards.stored('available', sandbox.sandboxId) },
    allocated_at: { N: '0' },
    deletion_requested_at: { N: '0' },
    deletion_retry_count: { N: '0' },
    last_synced: seconds,
    created_at: seconds,
    updated_at: seconds,
    ...(sandbox.sfdcAccountId === null ? {} : { sfdc_account_id: { S: sandbox.sfdcAccountId } }),
  };
}

/** Most rows that one call writes (DynamoDB, "BatchWriteItem"). */
const BATCH = 25;
/** Calls under way at once. */
const LANES = 4;

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
    let requests: WriteRequest[] = batch.map((sandbox) => ({
      PutRequest: { Item: availableAttributes(shards, sandbox, now) },
    }));
    while (requests.length > 0) {
      const answer = await database.client.send(
        new BatchWriteItemCommand({ RequestItems: { [database.tableName]: requests } }),
      );
      requests = answer.UnprocessedItems?.[database.tableName] ?? [];
    }
  };
  const lane = async () => {
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) await write(batch);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}
