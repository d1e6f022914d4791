import { Deadline } from '../allocation/deadline.ts';
import type { Releaser } from '../allocation/releaser.ts';
import type { Clock } from '../domain/clock.ts';
import { expiresAt } from '../domain/sandbox.ts';
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
/** For one allocation to be ended; the next run finds those that were not. */
const DEADLINE_MS = 30_000;

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
    const graceSeconds = gracePeriodMinutes * 60;
    const before = Math.floor(now - labDurationHours * 3600 - graceSeconds);
    let expired = 0;
    let overtaken = 0;
    // A lab that was promised to be shorter than is usual now is found late: when one of today's would be over.
    for await (const rows of walkStatus(this.#parts, 'allocated', before)) {
      // What an allocation was promised stands in its row: it may have been promised longer than is usual now.
      const over = rows.filter((row) => expiresAt(row) + graceSeconds < now);
      await inLanes(over, LANES, context.signal, async (row) => {
        const ended = await releaser.end(row, 'expire', context.author, new Deadline(clock, DEADLINE_MS));
        if (ended === undefined) overtaken += 1;
        else expired += 1;
        context.report({ expired, overtaken });
      });
      if (context.signal.aborted) break;
    }
    const skew = ahead > CLOCK_AHEAD_SECONDS ? { clock_ahead_seconds: ahead } : {};
    return { outcome: 'success', notes: { expired, overtaken, ...skew } };
  }
}
