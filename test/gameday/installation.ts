import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Random } from '../../src/domain/clock.ts';
import type { FaultInput } from '../../src/local/csp-simulator/faults.ts';
import { type CspSimulator, startCspSimulator } from '../../src/local/csp-simulator.ts';
import { type Engine, startEngine } from '../../src/local/engine.ts';
import { sandboxOf } from '../../src/local/provider-accounts.ts';
import { fillPool } from '../../src/store/new-sandboxes.ts';
import { type DynamoDbProxy, startDynamoDbProxy } from '../faults/dynamodb-proxy.ts';
import { makeTable, type TestTable } from '../support/table.ts';
import { Fleet } from './fleet.ts';

export interface InstallationOptions {
  readonly brokers: number;
  readonly pool: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly random: Random;
}

export type Item = Record<string, unknown>;

/** Everything of a game day, to be struck by faults and looked at. */
export interface Installation {
  /** Where students call. */
  readonly url: string;
  readonly fleet: Fleet;
  readonly engine: Engine;
  /** Between the brokers and the engine. */
  readonly wire: DynamoDbProxy;
  readonly csp: CspSimulator;
  /** Those that are set just now. */
  readonly providerFaults: Set<FaultInput>;
  /** The way to the table past brokers and faults. */
  readonly table: TestTable;
  /** The number of the broker that runs a job just now, or ran it last. */
  holderOf(job: string): Promise<number | undefined>;
  /** The farthest that a wall clock has been off, in seconds. */
  clockOffSeconds: number;
  /** @returns brokers that did not stop when they were asked to */
  stop(): Promise<string[]>;
  killAll(): void;
}

/** What takes minutes in production takes seconds: a game day is short. Limits of requests are those of production. */
const QUICKLY = {
  SYNC_INTERVAL_SEC: '2',
  CLEANUP_INTERVAL_SEC: '1',
  AUTO_EXPIRY_INTERVAL_SEC: '2',
  STALE_INTERVAL_SEC: '5',
  STATISTICS_INTERVAL_SEC: '2',
  CLEANUP_BATCH_SIZE: '50',
  CLEANUP_BATCH_DELAY_SEC: '0',
  CLEANUP_CONCURRENCY: '8',
  JOB_LEASE_SEC: '5',
  CIRCUIT_BREAKER_TIMEOUT_SEC: '5',
  BACKOFF_BASE_MS: '100',
  BACKOFF_MAX_MS: '5000',
  RATE_LIMIT_PER_CALLER: '120',
  RATE_LIMIT_PER_CREDENTIAL: '60000',
  TRUST_PROXY: '1',
  SHUTDOWN_DELAY_MS: '3000',
  SHUTDOWN_TIMEOUT_MS: '25000',
};

/** Milliseconds that the provider takes for a deletion. */
const DELETION = { delete_min_ms: 20, delete_max_ms: 200 };

export async function startInstallation(options: InstallationOptions): Promise<Installation> {
  const ends: (() => unknown)[] = [];
  try {
    const folder = mkdtempSync(join(tmpdir(), 'sandbox-broker-gameday-'));
    ends.push(() => rmSync(folder, { recursive: true, force: true }));
    const engine = await startEngine();
    ends.push(() => {
      engine.process.kill('SIGCONT');
      return engine.stop();
    });
    const wire = await startDynamoDbProxy(engine.url, { random: options.random });
    ends.push(() => wire.close());
    const csp = await startCspSimulator({ accounts: options.pool, settings: DELETION });
    ends.push(() => csp.close());
    const table = await makeTable({
      endpoint: engine.url,
      environment: {
        ...QUICKLY,
        CSP_BASE_URL: csp.baseUrl,
        CSP_API_TOKEN: csp.token,
        ...options.environment,
      },
    });
    ends.push(() => table.drop());
    const rows = csp.accounts.all().map(sandboxOf);
    await fillPool(table.database, table.shards, rows, Math.floor(Date.now() / 1000));
    const fleet = await Fleet.start(
      options.brokers,
      { ...table.environment, DDB_ENDPOINT_URL: wire.url },
      folder,
    );
    return {
      url: fleet.balancer.url,
      fleet,
      engine,
      wire,
      csp,
      providerFaults: new Set(),
      table,
      clockOffSeconds: 0,
      holderOf: async (job) => {
        const lease = (await table.items()).find((item) => item.PK === `LEASE#${job}`);
        return fleet.numberOf(String(lease?.holder ?? ''));
      },
      stop: async () => {
        const late = await fleet.stop();
        for (const end of ends.reverse()) await end();
        return late;
      },
      killAll: () => {
        fleet.killAll();
        engine.process.kill('SIGKILL');
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    for (const end of ends.reverse()) await end();
    throw error;
  }
}
