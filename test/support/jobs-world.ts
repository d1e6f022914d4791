import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { onTestFinished } from 'vitest';
import type { Config } from '../../src/config.ts';
import type { Overrides } from '../../src/container/table-access.ts';
import { seededRandom } from '../../src/local/csp-simulator/seeded-random.ts';
import type { SimulatedAccount } from '../../src/local/csp-simulator/simulated-accounts.ts';
import { type CspSimulatorOptions, startCspSimulator } from '../../src/local/csp-simulator.ts';
import { sandboxOf } from '../../src/local/provider-accounts.ts';
import type { FinishedRun } from '../../src/store/job-rows.ts';
import { fillPool } from '../../src/store/new-sandboxes.ts';
import type { JobInput, JobName } from '../../src/workers/job.ts';
import { startBroker, type TestBroker } from './broker.ts';
import { allocate, release } from './client.ts';
import { DrivenTime } from './driven-time.ts';
import { type Environment, type TestTable, tableOfTest } from './table.ts';
import { isSandbox } from './table-rows.ts';
import { tapDatabase } from './tapped-database.ts';

export interface MortalBroker extends TestBroker {
  /** As SIGKILL does it. */
  die(): void;
}

export type Row = Record<string, unknown>;

export interface JobsWorldOptions {
  /** Accounts that the provider has and the pool holds as available. */
  readonly accounts?: number;
  readonly environment?: Environment;
  readonly simulator?: CspSimulatorOptions;
  /** The same numbers in every run of a test by default. */
  readonly random?: () => number;
}

export type JobsWorld = Awaited<ReturnType<typeof jobsWorld>>;

/**
 * One broker over a table and a simulated provider, on a clock that moves when the test lets it: what a job does in
 * hours is seen in a moment. No job runs by itself.
 */
export async function jobsWorld(options: JobsWorldOptions = {}) {
  const time = new DrivenTime();
  const simulator = await startCspSimulator({ clock: time.providerClock, ...options.simulator });
  onTestFinished(() => simulator.close());
  time.watchProvider(simulator);
  const environment = {
    CSP_BASE_URL: simulator.baseUrl,
    CSP_API_TOKEN: simulator.token,
    NIOSXAAS_BASE_URL: simulator.url,
    NIOSXAAS_EMAIL: simulator.niosxaas.email,
    NIOSXAAS_PASSWORD: simulator.niosxaas.password,
    LOG_LEVEL: 'warn',
    ...options.environment,
  };
  const table = await tableOfTest({ environment, overrides: { clock: time.clock } });
  const random = options.random ?? seededRandom(1);

  /** Another process, as far as this world goes. */
  async function newBroker(overrides: Overrides = {}, changes: Environment = {}): Promise<MortalBroker> {
    let dead = false;
    const watched = time.watchDatabase(overrides.database ?? table.database);
    // What is dead calls nobody, and hears of nothing.
    const database = tapDatabase(watched, async (_call, next) => {
      if (dead) return new Promise(() => {});
      const answer = await next();
      return dead ? new Promise(() => {}) : answer;
    });
    const environment = { ...table.environment, ...changes };
    const broker = await startBroker(environment, { clock: time.clock, random, ...overrides, database });
    onTestFinished(async () => {
      // Nor does it stop.
      if (!dead) await broker.close();
    });
    return {
      ...broker,
      die: () => {
        dead = true;
      },
    };
  }
  const broker = await newBroker();
  const world = worldOf(time, simulator, table, broker);
  await world.addToPool(simulator.accounts.create({ count: options.accounts ?? 0 }));
  return { ...world, newBroker, simulator };
}

function worldOf(
  time: DrivenTime,
  simulator: Awaited<ReturnType<typeof startCspSimulator>>,
  table: TestTable,
  broker: TestBroker,
) {
  const config: Config = table.config;

  /** Runs a job to its end, as the schedule would, and lets pass what time it needs. */
  async function run(name: JobName, input: JobInput = {}, by: TestBroker = broker): Promise<FinishedRun> {
    const { runner, jobs } = by.container;
    const start = await time.until(runner.start(jobs.get(name), 'schedule', input));
    if (!start.started) throw new Error(`The job did not start: ${start.because}`);
    return time.until(start.finished);
  }

  /** Rows of accounts as sync would make them. */
  async function addToPool(accounts: readonly SimulatedAccount[]): Promise<void> {
    await fillPool(
      table.database,
      table.shards,
      accounts.map(sandboxOf),
      Math.floor(time.clock.now() / 1000),
    );
  }

  async function rows(): Promise<Map<string, Row>> {
    const items = await table.items();
    const sandboxes = items.filter(isSandbox);
    return new Map(sandboxes.map((row) => [String(row.sandbox_id), row]));
  }

  /** How many rows there are of each status. */
  async function counts(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const row of (await rows()).values()) {
      const status = String(row.status);
      counts[status] = (counts[status] ?? 0) + 1;
    }
    return counts;
  }

  async function tombstones(): Promise<string[]> {
    const items = await table.items();
    return items
      .filter((item) => String(item.PK).startsWith('TOMB#'))
      .map((item) => String(item.sandbox_id))
      .sort();
  }

  /** Students take so many sandboxes. @returns the sandboxes, by student */
  async function allocated(count: number, prefix = 'student'): Promise<Map<string, string>> {
    const held = new Map<string, string>();
    await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const track = `${prefix}-${index}`;
        const answer = await allocate(broker.url, track);
        if (answer.status !== 201) throw new Error(`Not allocated: ${JSON.stringify(answer.body)}`);
        held.set(track, answer.body.sandbox_id);
      }),
    );
    return held;
  }

  /** Students take so many sandboxes and give them back. @returns the sandboxes */
  async function released(count: number, prefix = 'student'): Promise<string[]> {
    const held = await allocated(count, prefix);
    await Promise.all([...held].map(([track, sandboxId]) => release(broker.url, track, sandboxId)));
    return [...held.values()];
  }

  /** Changes attributes of rows past every rule, such as to make them older. */
  async function backdate(sandboxIds: string | Iterable<string>, changes: Row): Promise<void> {
    const all = await rows();
    const ids = typeof sandboxIds === 'string' ? [sandboxIds] : sandboxIds;
    for (const sandboxId of ids) {
      const Item = { ...all.get(sandboxId), ...changes };
      await table.database.documents.send(new PutCommand({ TableName: table.database.tableName, Item }));
    }
  }

  /** The provider's account of a sandbox, if it has it still. */
  const account = (sandboxId: string) => simulator.accounts.find(sandboxId);

  return {
    time,
    clock: time.clock,
    table,
    config,
    broker,
    run,
    addToPool,
    rows,
    counts,
    tombstones,
    allocated,
    released,
    backdate,
    account,
  };
}
