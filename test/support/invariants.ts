import { claimKeyOf, claimKeyText } from '../../src/domain/identifiers.ts';
import { isSandbox } from './table-rows.ts';

type Item = Record<string, unknown>;

/**
 * Reads a whole table as the engine holds it and names everything in it that breaks an invariant: I2 and I10
 * directly, I1 and I6 as far as one moment shows them.
 */
export function violations(items: readonly Item[]): string[] {
  const problems: string[] = [];
  const sandboxes = items.filter(isSandbox);
  const claims = items.filter((item) => String(item.PK).startsWith('CLAIM#'));
  const idsAfter = (prefix: string) =>
    items
      .map(({ PK }) => String(PK))
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length));
  const tombstones = new Set(idsAfter('TOMB#'));
  const externalTombstones = new Set(idsAfter('TOMB_EXTERNAL#'));
  const rows = new Map(sandboxes.map((row) => [String(row.sandbox_id), row]));
  const claimedBy = new Map<string, string>();

  for (const claim of claims) {
    const key = String(claim.PK).slice('CLAIM#'.length);
    const sandboxId = String(claim.sandbox_id);
    const other = claimedBy.get(sandboxId);
    if (other !== undefined)
      problems.push(`I1: sandbox ${sandboxId} is claimed by "${other}" and by "${key}"`);
    claimedBy.set(sandboxId, key);
    const row = rows.get(sandboxId);
    if (row === undefined) problems.push(`I10: claim "${key}" names sandbox ${sandboxId}, which has no row`);
    else if (statusOf(row) !== 'allocated') {
      problems.push(`I10: claim "${key}" names sandbox ${sandboxId}, which is ${statusOf(row)}`);
    } else if (keyOf(row) !== key) {
      problems.push(
        `I10: claim "${key}" names sandbox ${sandboxId}, which is allocated under "${keyOf(row)}"`,
      );
    }
  }

  const allocatedUnder = new Map<string, string>();
  for (const row of sandboxes) {
    const sandboxId = String(row.sandbox_id);
    const status = statusOf(row);
    if (tombstones.has(sandboxId)) problems.push(`I6: sandbox ${sandboxId} has a tombstone and is ${status}`);
    if (externalTombstones.has(String(row.external_id))) {
      problems.push(
        `I6: sandbox ${sandboxId} is ${status}, and a tombstone has its account ${String(row.external_id)}`,
      );
    }
    if (status === 'available' && (row.allocated_to_track !== undefined || row.allocated_at !== 0)) {
      problems.push(
        `I6: sandbox ${sandboxId} is available and was allocated to ${String(row.allocated_to_track)}`,
      );
    }
    if (status !== 'allocated') continue;
    if (row.superseded === true) {
      if (claimedBy.has(sandboxId)) problems.push(`I10: sandbox ${sandboxId} is superseded and has a claim`);
      continue;
    }
    const key = keyOf(row);
    const other = allocatedUnder.get(key);
    if (other !== undefined) problems.push(`I2: "${key}" holds sandboxes ${other} and ${sandboxId}`);
    allocatedUnder.set(key, sandboxId);
    if (claimedBy.get(sandboxId) !== key)
      problems.push(`I10: sandbox ${sandboxId} is allocated under "${key}" without a claim`);
  }
  return problems;
}

function statusOf(row: Item): string {
  return String(row.status).split('#')[0] as string;
}

function keyOf(row: Item): string {
  return claimKeyText(claimKeyOf(String(row.allocated_to_track), row.idempotency_key as string | undefined));
}
