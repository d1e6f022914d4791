import type { Random } from '../../src/domain/clock.ts';
import { type BrokerProcess, startBrokerProcess } from '../../src/local/broker-process.ts';
import { seededRandom } from '../../src/local/csp-simulator/seeded-random.ts';
import { startCspSimulator } from '../../src/local/csp-simulator.ts';
import { sandboxOf } from '../../src/local/provider-accounts.ts';
import { fillPool } from '../../src/store/new-sandboxes.ts';
import { type DynamoDbProxy, startDynamoDbProxy } from '../faults/dynamodb-proxy.ts';
import {
  conflictOn,
  type Fault,
  isIndexQuery,
  resetAfter,
  resetBefore,
  serverError,
  silenceAfter,
  throttled,
  transactionInProgress,
} from '../faults/wire-faults.ts';
import { violations } from '../support/invariants.ts';
import { type Environment, makeTable } from '../support/table.ts';
import { leakTexts, watchedLog } from '../support/watched-log.ts';
import { runClass } from './class-of-clients.ts';
import type { History } from './history.ts';
import { Recorder, type Target } from './recorder.ts';
import { tableAtEnd } from './table-at-end.ts';

export interface ConcurrentRunOptions {
  readonly engineUrl: string;
  readonly seconds: number;
  /** Goes on beyond that, up to ten times as long, until there were so many calls: a machine may be slow. */
  readonly atLeastCalls?: number;
  readonly brokers: number;
  readonly clients: number;
  readonly pool: number;
  readonly seed: number;
  /** Seconds between two kills of a broker (SIGKILL); none without. */
  readonly killEverySeconds?: number | undefined;
  /** Whether the database fails at the wire, now and then. */
  readonly faults: boolean;
  /** How far the indexes are behind, in milliseconds. */
  readonly indexLagMs: number;
  readonly onProgress?: (text: string) => void;
}

export interface ConcurrentRun {
  readonly history: History;
  /** What the table holds at the end against the invariants. */
  readonly violations: readonly string[];
  /** The table at the end. */
  readonly items: readonly Record<string, unknown>[];
  readonly kills: number;
  readonly faultsStruck: number;
}

/** The brokers; who reads the table at the end has all the time. */
const IMPATIENT: Environment = { DDB_TIMEOUT_REQUEST_MS: '1000', REQUEST_DEADLINE_MS: '3000' };
/** Longer than a broker's own deadline, so that most answers are heard. */
const CLIENT_TIMEOUT_MS = 4_000;
const MAX_STARTS = 10;
/** An empty pool may be remembered so long. */
const EMPTY_POOL_MEMORY_MS = 1_000;

