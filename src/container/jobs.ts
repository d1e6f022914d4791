import type { Logger } from 'pino';
import type { OperatorMoves } from '../allocation/operator-moves.ts';
import type { PoolStatistics } from '../allocation/pool-statistics.ts';
import type { Releaser } from '../allocation/releaser.ts';
import type { Config } from '../config.ts';
import { systemClock } from '../domain/clock.ts';
import type { Metrics } from '../observability/metrics.ts';
import { readDatabaseTime } from '../store/database-time.ts';
import type { JobRows } from '../store/job-rows.ts';
import { CleanupJob } from '../workers/cleanup.ts';
import { ExpiryJob } from '../workers/expiry.ts';
import type { Job } from '../workers/job.ts';
import { Jobs } from '../workers/jobs.ts';
import { StaleJob } from '../workers/stale.ts';
import { StatisticsJob } from '../workers/statistics.ts';
import { SyncJob } from '../workers/sync.ts';
import type { Provider } from './provider.ts';
import type { TableAccess } from './table-access.ts';

export interface JobParts extends TableAccess, Provider {
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly releaser: Releaser;
  readonly moves: OperatorMoves;
  readonly statistics: PoolStatistics;
  readonly jobRows: JobRows;
}

/** The background jobs, as configured. */
export function createJobs(config: Config, parts: JobParts): Jobs {
  const { csp } = parts;
  // Whoever brings a clock of its own means that clock.
  const databaseTime = parts.clock === systemClock ? () => readDatabaseTime(parts.database) : undefined;
  const withProvider: Job[] =
    csp === undefined
      ? []
      : [
          new SyncJob({
            ...parts,
            csp,
            intervalSeconds: config.SYNC_INTERVAL_SEC,
            maxStalePercent: config.SYNC_MAX_STALE_PERCENT,
          }),
          new CleanupJob(
            {
              intervalSeconds: config.CLEANUP_INTERVAL_SEC,
              batchSize: config.CLEANUP_BATCH_SIZE,
              batchDelaySeconds: config.CLEANUP_BATCH_DELAY_SEC,
              perSandboxDelaySeconds: config.CLEANUP_PER_SANDBOX_DELAY_SEC,
              concurrency: config.CLEANUP_CONCURRENCY,
              maxAttempts: config.DELETION_RETRY_MAX_ATTEMPTS,
              maxDeletions: config.CLEANUP_MAX_DELETIONS,
              windowSeconds: config.CLEANUP_WINDOW_SEC,
              maxStalePercent: config.SYNC_MAX_STALE_PERCENT,
            },
            { ...parts, csp, onNiosxaas: (cleanup) => parts.metrics.observeNiosxaas(cleanup) },
          ),
        ];
  return new Jobs([
    ...withProvider,
    new ExpiryJob({
      ...parts,
      intervalSeconds: config.AUTO_EXPIRY_INTERVAL_SEC,
      labDurationHours: config.LAB_DURATION_HOURS,
      gracePeriodMinutes: config.GRACE_PERIOD_MINUTES,
      databaseTime,
    }),
    new StaleJob({
      ...parts,
      intervalSeconds: config.STALE_INTERVAL_SEC,
      gracePeriodHours: config.STALE_GRACE_PERIOD_HOURS,
      gracePeriodMinutes: config.GRACE_PERIOD_MINUTES,
      databaseTime,
    }),
    new StatisticsJob(parts.statistics, config.STATISTICS_INTERVAL_SEC, parts.clock),
  ]);
}
