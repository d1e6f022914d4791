import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/**
 * What a claim remembers, which is what a replay answers: the claim exists exactly as long as its sandbox
 * row is allocated under its key (I10), so it needs no second read.
 */
export interface Claim {
  readonly sandboxId: string;
  readonly name: string;
  readonly externalId: string;
  readonly allocatedAt: number;
  readonly labDurationHours: number;
  readonly sfdcAccountId: string | null;
  /** Which attempt put it: so whoever never heard of its own commit knows it again. */
  readonly claimedBy?: string | undefined;
}

type Item = Record<string, AttributeValue>;

/**
 * The attributes of a claim besides its key. None of them has the name of an index key (`status`,
 * `allocated_at`, `allocated_to_track`, `idempotency_key`): an index must not list claims.
 */
export function claimAttributes(claim: Claim): Item {
  const item: Item = {
    sandbox_id: { S: claim.sandboxId },
    name: { S: claim.name },
    external_id: { S: claim.externalId },
    claimed_at: { N: String(claim.allocatedAt) },
    lab_duration_hours: { N: String(claim.labDurationHours) },
  };
  if (claim.claimedBy !== undefined) item.claimed_by = { S: claim.claimedBy };
  if (claim.sfdcAccountId !== null) item.sfdc_account_id = { S: claim.sfdcAccountId };
  return item;
}

/** @throws Error when the item is no claim */
export function toClaim(item: Item): Claim {
  const sandboxId = item.sandbox_id?.S;
  if (sandboxId === undefined)
    throw new Error(`Row ${item.PK?.S ?? '?'} is not a claim: it names no sandbox`);
  return {
    sandboxId,
    name: item.name?.S ?? sandboxId,
    externalId: item.external_id?.S ?? sandboxId,
    allocatedAt: Number(item.claimed_at?.N ?? 0),
    labDurationHours: Number(item.lab_duration_hours?.N ?? 0),
    sfdcAccountId: item.sfdc_account_id?.S ?? null,
    claimedBy: item.claimed_by?.S,
  };
}
