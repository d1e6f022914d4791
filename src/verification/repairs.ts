import { parseClaimKey } from '../allocation/adopt.ts';
import type { PreviousAllocations } from '../allocation/previous-allocations.ts';
import { type Clock, type Random, unixSeconds } from '../domain/clock.ts';
import { eventWrite } from '../store/audit.ts';
import { toClaim } from '../store/claim-row.ts';
import type { Database } from '../store/database.ts';
import { ItemReader } from '../store/item-reader.ts';
import { type Key, SANDBOX_PREFIX } from '../store/keys.ts';
import { claimKeyOfRow, moveWrite } from '../store/move-writes.ts';
import type { PoolReader } from '../store/pool-reader.ts';
import type { Row } from '../store/sandbox-row.ts';
import type { StatusShards } from '../store/status-shards.ts';
import { transactPatiently } from '../store/transact.ts';
import { IN_THE_POOL } from './examination.ts';
import type { Finding, FindingKind } from './finding.ts';
import { examineAtOnce } from './verify.ts';

export interface RepairParts {
  readonly database: Database;
  readonly shards: StatusShards;
  readonly reader: PoolReader;
  readonly previous: PreviousAllocations;
  readonly clock: Clock;
  readonly random: Random;
}

/** What can be put right without a guess, and how, as the command's help says it. */
export const REPAIRS = {
  'dangling-claim': 'remove the claim',
  'double-claim': 'remove the claim under which the sandbox is not allocated',
  'missing-claim': 'write the claim that the row lacks',
  'second-allocation': 'mark the allocation that its key does not hold as superseded; expiry ends it in time',
  'used-sandbox':
    'quarantine a used sandbox that is available or stale, so that nobody gets it; release it, and its account is deleted',
  'returned-sandbox': 'the same, of one that only its history knows to be used',
} as const satisfies Partial<Record<FindingKind, string>>;

export type RepairKind = keyof typeof REPAIRS;
export const REPAIR_KINDS = Object.keys(REPAIRS) as RepairKind[];

/**
 * Puts right what was found, if it is as it was found: every write is conditional on it.
 *
 * @returns whether the table is right in this point now
 */
export async function repair(parts: RepairParts, finding: Finding): Promise<boolean> {
  if (!(finding.kind in REPAIRS)) return false;
  await REPAIR[finding.kind as RepairKind](parts, finding);
  const [first] = finding.rows as readonly (Row & Key)[];
  if (first === undefined) return false;
  return (await examineAtOnce(parts, { PK: first.PK, SK: first.SK })) === undefined;
}

const REPAIR: Record<RepairKind, (parts: RepairParts, finding: Finding) => Promise<unknown>> = {
  'dangling-claim': removeClaim,
  'double-claim': removeClaim,
  'missing-claim': async ({ reader, previous }, { rows }) => {
    const row = await sandboxOf(reader, rows);
    const key = row && claimKeyOfRow(row);
    if (row !== undefined && key !== undefined) await previous.adopt(row, key);
  },
  'second-allocation': async ({ reader, previous }, { rows }) => {
    const row = await sandboxOf(reader, rows);
    const key = row && claimKeyOfRow(row);
    if (row !== undefined && key !== undefined) await previous.markSuperseded(row, key);
  },
  'used-sandbox': quarantine,
  'returned-sandbox': quarantine,
};

async function quarantine(parts: RepairParts, { rows, message }: Finding): Promise<void> {
  const row = await sandboxOf(parts.reader, rows);
  if (row === undefined || !IN_THE_POOL.includes(row.status)) return;
  const { database, shards, clock, random } = parts;
  const author = { actor: 'command line', reason: message };
  await transactPatiently(
    database,
    [
      moveWrite(database, shards, row, 'quarantined', unixSeconds(clock), { status_reason: { S: message } }, [
        'stale_since',
      ]),
      eventWrite(database, row, 'quarantine', 'quarantined', author, clock, random),
    ],
    parts,
  );
}

/** The sandbox that a finding is about, as it is now. */
async function sandboxOf(reader: PoolReader, rows: readonly Row[]) {
  const row = (rows as readonly (Row & Key)[]).find(({ PK }) => PK.startsWith(SANDBOX_PREFIX));
  return row === undefined ? undefined : reader.get(row.PK.slice(SANDBOX_PREFIX.length));
}

async function removeClaim(
  { database, previous, clock, random }: RepairParts,
  { rows }: Finding,
): Promise<void> {
  const [claim] = rows as readonly (Row & Key)[];
  if (claim === undefined) return;
  const item = await new ItemReader(database, clock, random).get({ PK: claim.PK, SK: claim.SK });
  if (item !== undefined) await previous.removeDangling(parseClaimKey(claim.PK), toClaim(item));
}
