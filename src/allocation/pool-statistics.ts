import { type Clock, unixSeconds } from '../domain/clock.ts';
import type { Database } from '../store/database.ts';
import {
  CLOCK_TOLERANCE,
  countByStatus,
  publishStatistics,
  readStatistics,
  type Statistics,
} from '../store/statistics.ts';
import type { StatusShards } from '../store/status-shards.ts';
import { changesThrough } from '../store/transact.ts';

/** Counting may take at most this part of the time, however often it is asked for. */
export const COUNTING_SHARE = 0.1;
/** Between two counts of one process, at least. */
const MINIMUM_PAUSE_MS = 1_000;

export interface PoolStatisticsParts {
  readonly database: Database;
  readonly shards: StatusShards;
  readonly clock: Clock;
  /** A published count older than this is counted anew when somebody asks. Milliseconds. */
  readonly maxAgeMs: number;
  /** Told of every count that this process learns of. */
  readonly onStatistics: (statistics: Statistics) => void;
}

/**
 * The counts of the pool, exact as of a moment that they name. One row holds them for every process; a count
 * walks the whole index, so it is made once in a while, never by a scrape, and by one caller at a time.
 */
export class PoolStatistics {
  readonly #parts: PoolStatisticsParts;
  #latest: Statistics | undefined;
  #counting: Promise<Statistics> | undefined;
  #pauseUntil = Number.NEGATIVE_INFINITY;
  /** What `changesThrough` said when the last count that succeeded was begun. */
  #changesCounted: number | undefined;

  constructor(parts: PoolStatisticsParts) {
    this.#parts = parts;
  }

  /**
   * Counts when the latest count is old, or this process has written to the table since it was begun, as often as
   * the pause allows. What other processes have written since shows when the count is old.
   */
  async current(): Promise<Statistics> {
    const { database, clock, maxAgeMs } = this.#parts;
    if (clock.monotonic() < this.#pauseUntil && this.#latest !== undefined) return this.#latest;
    if (this.#changesCounted === changesThrough(database)) {
      const published = await this.refresh();
      if (published !== undefined && clock.now() - published.asOf * 1000 < maxAgeMs) return published;
    }
    return this.count();
  }

  /** Counts now, and publishes it. Whoever asks meanwhile shares the result. */
  count(): Promise<Statistics> {
    this.#counting ??= this.#count().finally(() => {
      this.#counting = undefined;
    });
    return this.#counting;
  }

  /** Reads what was published last. */
  async refresh(): Promise<Statistics | undefined> {
    const { database, clock } = this.#parts;
    const published = await readStatistics(database);
    // It would be the latest one until that time has come.
    if (published !== undefined && published.asOf > unixSeconds(clock) + CLOCK_TOLERANCE) return undefined;
    if (published !== undefined && published.asOf >= (this.#latest?.asOf ?? 0)) this.#learn(published);
    return published;
  }

  async #count(): Promise<Statistics> {
    const { clock, database, shards } = this.#parts;
    const began = clock.monotonic();
    const asOf = unixSeconds(clock);
    const changes = changesThrough(database);
    const counts = await countByStatus(database, shards);
    this.#changesCounted = changes;
    const duration = clock.monotonic() - began;
    this.#pauseUntil = clock.monotonic() + Math.max(MINIMUM_PAUSE_MS, duration / COUNTING_SHARE);
    this.#learn({ counts, asOf });
    await publishStatistics(database, { counts, asOf });
    return { counts, asOf };
  }

  #learn(statistics: Statistics): void {
    this.#latest = statistics;
    this.#parts.onStatistics(statistics);
  }
}
