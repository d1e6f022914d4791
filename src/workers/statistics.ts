import { COUNTING_SHARE, type PoolStatistics } from '../allocation/pool-statistics.ts';
import type { Clock } from '../domain/clock.ts';
import type { Job, JobResult } from './job.ts';

/** Counts the pool and publishes the counts, so that no scrape and no dashboard has to. */
export class StatisticsJob implements Job {
  readonly name = 'statistics';
  readonly intervalSeconds: number;
  readonly #statistics: Pick<PoolStatistics, 'count'>;
  readonly #clock: Clock;
  #restUntil = Number.NEGATIVE_INFINITY;

  constructor(statistics: Pick<PoolStatistics, 'count'>, intervalSeconds: number, clock: Clock) {
    this.#statistics = statistics;
    this.intervalSeconds = intervalSeconds;
    this.#clock = clock;
  }

  /** A pool so large that counting it takes more than its share of the interval is counted less often. */
  async run(): Promise<JobResult> {
    const began = this.#clock.monotonic();
    if (began < this.#restUntil) return { outcome: 'success', notes: { counted: false } };
    const { counts } = await this.#statistics.count();
    const ended = this.#clock.monotonic();
    const rest = (ended - began) / COUNTING_SHARE;
    if (rest > this.intervalSeconds * 1000) this.#restUntil = ended + rest;
    return { outcome: 'success', notes: { counted: true, ...counts } };
  }
}
