import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { type Clock, type Random, unixSeconds } from '../domain/clock.ts';
import { type Author, eventWrite, newcomer } from './audit.ts';
import type { Database } from './database.ts';
import { attributes, sandboxKey } from './keys.ts';
import { availableAttributes, type NewSandbox } from './new-sandboxes.ts';
import type { StoredSandbox } from './sandbox-row.ts';
import type { StatusShards } from './status-shards.ts';
import { noTombstoneChecks } from './tombstones.ts';

/** Writes of one addition. */
export const ADDITION_WRITES = 4;
/** The first of them that is a check for a tombstone; the others follow it to the end. */
export const FIRST_TOMBSTONE_CHECK = 2;

export interface AdditionParts {
  readonly database: Database;
  readonly shards: StatusShards;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * A sandbox comes into the pool if it is not there, and never was: a tombstone says that it was used or removed. An
 * event tells of it.
 */
export function additionWrites(
  { database, shards, clock, random }: AdditionParts,
  sandbox: NewSandbox,
  author: Author,
): TransactWriteItem[] {
  return [
    {
      Put: {
        TableName: database.tableName,
        Item: availableAttributes(shards, sandbox, unixSeconds(clock)),
        ConditionExpression: 'attribute_not_exists(PK)',
      },
    },
    eventWrite(database, newcomer(sandbox.sandboxId), 'add', 'available', author, clock, random),
    ...noTombstoneChecks(database, sandbox),
  ];
}

/** What the provider calls a sandbox changes in its row only while nobody holds it. */
export function renameWrite(
  database: Database,
  row: StoredSandbox,
  sandbox: NewSandbox,
  now: number,
): TransactWriteItem {
  // A listing that leaves it out does not take it back.
  const sfdcAccountId = sandbox.sfdcAccountId ?? row.sfdcAccountId;
  return {
    Update: {
      TableName: database.tableName,
      Key: attributes(sandboxKey(row.sandboxId)),
      UpdateExpression:
        'SET #name = :name, external_id = :external_id, sfdc_account_id = :sfdc, last_synced = :now, updated_at = :now',
      ConditionExpression: '#status = :seen',
      ExpressionAttributeNames: { '#status': 'status', '#name': 'name' },
      ExpressionAttributeValues: {
        ':seen': { S: row.storedStatus },
        ':name': { S: sandbox.name },
        ':external_id': { S: sandbox.externalId },
        ':sfdc': sfdcAccountId === null ? { NULL: true } : { S: sfdcAccountId },
        ':now': { N: String(now) },
      },
    },
  };
}
