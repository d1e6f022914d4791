import type { Item } from '../dynamodb/attribute-values.ts';
import { ownerOf } from './rows.ts';

/** One allocation, from the commit that made it to the one that ended it. */
export interface RecordedAllocation {
  readonly sandboxId: string;
  readonly claimKey: string;
  /** The row as the allocation left it. */
  readonly row: Item;
  /** Steps of the schedule. */
  readonly from: number;
  until: number;
  /** The previous broker ended it, which leaves no event that would tell of it. */
  endsUntold: boolean;
  /** Somebody was told 201. */
  announced: boolean;
}

/** Every allocation that there ever was: one for each sandbox, as sandboxes are used once. */
export class Allocations {
  readonly #bySandbox = new Map<string, RecordedAllocation>();

  begin(sandboxId: string, row: Item, step: number): void {
    this.#bySandbox.set(sandboxId, {
      sandboxId,
      claimKey: ownerOf(row) ?? '',
      row,
      from: step,
      until: Number.POSITIVE_INFINITY,
      endsUntold: false,
      announced: false,
    });
  }

  end(sandboxId: string, step: number, byPreviousBroker: boolean): void {
    const allocation = this.#bySandbox.get(sandboxId);
    if (allocation === undefined) return;
    allocation.until = step;
    allocation.endsUntold = byPreviousBroker;
  }

  of(sandboxId: string): RecordedAllocation | undefined {
    return this.#bySandbox.get(sandboxId);
  }

  all(): Iterable<RecordedAllocation> {
    return this.#bySandbox.values();
  }
}
