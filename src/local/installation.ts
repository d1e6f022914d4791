import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readCommandConfig } from '../config.ts';
import { openTable, type TableAccess } from '../container/table-access.ts';
import { unixSeconds } from '../domain/clock.ts';
import { markAdoptedIfEmpty } from '../store/adoption.ts';
import { fillPool } from '../store/new-sandboxes.ts';
import { createTable } from '../store/table.ts';
import { type BrokerProcess, startBrokerProcess } from './broker-process.ts';
import { REAL_TIMES } from './csp-simulator/settings.ts';
import { type CspSimulator, startCspSimulator } from './csp-simulator.ts';
import { type Engine, startEngine } from './engine.ts';
import type { InstallationSummary } from './installation-summary.ts';
import { accountOf, sandboxOf } from './provider-accounts.ts';
import { welcome } from './welcome.ts';

export interface InstallationOptions {
  readonly pool: number;
  readonly brokers: number;
  /** Of the first broker; the others follow. 0 takes free ones. */
  readonly port: number;
  readonly dataFolder?: string | undefined;
  /** Variables of the brokers beside those that are set here. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onProgress: (text: string) => void;
  /** Ends a start that is under way: what has started by then is stopped, and the start rejects. */
  readonly signal?: AbortSignal | undefined;
}

export interface Installation {
  readonly summary: InstallationSummary;
  readonly brokers: readonly BrokerProcess[];
  readonly engine: Engine | undefined;
  readonly csp: CspSimulator;
  readonly table: TableAccess;
  /** Resolves with the name of a part that ended by itself. */
  readonly crashed: Promise<string>;
  /** What a person needs to know of it. */
  welcome(): string;
  stop(): Promise<void>;
}

/** A whole broker installation on one machine: engine, provider, pool and brokers. */
export async function startInstallation(options: InstallationOptions): Promise<Installation> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  try {
    const engine = await engineFor(options);
    if (engine !== undefined) stops.push(() => engine.stop());
    options.signal?.throwIfAborted();
    const endpoint = engine?.url ?? (options.environment.DDB_ENDPOINT_URL as string);
    const environment = {
      BROKER_API_TOKEN: `track-${randomBytes(12).toString('hex')}`,
      BROKER_ADMIN_TOKEN: `admin-${randomBytes(12).toString('hex')}`,
      ...options.environment,
      DDB_ENDPOINT_URL: endpoint,
    };

    const config = readCommandConfig(environment);
    const table = openTable(config);
    stops.push(async () => table.database.close());
    const csp = await startCspSimulator({ random: Math.random, settings: REAL_TIMES });
    stops.push(() => csp.close());
    await fill(table, csp, options);

    options.onProgress(`Starting ${options.brokers === 1 ? 'the broker' : `${options.brokers} brokers`}`);
    const starts = Array.from({ length: options.brokers }, (_, index) =>
      startBrokerProcess(
        {
          HOST: '127.0.0.1',
          ...environment,
          PORT: String(options.port === 0 ? 0 : options.port + index),
          CSP_BASE_URL: csp.baseUrl,
          CSP_API_TOKEN: csp.token,
        },
        undefined,
        options.signal,
      ),
    );
    // Also those that started while another one failed.
    stops.push(async () => {
      const results = await Promise.allSettled(starts);
      await Promise.all(results.map((each) => each.status === 'fulfilled' && each.value.stop()));
    });
    const brokers = await Promise.all(starts);
    options.signal?.throwIfAborted();

    const summary: InstallationSummary = {
      brokers: brokers.map((broker) => broker.url),
      engine: endpoint,
      csp: csp.url,
      trackToken: environment.BROKER_API_TOKEN,
      adminToken: environment.BROKER_ADMIN_TOKEN,
      pids: { local: process.pid, engine: engine?.pid ?? null, brokers: brokers.map((broker) => broker.pid) },
    };
    return {
      summary,
      brokers,
      engine,
      csp,
      table,
      crashed: Promise.race([
        ...brokers.map((broker) => broker.ended.then(() => `The broker at ${broker.url}`)),
        ...(engine === undefined ? [] : [engine.ended.then(() => 'The engine')]),
      ]),
      welcome: () => welcome(summary, { dataFolder: options.dataFolder, basePath: config.API_BASE_PATH }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function engineFor(options: InstallationOptions): Promise<Engine | undefined> {
  if ((options.environment.DDB_ENDPOINT_URL ?? '') !== '') return undefined;
  options.onProgress('Starting the embedded engine');
  if (options.dataFolder !== undefined) mkdirSync(options.dataFolder, { recursive: true });
  return startEngine({
    dataFolder: options.dataFolder === undefined ? undefined : join(options.dataFolder, 'engine'),
  });
}

/** Rows between two looks whether the start goes on. */
const FILL_ROWS = 5_000;

/**
 * A table that is new gets a pool as large as asked for, and the provider the accounts of it. One from an
 * earlier run is left as it is, and the provider gets the accounts that it knows.
 */
async function fill(table: TableAccess, csp: CspSimulator, options: InstallationOptions): Promise<void> {
  const { database, shards, clock } = table;
  if (await createTable(database)) {
    await markAdoptedIfEmpty(database, clock);
    options.onProgress(`Filling the pool with ${options.pool} sandboxes`);
    const accounts = csp.accounts.create({ count: options.pool });
    for (let first = 0; first < accounts.length; first += FILL_ROWS) {
      options.signal?.throwIfAborted();
      const part = accounts.slice(first, first + FILL_ROWS);
      await fillPool(database, shards, part.map(sandboxOf), unixSeconds(clock));
    }
    return;
  }
  options.onProgress('Going on with the pool of an earlier run');
  for (
    let position: Parameters<typeof table.listing.page>[1] | undefined = { partition: 0 };
    position !== undefined;
  ) {
    options.signal?.throwIfAborted();
    const page = await table.listing.page({}, position, 1_000);
    csp.accounts.add(page.sandboxes.map(accountOf));
    position = page.next;
  }
}
