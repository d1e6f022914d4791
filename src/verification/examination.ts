import { claimKeyText } from '../domain/identifiers.ts';
import { MOVES, type SandboxStatus, wasHeld } from '../domain/sandbox.ts';
import {
  CLAIM_PREFIX,
  claimKey,
  EVENT_PREFIX,
  externalTombstoneKey,
  type Key,
  META,
  SANDBOX_PREFIX,
  sandboxKey,
  tombstoneKey,
} from '../store/keys.ts';
import { claimKeyOfRow } from '../store/move-writes.ts';
import type { PoolReader } from '../store/pool-reader.ts';
import type { Row, StoredSandbox } from '../store/sandbox-row.ts';
import type { Finding, FindingKind } from './finding.ts';

/** The rows that have been read so far, at one moment; null for one that is not there, undefined for one not read. */
export type Look = (key: Key) => Row | null | undefined;

/** What can be said of a row: that other rows must be read first, or what is wrong, if anything. */
export type Examination = { readonly needs: readonly Key[] } | { readonly finding: Finding | undefined };

const NOTHING_WRONG: Examination = { finding: undefined };
/** States from which a sandbox may be handed out, now or after the next sync; a quarantined one is out of reach. */
export const IN_THE_POOL: readonly SandboxStatus[] = ['available', 'stale'];

/** Rows that are examined: sandboxes, their events, and claims. Whatever else the table holds is left alone. */
export function isExamined({ PK, SK }: Key): boolean {
  if (SK === META) return PK.startsWith(SANDBOX_PREFIX) || PK.startsWith(CLAIM_PREFIX);
  return isEvent({ PK, SK });
}

function isEvent({ PK, SK }: Key): boolean {
  return PK.startsWith(SANDBOX_PREFIX) && SK.startsWith(EVENT_PREFIX);
}

/** Holds one row against those that it must agree with. Reads nothing by itself. */
export function examine(key: Key, look: Look, reader: Pick<PoolReader, 'sandbox'>): Examination {
  const row = look(key);
  if (row === undefined) return { needs: [key] };
  // It has gone meanwhile, which is nothing by itself.
  if (row === null) return NOTHING_WRONG;
  if (key.PK.startsWith(CLAIM_PREFIX)) return examineClaim(key, row, look, reader);
  return isEvent(key) ? examineEvent(key, row, look, reader) : examineSandbox(row, look, reader);
}

/** I10 from the claim's side, and I1: a sandbox that two claims name is not allocated under one of them. */
function examineClaim(key: Key, claim: Row, look: Look, reader: Pick<PoolReader, 'sandbox'>): Examination {
  const text = key.PK.slice(CLAIM_PREFIX.length);
  const { sandbox_id: sandboxId } = claim;
  if (typeof sandboxId !== 'string')
    return found('unreadable-row', 'table', `claim "${text}" names no sandbox`, claim);
  const row = look(sandboxKey(sandboxId));
  if (row === undefined) return { needs: [sandboxKey(sandboxId)] };
  const says = `claim "${text}" names sandbox ${sandboxId}`;
  if (row === null) return found('dangling-claim', 'I10', `${says}, which has no row`, claim);
  const sandbox = readable(row, reader);
  // Reported when its own turn comes.
  if (sandbox === undefined) return NOTHING_WRONG;
  if (sandbox.status !== 'allocated')
    return found('dangling-claim', 'I10', `${says}, which is ${sandbox.status}`, claim, row);
  const rowKey = claimKeyOfRow(sandbox);
  if (rowKey === undefined)
    return found('dangling-claim', 'I10', `${says}, whose allocation has been superseded`, claim, row);
  if (claimKeyText(rowKey) !== text) {
    const other = look(claimKey(rowKey));
    if (other === undefined) return { needs: [claimKey(rowKey)] };
    const held = `, which is allocated under "${claimKeyText(rowKey)}"`;
    return other?.sandbox_id === sandboxId
      ? found('double-claim', 'I1', `${says}${held} by a claim of its own`, claim, other, row)
      : found('dangling-claim', 'I10', `${says}${held}`, claim, row);
  }
  const differing = [
    ['allocated_at', Number(claim.claimed_at ?? 0), sandbox.allocatedAt],
    ['external_id', claim.external_id ?? sandboxId, sandbox.externalId],
  ].find(([, claimed, held]) => claimed !== held);
  return differing === undefined
    ? NOTHING_WRONG
    : found('differing-claim', 'I10', `${says} and says another ${differing[0]} than its row`, claim, row);
}

