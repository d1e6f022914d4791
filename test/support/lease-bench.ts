import type { Clock } from '../../src/domain/clock.ts';
import { createLogger } from '../../src/observability/logger.ts';
import type { Database } from '../../src/store/database.ts';
import { type FinishedRun, JobRows } from '../../src/store/job-rows.ts';
import type { Job } from '../../src/workers/job.ts';
import { JobRunner } from '../../src/workers/job-runner.ts';
import { DrivenTime } from './driven-time.ts';
import { tableOfTest } from './table.ts';
import { tapDatabase } from './tapped-database.ts';
import { watchedLog } from './watched-log.ts';

/** The lease of every runner here. */
export const LEASE_MS = 30_000;

export type LeaseBench = Awaited<ReturnType<typeof leaseBench>>;
export type Participant = ReturnType<LeaseBench['participant']>;

/** Processes that share a table and its leases, in one process and on one clock. */
export async function leaseBench() {
  const time = new DrivenTime();
  const table = await tableOfTest({ overrides: { clock: time.clock } });
  const watched = time.watchDatabase(table.database);
  const rows = new JobRows(watched, time.clock);

  /** A process, as far as jobs are concerned. */
  function participant(holder: string, options: { clock?: Clock; database?: Database } = {}) {
    const clock = options.clock ?? time.clock;
    let dead = false;
    // What is dead calls nobody, and hears of nothing.
    const database = tapDatabase(options.database ?? watched, (_call, next) =>
      dead ? new Promise(() => {}) : next().then((answer) => (dead ? new Promise(() => {}) : answer)),
    );
    const finished: FinishedRun[] = [];
    const log: string[] = [];
    const watch = watchedLog(table.environment);
    const write = (line: string) => {
      log.push(line);
      watch(line);
    };
    const logger = createLogger({ level: 'info', format: 'json' }, { write });
    const own = new JobRows(database, clock);
    const runner = new JobRunner({
      rows: own,
      clock,
      logger,
      holder,
      leaseMs: LEASE_MS,
      onFinished: (_job, run) => finished.push(run),
    });
    return {
      holder,
      runner,
      rows: own,
      clock,
      logger,
      log,
      /** What it reported of its runs. */
      finished,
      /** As SIGKILL does it. */
      die: () => {
        dead = true;
      },
      isDead: () => dead,
      /** Starts the job, or fails the test. */
      begin: async (job: Job) => {
        const start = await runner.start(job, 'schedule');
        if (!start.started) throw new Error(`${holder} did not start: ${start.because}`);
        return start;
      },
    };
  }

  return { time, clock: time.clock, table, database: watched, rows, participant };
}
