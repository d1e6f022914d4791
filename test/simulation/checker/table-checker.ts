import type { Item } from '../dynamodb/attribute-values.ts';
import type { Change, SimulatedTable } from '../dynamodb/simulated-table.ts';
import type { Violations } from '../world/violations.ts';
import type { Allocations } from './allocations.ts';
import { judgeMove, type ToldMove } from './row-moves.ts';
import {
  claimItemKey,
  isHeld,
  kindOf,
  numberOf,
  ownerOf,
  sandboxItemKey,
  statusOf,
  tombstoneItemKey,
} from './rows.ts';

/** What the checker must know of the world beside the table. */
export interface Witness {
  /** The step of the schedule. */
  step(): number;
  /** Milliseconds since the world began. */
  time(): number;
  /** Whether the write of this moment is the previous broker's, which knows no claims and no events. */
  byPreviousBroker(): boolean;
  /** Told of every move that is legal in itself, to hold it against the world. @returns what is wrong with it */
  onMove(sandboxId: string, told: ToldMove, before: Item): { invariant: string; text: string } | undefined;
}

/**
 * Looks at every commit, at what it touched and nothing else, as soon as it has taken effect: I1, I2, I6, I10 and the
 * legal moves, over all of history and not only as the table stands.
 */
export class TableChecker {
  /** Rows that the previous broker allocated and that have no claim yet. */
  readonly unadopted = new Set<string>();
  /** Claims whose allocations the previous broker ended. */
  readonly dangling = new Set<string>();
  /** When each row that is available became so. Milliseconds since the world began. */
  readonly availableAt = new Map<string, number>();
  readonly #table: SimulatedTable;
  readonly #allocations: Allocations;
  readonly #violations: Violations;
  readonly #witness: Witness;
  /** Sandboxes that were allocated, deleted or removed: none of them may be available again. */
  readonly #usedUp = new Set<string>();

  constructor(table: SimulatedTable, allocations: Allocations, violations: Violations, witness: Witness) {
    this.#table = table;
    this.#allocations = allocations;
    this.#violations = violations;
    this.#witness = witness;
  }

  committed(changes: readonly Change[]): void {
    for (const change of changes) {
      const kind = kindOf(change.key);
      if (kind.kind === 'sandbox') {
        // First what it does to history, which says more than that the move is illegal.
        this.#row(kind.id, change);
        if (!this.#witness.byPreviousBroker()) this.#move(kind.id, change, changes);
      } else if (kind.kind === 'adoption') this.#adoptionCompleted();
    }
    // When all of the transaction is known: a claim and its row agree as they are now (I10).
    for (const { key, before, after } of changes) {
      const kind = kindOf(key);
      if (kind.kind === 'claim') this.#agreeOnClaim(kind.id, before, after);
      else if (kind.kind === 'sandbox') this.#agreeOnRow(kind.id, before, after);
    }
  }

  #move(sandboxId: string, change: Change, together: readonly Change[]): void {
    const { told, wrong } = judgeMove(sandboxId, change, together);
    if (wrong !== undefined) this.#violations.add('moves', wrong);
    if (told === undefined || change.before === undefined) return;
    const found = this.#witness.onMove(sandboxId, told, change.before);
    if (found !== undefined) this.#violations.add(found.invariant, found.text);
  }

  #row(sandboxId: string, { before, after }: Change): void {
    const from = statusOf(before);
    const to = statusOf(after);
    if (from === to) return;
    const previous = this.#witness.byPreviousBroker();
    const step = this.#witness.step();
    if (from === 'available') this.availableAt.delete(sandboxId);
    if (from === 'allocated') this.#allocations.end(sandboxId, step, previous);
    if (to === 'available') this.#becameAvailable(sandboxId, after as Item);
    if (to === 'allocated') this.#becameAllocated(sandboxId, after as Item, step, previous);
    if (to === 'absent') {
      this.#usedUp.add(sandboxId);
      if (this.#table.get(tombstoneItemKey(sandboxId)) === undefined)
        this.#violations.add('I6', `sandbox ${sandboxId} went without leaving a tombstone`);
    }
  }

