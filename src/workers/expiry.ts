import type { Releaser } from '../allocation/releaser.ts';
import type { Clock } from '../domain/clock.ts';
import { isExpired } from '../domain/sandbox.ts';
import type { Database } from '../store/database.ts';
import type { PoolReader } from '../store/pool-reader.ts';
import type { StatusShards } from '../store/status-shards.ts';
import { walkStatus } from '../store/status-walk.ts';
import { inLanes } from './in-lanes.ts';
import type { Job, JobContext, JobResult } from './job.ts';
import { type DatabaseTime, presentTime } from './present-time.ts';

export interface ExpiryParts {
  readonly database: Database;
  readonly shards: StatusShards;
  readonly reader: PoolReader;
  readonly releaser: Releaser;
  readonly clock: Clock;
  readonly intervalSeconds: number;
  readonly labDurationHours: number;
  readonly gracePeriodMinutes: number;
  readonly databaseTime?: DatabaseTime;
}

const LANES = 16;

/** A clock that is ahead by more is told of, in seconds. */
const CLOCK_AHEAD_SECONDS = 60;

/** Ends allocations whose lab and grace time are over: scripts crash, and students close their laptops. */
export class ExpiryJob implements Job {
  readonly name = 'expiry';
  readonly intervalSeconds: number;
  readonly #parts: ExpiryParts;

  constructor(parts: ExpiryParts) {
    this.#parts = parts;
    this.intervalSeconds = parts.intervalSeconds;
  }

  async run(context: JobContext): Promise<JobResult> {
    const { clock, releaser, labDurationHours, gracePeriodMinutes } = this.#parts;
    const { now, ahead } = await presentTime(clock, this.#parts.databaseTime);
    const before = Math.floor(now - labDurationHours * 3600 - gracePeriodMinutes * 60);
    let expired = 0;
    let overtaken = 0;
    // A lab that was promised to be shorter than is usual now is found late: when one of today's would be over.
    for await (const rows of walkStatus(this.#parts, 'allocated', before)) {
      // What an allocation was promised stands in its row: it may have been promised longer than is usual now.
      const over = rows.filter((row) => isExpired(row, gracePeriodMinutes, now));
      await inLanes(over, LANES, context.signal, async (row) => {
        if (await releaser.expire(row, context.author)) expired += 1;
        else overtaken += 1;
        context.report({ expired, overtaken });
      });
      if (context.signal.aborted) break;
    }
    const skew = ahead > CLOCK_AHEAD_SECONDS ? { clock_ahead_seconds: ahead } : {};
    return { outcome: 'success', notes: { expired, overtaken, ...skew } };
  }
}
