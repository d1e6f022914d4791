import type { Clock } from '../domain/clock.ts';
import type { Author } from '../store/audit.ts';
import type { ListingPosition, PoolListing } from '../store/pool-listing.ts';
import type { OperatorMoves } from './operator-moves.ts';

/** A load balancer gives up at 60 s, and whoever waits for an answer much sooner. */
const BUDGET_MS = 20_000;
const PAGE = 100;
/** Rows removed at once. */
const CONCURRENCY = 16;

export interface RemovalResult {
  readonly removed: number;
  /** Rows that somebody else moved between the reading and the removal. */
  readonly skipped: number;
  /** False when time ran out first; what is left is found by the next call. */
  readonly complete: boolean;
}

/** Removes all rows of one state that nobody holds. */
export class BulkRemoval {
  readonly #listing: PoolListing;
  readonly #moves: OperatorMoves;
  readonly #clock: Clock;

  constructor(listing: PoolListing, moves: OperatorMoves, clock: Clock) {
    this.#listing = listing;
    this.#moves = moves;
    this.#clock = clock;
  }

  async removeAll(status: 'stale' | 'deletion_failed', author: Author): Promise<RemovalResult> {
    const end = this.#clock.monotonic() + BUDGET_MS;
    let removed = 0;
    let skipped = 0;
    let position: ListingPosition | undefined = { partition: 0 };
    while (position !== undefined) {
      if (this.#clock.monotonic() > end) return { removed, skipped, complete: false };
      const page = await this.#listing.page({ status }, position, PAGE);
      for (let index = 0; index < page.sandboxes.length; index += CONCURRENCY) {
        const batch = page.sandboxes.slice(index, index + CONCURRENCY);
        const results = await Promise.all(batch.map((row) => this.#moves.remove(row, author)));
        removed += results.filter(Boolean).length;
        skipped += results.filter((done) => !done).length;
      }
      position = page.next;
    }
    return { removed, skipped, complete: true };
  }
}