/** I6; I10 from the sandbox's side, and I2: what is allocated under a key that holds another sandbox. */
function examineSandbox(row: Row, look: Look, reader: Pick<PoolReader, 'sandbox'>): Examination {
  const sandbox = readable(row, reader);
  if (sandbox === undefined)
    return found(
      'unreadable-row',
      'table',
      `row ${String(row.PK)} is no sandbox that this version can read`,
      row,
    );
  const { sandboxId, status } = sandbox;
  const tombstone = look(tombstoneKey(sandboxId));
  if (tombstone === undefined) {
    const tombstones = [tombstoneKey(sandboxId), externalTombstoneKey(sandbox.externalId)];
    return { needs: [...tombstones, ...claimKeysOf(sandbox)] };
  }
  if (tombstone !== null && status !== 'quarantined')
    return found(
      'used-sandbox',
      'I6',
      `sandbox ${sandboxId} is ${status}, and has a tombstone`,
      row,
      tombstone,
    );
  const ofAccount = look(externalTombstoneKey(sandbox.externalId));
  if (ofAccount === undefined) return { needs: [externalTombstoneKey(sandbox.externalId)] };
  if (ofAccount !== null && status !== 'quarantined') {
    const other = String(ofAccount.sandbox_id);
    return found(
      'used-sandbox',
      'I6',
      `sandbox ${sandboxId} is ${status}, and its account was used or removed as ${other}`,
      row,
      ofAccount,
    );
  }
  if (IN_THE_POOL.includes(status) && wasHeld(sandbox)) {
    const owner = sandbox.allocatedToTrack ?? 'somebody';
    return found(
      'used-sandbox',
      'I6',
      `sandbox ${sandboxId} is ${status}, and was allocated to "${owner}"`,
      row,
    );
  }
  const [key] = claimKeysOf(sandbox);
  if (key === undefined) return NOTHING_WRONG;
  const text = key.PK.slice(CLAIM_PREFIX.length);
  const claim = look(key);
  if (claim === undefined) return { needs: [key] };
  const says = `sandbox ${sandboxId} is allocated under "${text}"`;
  if (claim === null) return found('missing-claim', 'I10', `${says}, which has no claim`, row);
  if (claim.sandbox_id === sandboxId) return NOTHING_WRONG;
  const other = look(sandboxKey(String(claim.sandbox_id)));
  if (other === undefined) return { needs: [sandboxKey(String(claim.sandbox_id))] };
  const held = other === null ? undefined : readable(other, reader);
  const otherKey = held?.status === 'allocated' ? claimKeyOfRow(held) : undefined;
  return otherKey !== undefined && claimKeyText(otherKey) === text && other !== null
    ? found(
        'second-allocation',
        'I2',
        `${says}, as sandbox ${String(claim.sandbox_id)} is`,
        row,
        other,
        claim,
      )
    : found(
        'missing-claim',
        'I10',
        `${says}, whose claim names sandbox ${String(claim.sandbox_id)}`,
        row,
        claim,
      );
}

/**
 * I1 and I6 over time, which a row alone cannot tell of: what an allocation ended in is on its way to its deletion, and
 * still says whose it was. Only the event that ended it is looked at, so each is reported once.
 */
function examineEvent(key: Key, event: Row, look: Look, reader: Pick<PoolReader, 'sandbox'>): Examination {
  const { held_by_track: track, from, move, at } = event;
  const since = Number(event.held_since ?? 0);
  if (from !== MOVES.allocate.to || typeof track !== 'string' || since === 0) return NOTHING_WRONG;
  const sandboxId = key.PK.slice(SANDBOX_PREFIX.length);
  const row = look(sandboxKey(sandboxId));
  if (row === undefined) return { needs: [sandboxKey(sandboxId)] };
  const sandbox = row === null ? undefined : readable(row, reader);
  // Deleted by now; or reported when its own turn comes; or out of reach.
  if (row === null || sandbox === undefined || sandbox.status === 'quarantined') return NOTHING_WRONG;
  const { status, allocatedToTrack, allocatedAt } = sandbox;
  const wasUsed = `"${track}" held it until its ${String(move)} at ${String(at)}`;
  const isSame = allocatedToTrack === track && allocatedAt === since;
  if (IN_THE_POOL.includes(status)) {
    // One with the marks of an allocation is reported for them.
    if (wasHeld(sandbox)) return NOTHING_WRONG;
    return found('returned-sandbox', 'I6', `sandbox ${sandboxId} is ${status}, and ${wasUsed}`, event, row);
  }
  if (!isSame) {
    const owner = allocatedToTrack ?? 'nobody';
    const says = `sandbox ${sandboxId} is ${status} as "${owner}"'s since ${allocatedAt}`;
    return found('second-owner', 'I1', `${says}, and ${wasUsed}`, event, row);
  }
  return status === 'allocated'
    ? found('returned-sandbox', 'I6', `sandbox ${sandboxId} is allocated again, and ${wasUsed}`, event, row)
    : NOTHING_WRONG;
}

/** The claim that an allocated row must have, if any. */
function claimKeysOf(sandbox: StoredSandbox): Key[] {
  const key = sandbox.status === 'allocated' ? claimKeyOfRow(sandbox) : undefined;
  return key === undefined ? [] : [claimKey(key)];
}

function readable(row: Row, reader: Pick<PoolReader, 'sandbox'>): StoredSandbox | undefined {
  try {
    return reader.sandbox(row);
  } catch {
    return undefined;
  }
}

function found(kind: FindingKind, invariant: string, message: string, ...rows: Row[]): Examination {
  return { finding: { kind, invariant, message, rows } };
}
