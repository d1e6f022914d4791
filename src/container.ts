import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { Allocator } from './allocation/allocator.ts';
import { BulkRemoval } from './allocation/bulk-removal.ts';
import { CandidateBuffer } from './allocation/candidate-buffer.ts';
import { GroupCommit } from './allocation/group-commit.ts';
import { Neighbours } from './allocation/neighbours.ts';
import { OperatorMoves } from './allocation/operator-moves.ts';
import { PoolStatistics } from './allocation/pool-statistics.ts';
import { RecentClaims } from './allocation/recent-claims.ts';
import { Releaser } from './allocation/releaser.ts';
import type { Config } from './config.ts';
import { createJobs } from './container/jobs.ts';
import { openProvider } from './container/provider.ts';
import { createCredentials, openSecrets } from './container/secrets.ts';
import { type Overrides, openTable } from './container/table-access.ts';
import { createLogger } from './observability/logger.ts';
import { createMetrics, type Metrics } from './observability/metrics.ts';
import { Adoption } from './store/adoption.ts';
import { AvailableWalk } from './store/available-walk.ts';
import { JobRows } from './store/job-rows.ts';
import { transact } from './store/transact.ts';
import { IntervalWorker } from './workers/interval-worker.ts';
import { JobRunner } from './workers/job-runner.ts';

export type Container = ReturnType<typeof createContainer>;

/** Puts everything together, and starts nothing. */
export function createContainer(config: Config, overrides: Overrides = {}) {
  const metrics = overrides.metrics ?? createMetrics();
  const table = openTable(config, { ...overrides, metrics });
  const { clock, random, database, shards, reader, listing, claims, previous } = table;
  const logger = overrides.logger ?? createLogger({ level: config.LOG_LEVEL, format: config.LOG_FORMAT });
  const backoff = { backoffBaseMs: config.BACKOFF_BASE_MS, backoffMaxMs: config.BACKOFF_MAX_MS };
  const timing = { clock, random };
  const adoption = new Adoption(database, clock);
  const statistics = new PoolStatistics({
    database,
    shards,
    clock,
    maxAgeMs: config.STATISTICS_INTERVAL_SEC * 1000,
    onStatistics: ({ counts, asOf }) => metrics.setPool(counts, asOf),
  });
  const commits = new GroupCommit(
    { maxInFlight: config.COMMIT_MAX_IN_FLIGHT, maxBatch: config.COMMIT_MAX_BATCH, ...backoff },
    {
      transact: (items, token) => transact(database, items, token),
      ...timing,
      observe: (event) => observeCommit(metrics, event),
    },
  );
  const instance = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  const neighbours = new Neighbours({ database, ...timing, logger, instance });
  const buffer = new CandidateBuffer(
    { minimumRefill: config.K_CANDIDATES, ...backoff },
    {
      openWalk: (namePrefix) =>
        new AvailableWalk(database, shards, namePrefix, Math.floor(random() * (config.STATUS_SHARDS + 1))),
      neighbours,
      ...timing,
    },
  );
  const allocator = new Allocator(
    { labDurationHours: config.LAB_DURATION_HOURS, maxLostRaces: config.K_CANDIDATES, ...backoff },
    {
      database,
      shards,
      buffer,
      commits,
      claims,
      adoption,
      previous,
      recent: new RecentClaims(clock),
      ...timing,
      onConflict: () => metrics.countConflict(),
    },
  );
  const releaser = new Releaser({ database, shards, reader, commits, ...timing, ...backoff });
  const moves = new OperatorMoves({ database, shards, reader, releaser, ...timing, ...backoff });
  const removal = new BulkRemoval(listing, moves, clock);

  const secrets = openSecrets(config, { ...timing, logger });
  const credentials = createCredentials(config, secrets, logger);

  const provider = overrides.provider ?? openProvider(config, clock, metrics, secrets);
  const jobRows = new JobRows(database, clock);
  const runner = new JobRunner({
    rows: jobRows,
    clock,
    logger,
    holder: instance,
    leaseMs: config.JOB_LEASE_SEC * 1000,
    onFinished: (job, run) => metrics.observeRun(job, run),
  });
  const jobs = createJobs(config, {
    ...table,
    metrics,
    logger,
    releaser,
    moves,
    statistics,
    jobRows,
    ...provider,
  });
  const workers = jobs.all.map((job) => new IntervalWorker(job, { runner, ...timing, logger }));

  return {
    ...table,
    config,
    logger,
    metrics,
    adoption,
    statistics,
    neighbours,
    allocator,
    releaser,
    moves,
    removal,
    credentials,
    jobRows,
    secrets,
    runner,
    jobs,
    workers,
    /** Ends runs and gives their leases back, so that another process takes the jobs over at once. */
    stopJobs: async () => {
      await Promise.all([runner.stop(), ...workers.map((worker) => worker.stop())]);
    },
    close: async () => {
      await Promise.all([provider.csp?.close(), provider.niosxaas.close()]);
      secrets.close();
      database.close();
    },
  };
}

function observeCommit(
  metrics: Metrics,
  event: { units: number; ended: 'committed' | 'cancelled' | 'failed' },
): void {
  metrics.databaseTransactions.inc({ ended: event.ended });
  metrics.databaseTransactionUnits.inc(event.units);
}