/** Many clients at several broker processes on one table, which fails and whose brokers are killed, as told. */
export async function runConcurrently(options: ConcurrentRunOptions): Promise<ConcurrentRun> {
  const random = seededRandom(options.seed);
  const ends: (() => Promise<unknown> | unknown)[] = [];
  try {
    const proxy = await startDynamoDbProxy(options.engineUrl, {
      random,
      laggingIndexes: options.indexLagMs > 0,
    });
    ends.push(() => proxy.close());
    const provider = await startCspSimulator({ accounts: options.pool });
    ends.push(() => provider.close());
    const table = await makeTable({
      endpoint: proxy.url,
      environment: {
        CSP_BASE_URL: provider.baseUrl,
        CSP_API_TOKEN: provider.token,
        SYNC_INTERVAL_SEC: '2',
        CLEANUP_INTERVAL_SEC: '1',
        CLEANUP_BATCH_DELAY_SEC: '0',
        JOB_LEASE_SEC: '3',
      },
    });
    ends.push(() => table.drop());
    const recorder = new Recorder(CLIENT_TIMEOUT_MS);
    await fillPool(
      table.database,
      table.shards,
      provider.accounts.all().map(sandboxOf),
      Math.floor(Date.now() / 1000),
    );
    const since = recorder.now();
    const pool = provider.accounts
      .all()
      .map(({ csp_id, name }) => ({ sandboxId: String(csp_id), name, since }));

    const fleet = await Fleet.start(options.brokers, { ...table.environment, ...IMPATIENT });
    ends.push(() => fleet.kill());
    proxy.indexes.lagBy(options.indexLagMs);
    if (options.faults) strikeNowAndThen(proxy);
    const enough = () => recorder.calls.length >= (options.atLeastCalls ?? 0);
    const kills = await withKills(fleet, random, options, enough, (goesOn) =>
      runClass({
        recorder,
        targets: () => fleet.targets,
        clients: options.clients,
        tracks: Math.max(3, Math.floor(options.clients / 2)),
        random,
        goesOn,
      }),
    );
    proxy.clear();
    await fleet.stop();

    const items = await table.items();
    return {
      history: {
        calls: recorder.calls,
        cleanupRuns: true,
        pool,
        emptyPoolMemory: EMPTY_POOL_MEMORY_MS + options.indexLagMs,
        ...tableAtEnd(items),
      },
      violations: [...violations(items), ...leakTexts()],
      items,
      kills,
      faultsStruck: proxy.struck,
    };
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

/** The brokers, of which one may be killed and started anew while the others go on. */
class Fleet {
  readonly #environment: Record<string, string | undefined>;
  readonly #brokers: { name: string; process: BrokerProcess }[] = [];
  #started = 0;

  private constructor(environment: Record<string, string | undefined>) {
    this.#environment = { PATH: process.env.PATH, ...environment };
  }

  static async start(count: number, environment: Record<string, string | undefined>): Promise<Fleet> {
    const fleet = new Fleet(environment);
    await Promise.all(Array.from({ length: count }, () => fleet.#add()));
    return fleet;
  }

  get targets(): Target[] {
    return this.#brokers.map(({ name, process: { url } }) => ({ name, url }));
  }

  async replaceOne(random: Random): Promise<void> {
    const [victim] = this.#brokers.splice(Math.floor(random() * this.#brokers.length), 1);
    victim?.process.process.kill('SIGKILL');
    await this.#add();
  }

  async stop(): Promise<void> {
    await Promise.all(this.#brokers.splice(0).map((broker) => broker.process.stop()));
  }

  async kill(): Promise<void> {
    for (const { process: broker } of this.#brokers.splice(0)) {
      broker.process.kill('SIGKILL');
      await broker.ended;
    }
  }

  async #add(): Promise<void> {
    this.#started += 1;
    const name = `broker ${this.#started}`;
    for (let tries = 1; ; tries += 1) {
      try {
        this.#brokers.push({
          name,
          process: await startBrokerProcess(this.#environment, watchedLog(this.#environment)),
        });
        return;
      } catch (error) {
        // The database failed it at its start: whoever looks after processes starts it again.
        if (tries === MAX_STARTS) throw error;
      }
    }
  }
}

/** Lets the work go on for its time, and kills brokers meanwhile. @returns how many */
async function withKills(
  fleet: Fleet,
  random: Random,
  { seconds, killEverySeconds, onProgress }: ConcurrentRunOptions,
  enough: () => boolean,
  work: (goesOn: () => boolean) => Promise<void>,
): Promise<number> {
  const end = performance.now() + seconds * 1000;
  const latest = end + 9 * seconds * 1000;
  const working = work(() => performance.now() < (enough() ? end : latest));
  let kills = 0;
  let next = performance.now() + (killEverySeconds ?? Number.POSITIVE_INFINITY) * 1000;
  for (;;) {
    const wait = Math.min(next, end) - performance.now();
    const over = working.then(() => true);
    if (await Promise.race([over, after(wait)])) return kills;
    // At least one, however late.
    if ((killEverySeconds === undefined || kills > 0) && performance.now() >= end) break;
    await fleet.replaceOne(random);
    kills += 1;
    next += (killEverySeconds ?? 0) * 1000;
    onProgress?.(`${kills} brokers killed, ${Math.round((end - performance.now()) / 1000)} s left`);
  }
  await working;
  return kills;
}

function after(milliseconds: number): Promise<false> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds), false));
}

function strikeNowAndThen(proxy: DynamoDbProxy): void {
  const faults: [Fault, number][] = [
    [throttled, 0.05],
    [conflictOn((key) => key.length % 2 === 0), 0.1],
    [transactionInProgress, 0.01],
    [serverError, 0.01],
    [resetBefore, 0.01],
    [resetAfter, 0.02],
    [silenceAfter, 0.05],
  ];
  for (const [fault, probability] of faults) {
    const on =
      fault.is === 'conflict'
        ? ({ operation }: { operation: string }) => operation === 'TransactWriteItems'
        : () => true;
    proxy.add({ on, fault, probability });
  }
  proxy.add({ on: isIndexQuery, fault: throttled, probability: 0.02 });
}
