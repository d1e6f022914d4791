import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../domain/clock.ts';
import { type ClaimKey, claimKeyOf, claimKeyText } from '../domain/identifiers.ts';
import { markAdopted } from '../store/adoption.ts';
import type { ClaimReader } from '../store/claim-reader.ts';
import type { Database } from '../store/database.ts';
import { CLAIM_PREFIX } from '../store/keys.ts';
import { claimKeyOfRow } from '../store/move-writes.ts';
import type { PoolReader } from '../store/pool-reader.ts';
import { isSandboxRow, type Row, type StoredSandbox } from '../store/sandbox-row.ts';
import type { PreviousAllocations } from './previous-allocations.ts';

export interface AdoptReport {
  /** Rows of sandboxes read. */
  sandboxes: number;
  /** Allocated rows that had their claim already. */
  alreadyClaimed: number;
  /** Claims written. */
  adopted: number;
  /** Allocated rows whose key holds a later sandbox: the previous broker gave one caller several. */
  superseded: number;
  /** Claims removed because the previous broker had ended their allocation. */
  danglingClaims: number;
}

export interface AdoptParts {
  readonly database: Database;
  readonly reader: PoolReader;
  readonly claims: ClaimReader;
  readonly previous: PreviousAllocations;
  readonly clock: Clock;
}

/** Rows worked on at once. */
const CONCURRENCY = 16;
/** How often a row is read again that changed while it was worked on. */
const MAX_ATTEMPTS = 10;

/**
 * Writes the claims of all rows that the previous broker allocated, page by page. Safe while the broker
 * serves, at any number of times and after a crash: every write is conditional on what was read.
 *
 * @param complete whether to record that nothing is left to adopt, after which an allocation looks for no
 * previous row any more. Not while the previous broker still serves the table.
 */
export async function adopt(
  parts: AdoptParts,
  complete: boolean,
  onProgress: (report: Readonly<AdoptReport>) => void = () => {},
): Promise<AdoptReport> {
  const report: AdoptReport = {
    sandboxes: 0,
    alreadyClaimed: 0,
    adopted: 0,
    superseded: 0,
    danglingClaims: 0,
  };
  let after: Record<string, unknown> | undefined;
  do {
    const page = await parts.database.documents.send(
      new ScanCommand({
        TableName: parts.database.tableName,
        ConsistentRead: true,
        ExclusiveStartKey: after,
      }),
    );
    const rows = page.Items ?? [];
    for (let index = 0; index < rows.length; index += CONCURRENCY) {
      await Promise.all(rows.slice(index, index + CONCURRENCY).map((row) => adoptRow(parts, row, report)));
    }
    onProgress(report);
    after = page.LastEvaluatedKey;
  } while (after !== undefined);
  if (complete) await markAdopted(parts.database, parts.clock);
  return report;
}

async function adoptRow(parts: AdoptParts, row: Row, report: AdoptReport): Promise<void> {
  const partitionKey = String(row.PK);
  if (partitionKey.startsWith(CLAIM_PREFIX)) {
    await checkClaim(parts, parseClaimKey(partitionKey), report);
    return;
  }
  if (!isSandboxRow(row)) return;
  report.sandboxes += 1;
  let sandbox: StoredSandbox | undefined = parts.reader.sandbox(row);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    if (sandbox === undefined || (await isSettled(parts, sandbox, report))) return;
    // Its caller released or allocated meanwhile: what this row is now is another question.
    sandbox = await parts.reader.get(sandbox.sandboxId);
  }
  throw new Error(`Row ${partitionKey} can be given no claim: it is not as it was read, however often`);
}

/** @returns false when the row, or the claim of its key, is no longer as it was read */
async function isSettled(parts: AdoptParts, sandbox: StoredSandbox, report: AdoptReport): Promise<boolean> {
  const key = claimKeyOfRow(sandbox);
  if (sandbox.status !== 'allocated' || key === undefined) return true;
  const claim = await parts.claims.get(key);
  if (claim?.sandboxId === sandbox.sandboxId) {
    report.alreadyClaimed += 1;
    return true;
  }
  // The key's own sandbox is the latest that the previous broker gave it, which need not be this one; but
  // this one may be so new that the index does not list it yet.
  const holder = (await parts.previous.find(key)) ?? (await parts.previous.adopt(sandbox, key));
  if (holder === undefined) return false;
  if (holder.sandboxId === sandbox.sandboxId) {
    report.adopted += 1;
    return true;
  }
  const superseded = await parts.previous.markSuperseded(sandbox, key);
  if (superseded) report.superseded += 1;
  return superseded;
}

async function checkClaim(parts: AdoptParts, key: ClaimKey, report: AdoptReport): Promise<void> {
  const claim = await parts.claims.get(key);
  if (claim === undefined) return;
  const row = await parts.reader.get(claim.sandboxId);
  const rowKey = row?.status === 'allocated' ? claimKeyOfRow(row) : undefined;
  if (rowKey !== undefined && claimKeyText(rowKey) === claimKeyText(key)) return;
  if (await parts.previous.removeDangling(key, claim)) report.danglingClaims += 1;
}

/** The key that a claim's partition key was made from. */
export function parseClaimKey(partitionKey: string): ClaimKey {
  const text = partitionKey.slice(CLAIM_PREFIX.length);
  const separator = text.indexOf(' ');
  return claimKeyOf(text.slice(0, separator), text.slice(separator + 1) || undefined);
}
