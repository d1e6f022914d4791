import type { AttributeValue, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { type ClaimKey, storedIdempotencyKey } from '../domain/identifiers.ts';
import type { Author } from './audit.ts';
import { type Claim, claimAttributes } from './claim-row.ts';
import type { Database } from './database.ts';
import { attributes, claimKey, sandboxKey } from './keys.ts';
import type { StatusShards } from './status-shards.ts';

/** A sandbox that an index showed as available a moment ago. */
export interface Candidate {
  readonly sandboxId: string;
  readonly name: string;
  readonly externalId: string;
  readonly sfdcAccountId: string | null;
  readonly storedStatus: string;
}

/** What a row tells of its allocation beside who holds it. */
export interface AllocationOrigin {
  /** The lab. */
  readonly trackName?: string | undefined;
  readonly author?: Author | undefined;
}

const NO_CLAIM_YET = 'attribute_not_exists(PK)';

/**
 * A claim repeats the name, the external id and the account id, which sync may change while a row is available,
 * and an index may show the row as it was. So the row must still be what the claim says that it is.
 */
function stillTheCandidate(candidate: Candidate): string {
  // A row that has no name, or null for one, goes by its id; so for the external id.
  const unchanged = (attribute: string, value: string, isFallback: boolean) =>
    isFallback
      ? `(${attribute} = ${value} OR NOT attribute_type(${attribute}, :string))`
      : `${attribute} = ${value}`;
  return [
    '#status = :seen',
    unchanged('#name', ':name', candidate.name === candidate.sandboxId),
    unchanged('external_id', ':external_id', candidate.externalId === candidate.sandboxId),
    candidate.sfdcAccountId === null
      ? 'NOT attribute_type(sfdc_account_id, :string)'
      : 'sfdc_account_id = :sfdc_account_id',
  ].join(' AND ');
}

/** The position of each write of an allocation in its transaction. */
export const CLAIM_WRITE = 0;
export const SANDBOX_WRITE = 1;

/**
 * Both writes of an allocation: the claim if there is none, the sandbox if it is available. Either asks for
 * the old item when its condition fails: an existing claim *is* the answer to a replay.
 */
export function allocationWrites(
  database: Database,
  shards: StatusShards,
  key: ClaimKey,
  candidate: Candidate,
  claim: Claim,
  origin: AllocationOrigin,
): [TransactWriteItem, TransactWriteItem] {
  const values: Record<string, AttributeValue> = {
    ':seen': { S: candidate.storedStatus },
    ':name': { S: candidate.name },
    ':external_id': { S: candidate.externalId },
    ':allocated': { S: shards.stored('allocated', candidate.sandboxId) },
    ':track': { S: key.track },
    ':now': { N: String(claim.allocatedAt) },
    ':hours': { N: String(claim.labDurationHours) },
    ':key': { S: storedIdempotencyKey(key) },
  };
  let update =
    'SET #status = :allocated, allocated_to_track = :track, allocated_at = :now, lab_duration_hours = :hours, idempotency_key = :key, updated_at = :now';
  const condition = stillTheCandidate(candidate);
  if (candidate.sfdcAccountId !== null) values[':sfdc_account_id'] = { S: candidate.sfdcAccountId };
  if (condition.includes(':string')) values[':string'] = { S: 'S' };
  for (const [attribute, value] of [
    ['track_name', origin.trackName],
    ['allocated_by', origin.author?.actor],
    ['allocation_request_id', origin.author?.requestId],
  ] as const) {
    if (value === undefined) continue;
    values[`:${attribute}`] = { S: value };
    update += `, ${attribute} = :${attribute}`;
  }
  return [
    {
      Put: {
        TableName: database.tableName,
        Item: { ...attributes(claimKey(key)), ...claimAttributes(claim) },
        ConditionExpression: NO_CLAIM_YET,
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
    {
      Update: {
        TableName: database.tableName,
        Key: attributes(sandboxKey(candidate.sandboxId)),
        UpdateExpression: update,
        ConditionExpression: condition,
        ExpressionAttributeNames: { '#status': 'status', '#name': 'name' },
        ExpressionAttributeValues: values,
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
  ];
}
