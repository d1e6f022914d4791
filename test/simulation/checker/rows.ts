import { claimKeyOf, claimKeyText } from '../../../src/domain/identifiers.ts';
import type { SandboxStatus } from '../../../src/domain/sandbox.ts';
import { plainStatus } from '../../../src/store/status-shards.ts';
import type { Item } from '../dynamodb/attribute-values.ts';

/** Items as the table holds them, read past all of the broker's own readers but the words of a status. */

const SANDBOX = 'SBX#';
const CLAIM = 'CLAIM#';
const TOMBSTONE = 'TOMB#';
const LEASE = 'LEASE#';
const META = '\nMETA';

/** What an item is, by the key under which the simulated table keeps it. */
export type Kind =
  | { readonly kind: 'sandbox' | 'claim' | 'tombstone' | 'lease'; readonly id: string }
  | { readonly kind: 'event' | 'adoption' | 'other' };

export function kindOf(key: string): Kind {
  if (key.startsWith(SANDBOX)) {
    if (!key.endsWith(META)) return { kind: 'event' };
    return { kind: 'sandbox', id: key.slice(SANDBOX.length, -META.length) };
  }
  if (key.startsWith(CLAIM)) return { kind: 'claim', id: key.slice(CLAIM.length, -META.length) };
  if (key.startsWith(TOMBSTONE)) return { kind: 'tombstone', id: key.slice(TOMBSTONE.length, -META.length) };
  if (key.startsWith(LEASE)) return { kind: 'lease', id: key.slice(LEASE.length, -META.length) };
  return { kind: key === `ADOPTION${META}` ? 'adoption' : 'other' };
}

export const sandboxItemKey = (sandboxId: string): string => `${SANDBOX}${sandboxId}${META}`;
export const claimItemKey = (claimKey: string): string => `${CLAIM}${claimKey}${META}`;
export const tombstoneItemKey = (sandboxId: string): string => `${TOMBSTONE}${sandboxId}${META}`;

export function statusOf(row: Item | undefined): SandboxStatus | 'absent' {
  const stored = row?.status?.S;
  return stored === undefined ? 'absent' : (plainStatus(stored) as SandboxStatus);
}

/** The claim key under which a row is or was allocated, as text. */
export function ownerOf(row: Item): string | undefined {
  const track = row.allocated_to_track?.S;
  return track === undefined ? undefined : claimKeyText(claimKeyOf(track, row.idempotency_key?.S));
}

/** Whether a row must have a claim: not one that a later allocation of the same key has replaced. */
export function isHeld(row: Item | undefined): row is Item {
  return statusOf(row) === 'allocated' && row?.superseded?.BOOL !== true;
}

export function numberOf(item: Item, name: string): number {
  return Number(item[name]?.N ?? 0);
}
