import type { EventSeen, RowSeen, Snapshot } from './snapshot.ts';
import { keyOfRow } from './snapshot.ts';

/** The legal moves of a row, as the invariants list them; written down here a second time on purpose. */
const LEGAL = {
  add: { from: ['absent'], to: 'available' },
  allocate: { from: ['available'], to: 'allocated' },
  release: { from: ['allocated'], to: 'pending_deletion' },
  expire: { from: ['allocated'], to: 'pending_deletion' },
  delete: { from: ['pending_deletion'], to: 'deleted' },
  give_up_deletion: { from: ['pending_deletion'], to: 'deletion_failed' },
  retry_deletion: { from: ['deletion_failed'], to: 'pending_deletion' },
  mark_stale: { from: ['available'], to: 'stale' },
  listed_again: { from: ['stale'], to: 'available' },
  remove: { from: ['stale', 'deletion_failed', 'quarantined'], to: 'removed' },
  quarantine: { from: ['available', 'stale'], to: 'quarantined' },
  restore: { from: ['quarantined'], to: 'available' },
} as const;

export type Move = keyof typeof LEGAL;

/** Moves that leave no trace in the audit trail. */
const SILENT: readonly Move[] = ['allocate'];
/** States of which nothing is left but a tombstone. */
const GONE: readonly string[] = ['deleted', 'removed'];
/** States in which nobody has held a sandbox yet. */
const UNUSED: readonly string[] = ['available', 'stale', 'quarantined'];

/** What the table has been, to say what it must never be again (I1 and I6 over time). */
export class TableHistory {
  /** Each sandbox's only owner: its claim key, and since when. */
  readonly #owners = new Map<string, string>();
  readonly #tombstones = new Set<string>();

  /**
   * Holds a table against the one before it.
   *
   * @param allowed what was done in between may have moved rows so
   * @returns everything that is wrong
   */
  compare(before: Snapshot, after: Snapshot, allowed: ReadonlySet<Move>): string[] {
    const wrong: string[] = [];
    for (const sandboxId of new Set([...before.rows.keys(), ...after.rows.keys()])) {
      const was = before.rows.get(sandboxId);
      const is = after.rows.get(sandboxId);
      const events = newEvents(before, after, sandboxId);
      const from = was?.status ?? 'absent';
      const ends = is === undefined ? GONE : [is.status];
      if (!ends.some((end) => mayHaveMoved(from, end, events, allowed))) {
        const trace = events.map((event) => `${event.from} -> ${event.to}`).join(', ') || 'none';
        wrong.push(
          `sandbox ${sandboxId} went from ${from} to ${is?.status ?? 'nothing'} with the trace: ${trace}; allowed was: ${[...allowed].join(', ') || 'nothing'}`,
        );
      }
      if (was !== undefined && is === undefined && !after.tombstones.has(sandboxId))
        wrong.push(`I6: sandbox ${sandboxId} is gone and left no tombstone`);
      if (was !== undefined && is !== undefined) wrong.push(...overwritten(was, is));
      if (is !== undefined) wrong.push(...this.#ownerOf(is));
    }
    for (const sandboxId of after.tombstones) this.#tombstones.add(sandboxId);
    for (const sandboxId of this.#tombstones) {
      if (!after.tombstones.has(sandboxId)) wrong.push(`I6: the tombstone of sandbox ${sandboxId} is gone`);
    }
    return wrong;
  }

  #ownerOf(row: RowSeen): string[] {
    const first = this.#owners.get(row.sandboxId);
    if (UNUSED.includes(row.status)) {
      return first === undefined
        ? []
        : [`I6: sandbox ${row.sandboxId} is ${row.status} again after ${first} held it`];
    }
    const owner = `"${keyOfRow(row)}" since ${row.allocatedAt}`;
    if (first === undefined) this.#owners.set(row.sandboxId, owner);
    else if (first !== owner)
      return [`I1: sandbox ${row.sandboxId} was held by ${first}, and then by ${owner}`];
    return [];
  }
}

/** What an allocation wrote stays as it is to the row's end. */
function overwritten(was: RowSeen, is: RowSeen): string[] {
  if (UNUSED.includes(was.status)) return [];
  const fields = [
    'name',
    'externalId',
    'track',
    'idempotencyKey',
    'allocatedAt',
    'labDurationHours',
    'lab',
  ] as const;
  return fields
    .filter((field) => was[field] !== is[field])
    .map(
      (field) =>
        `I5: ${field} of sandbox ${was.sandboxId} (${was.status}) became ${is[field]} instead of ${was[field]}`,
    );
}

function newEvents(before: Snapshot, after: Snapshot, sandboxId: string): EventSeen[] {
  const known = new Set((before.events.get(sandboxId) ?? []).map((event) => event.sortKey));
  return (after.events.get(sandboxId) ?? []).filter((event) => !known.has(event.sortKey));
}

/** Whether all the events, in some order, and allowed moves without a trace lead from one state to the other. */
function mayHaveMoved(
  from: string,
  to: string,
  events: readonly EventSeen[],
  allowed: ReadonlySet<Move>,
): boolean {
  if (events.length === 0 && from === to) return true;
  const after = (move: Move) => (LEGAL[move].from as readonly string[]).includes(from);
  for (const [index, event] of events.entries()) {
    const move = [...allowed].find((each) => after(each) && LEGAL[each].to === event.to);
    if (event.from !== from || move === undefined) continue;
    if (mayHaveMoved(event.to, to, events.toSpliced(index, 1), allowed)) return true;
  }
  return SILENT.some(
    (move) => allowed.has(move) && after(move) && mayHaveMoved(LEGAL[move].to, to, events, allowed),
  );
}
