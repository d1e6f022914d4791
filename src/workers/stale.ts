import type { OperatorMoves } from '../allocation/operator-moves.ts';
import type { Releaser } from '../allocation/releaser.ts';
import { type Clock, type Random, unixSeconds } from '../domain/clock.ts';
import { isExpired, wasHeld } from '../domain/sandbox.ts';
import type { Database } from '../store/database.ts';
import type { JobRows } from '../store/job-rows.ts';
import { moveWrite } from '../store/move-writes.ts';
import type { PoolReader } from '../store/pool-reader.ts';
import type { StoredSandbox } from '../store/sandbox-row.ts';
import type { StatusShards } from '../store/status-shards.ts';
import { walkStatus } from '../store/status-walk.ts';
import { transactPatiently } from '../store/transact.ts';
import { inLanes } from './in-lanes.ts';
import type { Job, JobContext, JobResult } from './job.ts';
import { type DatabaseTime, presentTime } from './present-time.ts';

export interface StaleParts {
  readonly database: Database;
  readonly shards: StatusShards;
  readonly reader: PoolReader;
  readonly moves: OperatorMoves;
  readonly releaser: Releaser;
  readonly clock: Clock;
  readonly random: Random;
  readonly intervalSeconds: number;
  readonly gracePeriodHours: number;
  /** After a lab's time, before an allocation is ended. */
  readonly gracePeriodMinutes: number;
  readonly jobRows: JobRows;
  readonly databaseTime?: DatabaseTime;
}

const LANES = 16;

/**
 * Removes rows that have been stale for long: the provider has not listed them again.
 *
 * That it has not is known from a listing that was believed after the grace period: while sync is held back, fails or
 * is braked, nobody looks, and the rows wait. Whoever names the hours by hand says that the rows may go.
 *
 * A row that somebody held, as the previous broker's sync made some, is not removed: when its lab is over it goes to
 * its deletion, like any other allocation.
 */
export class StaleJob implements Job {
  readonly name = 'stale';
  readonly intervalSeconds: number;
  readonly #parts: StaleParts;

  constructor(parts: StaleParts) {
    this.#parts = parts;
    this.intervalSeconds = parts.intervalSeconds;
  }

  async run(context: JobContext): Promise<JobResult> {
    const { clock, moves, releaser, gracePeriodMinutes, databaseTime } = this.#parts;
    const byHand = context.input.gracePeriodHours;
    const gracePeriodHours = byHand ?? this.#parts.gracePeriodHours;
    const { now } = await presentTime(clock, databaseTime);
    const lookedAt = byHand === undefined ? await this.#lastListingAt() : now;
    const graceEnds = (row: StoredSandbox) => staleSince(row) + gracePeriodHours * 3600;
    let deleted = 0;
    let expired = 0;
    let overtaken = 0;
    let waiting = 0;
    for await (const rows of walkStatus(this.#parts, 'stale')) {
      const due = rows.filter((row) =>
        wasHeld(row) ? isExpired(row, gracePeriodMinutes, now) : graceEnds(row) <= now,
      );
      await inLanes(due, LANES, context.signal, async (row) => {
        if (wasHeld(row)) {
          if (await releaser.expire(row, context.author)) expired += 1;
          else overtaken += 1;
        } else if (staleSince(row) === 0 && gracePeriodHours > 0) await this.#beginGrace(row);
        else if (graceEnds(row) > lookedAt) waiting += 1;
        else if (await moves.remove(row, context.author)) deleted += 1;
        else overtaken += 1;
        context.report({ deleted, expired, overtaken });
      });
      if (context.signal.aborted) break;
    }
    return {
      outcome: waiting === 0 ? 'success' : 'waits_for_sync',
      notes: { deleted, expired, overtaken, waiting, grace_period_hours: gracePeriodHours },
    };
  }

  /** When the last sync ended, if it believed its listing and could read all of it. Unix seconds; 0 where not. */
  async #lastListingAt(): Promise<number> {
    const { lastRun } = await this.#parts.jobRows.read('sync');
    const isBelieved = lastRun?.outcome === 'success' && lastRun.result.unreadable === 0;
    return isBelieved ? lastRun.finishedAt : 0;
  }

  /** Nobody knows since when it is stale: its time begins now. */
  async #beginGrace(row: StoredSandbox): Promise<void> {
    const { database, shards, clock } = this.#parts;
    const now = unixSeconds(clock);
    const write = moveWrite(database, shards, row, 'stale', now, { stale_since: { N: String(now) } });
    await transactPatiently(database, [write], this.#parts);
  }
}

/** The previous broker wrote only when a row was touched last, and not always as a number. Unix seconds; 0: not known. */
function staleSince(row: StoredSandbox): number {
  return row.staleSince || row.updatedAt;
}
