import { MOVES, type Move } from '../../../src/domain/sandbox.ts';
import type { Item } from '../dynamodb/attribute-values.ts';
import type { Change } from '../dynamodb/simulated-table.ts';
import { kindOf, numberOf, statusOf } from './rows.ts';

/** Who may make a move, by the beginning of `actor` in its audit event. */
const ACTORS: Partial<Record<Move, readonly string[]>> = {
  add: ['job:sync'],
  release: ['track', 'admin'],
  expire: ['job:expiry'],
  mark_stale: ['job:sync'],
  listed_again: ['job:sync'],
  remove: ['job:stale', 'admin'],
  delete: ['job:cleanup'],
  give_up_deletion: ['job:cleanup'],
  retry_deletion: ['admin'],
  quarantine: ['admin'],
  restore: ['admin'],
};

/** Attributes that an allocation, and what comes after it, must leave as they are. */
const OF_THE_ALLOCATION = ['allocated_to_track', 'allocated_at', 'idempotency_key', 'lab_duration_hours'];

/** A move as its audit event tells it. */
export interface ToldMove {
  readonly move: Move;
  readonly actor: string;
  readonly requestId: string | undefined;
}

/**
 * Holds one change of a row against the legal moves: the states, the event that tells of it, who made it, and what
 * it must not touch.
 *
 * @param together all changes of the same transaction
 * @returns the move as told, where one was made and told; what is wrong, in words
 */
export function judgeMove(
  sandboxId: string,
  change: Change,
  together: readonly Change[],
): { readonly told?: ToldMove; readonly wrong?: string } {
  const from = statusOf(change.before);
  const to = statusOf(change.after);
  if (from === to) return { ...wrongIf(judgeStay(sandboxId, change)) };
  if (from === 'absent' && to !== 'available')
    return { wrong: `sandbox ${sandboxId} comes into the pool as ${to}` };
  if (from === 'available' && to === 'allocated') return {};
  const event = eventOf(sandboxId, together);
  // A table is filled past any broker, which leaves no event.
  if (from === 'absent' && event === undefined) return {};
  if (event === undefined)
    return { wrong: `sandbox ${sandboxId} went from ${from} to ${to} without an event` };
  const move = event.move?.S as Move;
  const legal = MOVES[move] as { readonly from: readonly string[]; readonly to: string } | undefined;
  const ends = to === 'absent' ? ['deleted', 'removed'] : [to];
  if (legal === undefined || !legal.from.includes(from) || !ends.includes(legal.to)) {
    return { wrong: `sandbox ${sandboxId} went from ${from} to ${to}, which "${move}" is not` };
  }
  const told = { move, actor: event.actor?.S ?? '', requestId: event.request_id?.S };
  if (ACTORS[move]?.some((actor) => told.actor.startsWith(actor)) !== true)
    return { told, wrong: `"${move}" of sandbox ${sandboxId} was made by ${told.actor}` };
  const lost = from === 'allocated' || from === 'pending_deletion' ? changedOf(change) : undefined;
  if (lost !== undefined) return { told, wrong: `"${move}" of sandbox ${sandboxId} changed its ${lost}` };
  return { told };
}

/** A row that stays what it is may be renamed while available, counted while pending, superseded while allocated. */
function judgeStay(sandboxId: string, { key, before, after }: Change): string | undefined {
  const status = statusOf(after);
  if (before === undefined || after === undefined) return undefined;
  if (status === 'available' || status === 'stale') return undefined;
  const lost = changedOf({ key, before, after });
  return lost === undefined ? undefined : `sandbox ${sandboxId} changed its ${lost} while ${status}`;
}

function changedOf({ before, after }: Change): string | undefined {
  if (before === undefined || after === undefined) return undefined;
  return OF_THE_ALLOCATION.find(
    (name) => before[name]?.S !== after[name]?.S || numberOf(before, name) !== numberOf(after, name),
  );
}

function eventOf(sandboxId: string, together: readonly Change[]): Item | undefined {
  for (const { key, after } of together) {
    if (kindOf(key).kind === 'event' && after?.sandbox_id?.S === sandboxId) return after;
  }
  return undefined;
}

function wrongIf(wrong: string | undefined): { wrong?: string } {
  return wrong === undefined ? {} : { wrong };
}
