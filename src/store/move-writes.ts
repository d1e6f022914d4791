import type { AttributeValue, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { type ClaimKey, claimKeyOf, IDENTIFIER_PATTERN } from '../domain/identifiers.ts';
import type { SandboxStatus } from '../domain/sandbox.ts';
import type { Database } from './database.ts';
import { attributes, claimKey, sandboxKey } from './keys.ts';
import type { StoredSandbox } from './sandbox-row.ts';
import type { StatusShards } from './status-shards.ts';

/**
 * A row is moved only as it was read: in the same state, of the same allocation. `updated_at` is not looked
 * at: in rows of the previous broker it need not be a number.
 */
const AS_READ = '#status = :seen AND allocated_at = :allocated_at';

export type Values = Record<string, AttributeValue>;

function asRead(row: StoredSandbox): Values {
  return { ':seen': { S: row.storedStatus }, ':allocated_at': { N: String(row.allocatedAt) } };
}

/**
 * Takes a row to another state, if it is as it was read.
 *
 * @param changes attributes set besides the state
 * @param removes attributes that the new state does not have
 */
export function moveWrite(
  database: Database,
  shards: StatusShards,
  row: StoredSandbox,
  to: SandboxStatus,
  now: number,
  changes: Values = {},
  removes: readonly string[] = [],
): TransactWriteItem {
  const names: Record<string, string> = { '#status': 'status' };
  const values: Values = {};
  const sets = ['#status = :to', 'updated_at = :now'];
  for (const [name, value] of Object.entries(changes)) {
    names[`#${name}`] = name;
    values[`:set_${name}`] = value;
    sets.push(`#${name} = :set_${name}`);
  }
  for (const name of removes) names[`#${name}`] = name;
  const remove = removes.length === 0 ? '' : ` REMOVE ${removes.map((name) => `#${name}`).join(', ')}`;
  return {
    Update: {
      TableName: database.tableName,
      Key: attributes(sandboxKey(row.sandboxId)),
      UpdateExpression: `SET ${sets.join(', ')}${remove}`,
      ConditionExpression: AS_READ,
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: {
        ...asRead(row),
        ...values,
        ':to': { S: shards.stored(to, row.sandboxId) },
        ':now': { N: String(now) },
      },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  };
}

/** Removes a row, if it is as it was read; a stale one, if it is stale since then and has not come back meanwhile. */
export function removeWrite(database: Database, row: StoredSandbox): TransactWriteItem {
  const isDated = row.status === 'stale' && row.staleSince > 0;
  return {
    Delete: {
      TableName: database.tableName,
      Key: attributes(sandboxKey(row.sandboxId)),
      ConditionExpression: isDated ? `${AS_READ} AND stale_since = :stale_since` : AS_READ,
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: {
        ...asRead(row),
        ...(isDated ? { ':stale_since': { N: String(row.staleSince) } } : {}),
      },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  };
}

/**
 * The claim key of a row; undefined for one that has no claim. The previous broker took ids of any form; those
 * that no caller can send any more need no claim.
 */
export function claimKeyOfRow(row: StoredSandbox): ClaimKey | undefined {
  if (row.allocatedToTrack === null || row.superseded) return undefined;
  if (![row.allocatedToTrack, row.idempotencyKey ?? '-'].every((id) => IDENTIFIER_PATTERN.test(id)))
    return undefined;
  return claimKeyOf(row.allocatedToTrack, row.idempotencyKey ?? undefined);
}

/** Ends a claim together with its allocation. Whose it is is looked at: the key may hold another sandbox by now. */
export function claimEndWrite(database: Database, key: ClaimKey, sandboxId: string): TransactWriteItem {
  return {
    Delete: {
      TableName: database.tableName,
      Key: attributes(claimKey(key)),
      ConditionExpression: 'sandbox_id = :sandbox_id',
      ExpressionAttributeValues: { ':sandbox_id': { S: sandboxId } },
    },
  };
}

/** Makes sure that there is no claim to end. */
export function noClaimCheck(database: Database, key: ClaimKey, sandboxId: string): TransactWriteItem {
  return {
    ConditionCheck: {
      TableName: database.tableName,
      Key: attributes(claimKey(key)),
      ConditionExpression: 'attribute_not_exists(PK) OR sandbox_id <> :sandbox_id',
      ExpressionAttributeValues: { ':sandbox_id': { S: sandboxId } },
    },
  };
}
