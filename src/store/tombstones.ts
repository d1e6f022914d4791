import { type AttributeValue, PutItemCommand, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { Database } from './database.ts';
import { attributes, externalTombstoneKey, type Key, tombstoneKey } from './keys.ts';
import type { StoredSandbox } from './sandbox-row.ts';
import { TIME_TO_LIVE_ATTRIBUTE } from './table.ts';

/**
 * How long a tombstone keeps a used sandbox from coming back after it was last seen in a listing, in seconds:
 * 90 days, where minutes are usual.
 */
const TOMBSTONE_SECONDS = 90 * 86_400;

/** What a sandbox goes by: our id, and the provider's. */
export interface TwoIds {
  readonly sandboxId: string;
  readonly externalId: string;
}

/** Keeps a removed sandbox from ever coming back (I6), under either of its ids. */
export function tombstoneWrites(database: Database, row: StoredSandbox, now: number): TransactWriteItem[] {
  return keysOf(row).map((key) => ({
    Put: {
      TableName: database.tableName,
      Item: {
        ...attributes(key),
        sandbox_id: { S: row.sandboxId },
        name: { S: row.name },
        external_id: { S: row.externalId },
        removed_at: { N: String(now) },
        [TIME_TO_LIVE_ATTRIBUTE]: { N: String(now + TOMBSTONE_SECONDS) },
      },
    },
  }));
}

/** Make sure that a sandbox was neither deleted nor removed. The tombstone comes with the refusal. */
export function noTombstoneChecks(database: Database, sandbox: TwoIds): TransactWriteItem[] {
  return keysOf(sandbox).map((key) => ({
    ConditionCheck: {
      TableName: database.tableName,
      Key: attributes(key),
      ConditionExpression: 'attribute_not_exists(PK)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  }));
}

function keysOf({ sandboxId, externalId }: TwoIds): readonly Key[] {
  return [tombstoneKey(sandboxId), externalTombstoneKey(externalId)];
}

/**
 * Keeps a tombstone whose account is still listed from running out: the account would come back as a new one.
 * Written when less than half of its time is left, so that not every sync writes it.
 *
 * It is put and not updated: should the database have dropped it since it was read, it is there again.
 *
 * @param tombstone as it was read
 * @param now Unix seconds
 */
export async function keepTombstone(
  database: Database,
  tombstone: Record<string, AttributeValue>,
  now: number,
): Promise<void> {
  const left = Number(tombstone[TIME_TO_LIVE_ATTRIBUTE]?.N ?? 0) - now;
  if (left >= TOMBSTONE_SECONDS / 2) return;
  await database.client.send(
    new PutItemCommand({
      TableName: database.tableName,
      Item: { ...tombstone, [TIME_TO_LIVE_ATTRIBUTE]: { N: String(now + TOMBSTONE_SECONDS) } },
    }),
  );
}
