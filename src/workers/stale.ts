import type { OperatorMoves } from '../allocation/operator-moves.ts';
import { type Clock, unixSeconds } from '../domain/clock.ts';
import type { Database } from '../store/database.ts';
import type { PoolReader } from '../store/pool-reader.ts';
import type { StatusShards } from '../store/status-shards.ts';
import { walkStatus } from '../store/status-walk.ts';
import { inLanes } from './in-lanes.ts';
import type { Job, JobContext, JobResult } from './job.ts';

export interface StaleParts {
  readonly database: Database;
  readonly shards: StatusShards;
  readonly reader: PoolReader;
  readonly moves: OperatorMoves;
  readonly clock: Clock;
  readonly intervalSeconds: number;
  readonly gracePeriodHours: number;
}

const LANES = 16;

/** Removes rows that have been stale for long: the provider has not listed them again. */
export class StaleJob implements Job {
  readonly name = 'stale';
  readonly intervalSeconds: number;
  readonly #parts: StaleParts;

  constructor(parts: StaleParts) {
    this.#parts = parts;
    this.intervalSeconds = parts.intervalSeconds;
  }

  async run(context: JobContext): Promise<JobResult> {
    const { clock, moves } = this.#parts;
    const gracePeriodHours = context.input.gracePeriodHours ?? this.#parts.gracePeriodHours;
    const before = unixSeconds(clock) - gracePeriodHours * 3600;
    let deleted = 0;
    let overtaken = 0;
    for await (const rows of walkStatus(this.#parts, 'stale')) {
      // The previous broker did not write since when a row is stale, only when it was touched last.
      const old = rows.filter((row) => (row.staleSince || row.updatedAt) <= before);
      await inLanes(old, LANES, context.signal, async (row) => {
        if (await moves.remove(row, context.author)) deleted += 1;
        else overtaken += 1;
        context.report({ deleted, overtaken });
      });
      if (context.signal.aborted) break;
    }
    return { outcome: 'success', notes: { deleted, overtaken, grace_period_hours: gracePeriodHours } };
  }
}
