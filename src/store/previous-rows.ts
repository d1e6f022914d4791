import type { AttributeValue, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { type ClaimKey, storedIdempotencyKey } from '../domain/identifiers.ts';
import { type Claim, claimAttributes } from './claim-row.ts';
import type { Database } from './database.ts';
import { attributes, claimKey, sandboxKey } from './keys.ts';
import type { StoredSandbox } from './sandbox-row.ts';

/** The row is allocated as it was when it was read. */
const STILL_ALLOCATED = '#status = :seen AND allocated_to_track = :track AND allocated_at = :allocated_at';

function seen(row: StoredSandbox): Record<string, AttributeValue> {
  return {
    ':seen': { S: row.storedStatus },
    ':track': { S: row.allocatedToTrack ?? '' },
    ':allocated_at': { N: String(row.allocatedAt) },
  };
}

export function claimOfRow(row: StoredSandbox): Claim {
  return {
    sandboxId: row.sandboxId,
    name: row.name,
    externalId: row.externalId,
    allocatedAt: row.allocatedAt,
    labDurationHours: row.labDurationHours,
    sfdcAccountId: row.sfdcAccountId,
  };
}

/** The claim of an allocation that has none, if the row is still allocated as read. */
export function adoptionWrites(database: Database, row: StoredSandbox, key: ClaimKey): TransactWriteItem[] {
  return [
    {
      Put: {
        TableName: database.tableName,
        Item: { ...attributes(claimKey(key)), ...claimAttributes(claimOfRow(row)) },
        ConditionExpression: 'attribute_not_exists(PK)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
    {
      ConditionCheck: {
        TableName: database.tableName,
        Key: attributes(sandboxKey(row.sandboxId)),
        ConditionExpression: `${STILL_ALLOCATED} AND attribute_not_exists(superseded)`,
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: seen(row),
      },
    },
  ];
}

/** The row's key holds another sandbox: this row has no claim and never gets one. Expiry ends it in time. */
export function supersededWrites(database: Database, row: StoredSandbox, key: ClaimKey): TransactWriteItem[] {
  return [
    {
      Update: {
        TableName: database.tableName,
        Key: attributes(sandboxKey(row.sandboxId)),
        UpdateExpression: 'SET superseded = :true',
        ConditionExpression: STILL_ALLOCATED,
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ...seen(row), ':true': { BOOL: true } },
      },
    },
    {
      ConditionCheck: {
        TableName: database.tableName,
        Key: attributes(claimKey(key)),
        ConditionExpression: 'attribute_exists(PK) AND sandbox_id <> :sandbox_id',
        ExpressionAttributeValues: { ':sandbox_id': { S: row.sandboxId } },
      },
    },
  ];
}

/** The claim goes, if its row is gone or is not allocated under the claim's key. */
export function danglingClaimWrites(database: Database, key: ClaimKey, claim: Claim): TransactWriteItem[] {
  // A row without an idempotency key is its caller's own, as one is that repeats the caller's id.
  const ofAnotherKey =
    key.idempotencyKey === ''
      ? '(attribute_exists(idempotency_key) AND idempotency_key <> :key)'
      : 'idempotency_key <> :key';
  return [
    {
      Delete: {
        TableName: database.tableName,
        Key: attributes(claimKey(key)),
        ConditionExpression: 'sandbox_id = :sandbox_id',
        ExpressionAttributeValues: { ':sandbox_id': { S: claim.sandboxId } },
      },
    },
    {
      ConditionCheck: {
        TableName: database.tableName,
        Key: attributes(sandboxKey(claim.sandboxId)),
        ConditionExpression: `attribute_not_exists(PK) OR NOT begins_with(#status, :allocated) OR allocated_to_track <> :track OR ${ofAnotherKey}`,
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: {
          ':allocated': { S: 'allocated' },
          ':track': { S: key.track },
          ':key': { S: storedIdempotencyKey(key) },
        },
      },
    },
  ];
}