  #becameAvailable(sandboxId: string, row: Item): void {
    this.availableAt.set(sandboxId, this.#witness.time());
    const other = this.#allocations.of(sandboxId);
    if (other !== undefined)
      this.#violations.add('I6', `sandbox ${sandboxId} is available again after it was ${other.claimKey}'s`);
    else if (this.#usedUp.has(sandboxId))
      this.#violations.add('I6', `sandbox ${sandboxId} is available again after it was removed`);
    if (row.allocated_to_track !== undefined || numberOf(row, 'allocated_at') !== 0)
      this.#violations.add('I6', `sandbox ${sandboxId} is available with the marks of an allocation`);
  }

  #becameAllocated(sandboxId: string, row: Item, step: number, previous: boolean): void {
    const owner = ownerOf(row) ?? '';
    const other = this.#allocations.of(sandboxId);
    if (other !== undefined)
      this.#violations.add(
        'I1',
        `sandbox ${sandboxId} went to "${owner}" after it was "${other.claimKey}"'s`,
      );
    this.#usedUp.add(sandboxId);
    this.#allocations.begin(sandboxId, row, step);
    if (previous) this.unadopted.add(sandboxId);
    else this.#heldAlready(sandboxId, owner);
  }

  /** A caller with an allocation of the previous broker's must get that one, not another. */
  #heldAlready(sandboxId: string, owner: string): void {
    for (const other of this.unadopted) {
      const row = this.#table.get(sandboxItemKey(other));
      if (isHeld(row) && ownerOf(row) === owner)
        this.#violations.add(
          'I2',
          `sandbox ${sandboxId} went to "${owner}", which held ${other} from before`,
        );
    }
  }

  /** A row is held under a key exactly as long as the key's claim names it. */
  #agreeOnRow(sandboxId: string, before: Item | undefined, after: Item | undefined): void {
    const ownerBefore = before === undefined ? undefined : ownerOf(before);
    if (isHeld(after)) {
      const owner = ownerOf(after) as string;
      const claimed = this.#claimed(owner);
      if (claimed === sandboxId) this.unadopted.delete(sandboxId);
      else if (!this.unadopted.has(sandboxId))
        this.#violations.add(
          claimed === undefined ? 'I10' : 'I2',
          `sandbox ${sandboxId} is allocated under "${owner}", whose claim ${claimed === undefined ? 'does not exist' : `names ${claimed}`}`,
        );
    } else {
      this.unadopted.delete(sandboxId);
    }
    if (ownerBefore === undefined || isHeld(after) || this.#claimed(ownerBefore) !== sandboxId) return;
    if (this.#witness.byPreviousBroker()) this.dangling.add(ownerBefore);
    else if (!this.dangling.has(ownerBefore))
      this.#violations.add(
        'I10',
        `the claim of "${ownerBefore}" outlives its allocation: sandbox ${sandboxId} is ${statusOf(after)}`,
      );
  }

  #agreeOnClaim(claimKey: string, before: Item | undefined, after: Item | undefined): void {
    const named = after?.sandbox_id?.S;
    const namedBefore = before?.sandbox_id?.S;
    if (named !== namedBefore) this.dangling.delete(claimKey);
    if (named !== undefined) {
      const row = this.#table.get(sandboxItemKey(named));
      if (!isHeld(row) || ownerOf(row) !== claimKey) {
        if (!this.dangling.has(claimKey))
          this.#violations.add(
            'I10',
            `the claim of "${claimKey}" names sandbox ${named}, which is ${statusOf(row)}`,
          );
      } else {
        this.unadopted.delete(named);
      }
    }
    if (namedBefore === undefined || namedBefore === named) return;
    const row = this.#table.get(sandboxItemKey(namedBefore));
    if (isHeld(row) && ownerOf(row) === claimKey)
      this.#violations.add(
        named === undefined ? 'I10' : 'I2',
        `the claim of "${claimKey}" no longer names sandbox ${namedBefore}, which is still allocated under it`,
      );
  }

  #claimed(claimKey: string): string | undefined {
    return this.#table.get(claimItemKey(claimKey))?.sandbox_id?.S;
  }

  #adoptionCompleted(): void {
    for (const sandboxId of this.unadopted) {
      const row = this.#table.get(sandboxItemKey(sandboxId));
      if (isHeld(row))
        this.#violations.add('I10', `adoption is complete, and sandbox ${sandboxId} has no claim`);
    }
    for (const claimKey of this.dangling)
      this.#violations.add('I10', `adoption is complete, and the claim of "${claimKey}" has no allocation`);
  }
}
