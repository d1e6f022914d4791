import type { PoolStatistics } from '../allocation/pool-statistics.ts';
import type { Job, JobResult } from './job.ts';

/** Counts the pool and publishes the counts, so that no scrape and no dashboard has to. */
export class StatisticsJob implements Job {
  readonly name = 'statistics';
  readonly intervalSeconds: number;
  readonly #statistics: PoolStatistics;

  constructor(statistics: PoolStatistics, intervalSeconds: number) {
    this.#statistics = statistics;
    this.intervalSeconds = intervalSeconds;
  }

  async run(): Promise<JobResult> {
    const { counts } = await this.#statistics.count();
    return { outcome: 'success', notes: { ...counts } };
  }
}
