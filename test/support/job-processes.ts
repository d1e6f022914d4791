import { onTestFinished } from 'vitest';
import type { BrokerProcess } from '../../src/local/broker-process.ts';
import {
  type CspSimulator,
  type CspSimulatorOptions,
  startCspSimulator,
} from '../../src/local/csp-simulator.ts';
import { brokerProcessOfTest } from './broker.ts';
import { type Answer, asAdmin, call } from './client.ts';
import { type Environment, type TestTable, tableOfTest } from './table.ts';
import { isSandbox } from './table-rows.ts';

export type Item = Record<string, unknown>;

/** Every job every second, leases as short as they may be: what takes minutes in production takes seconds. */
const QUICKLY: Environment = {
  SYNC_INTERVAL_SEC: '1',
  CLEANUP_INTERVAL_SEC: '1',
  AUTO_EXPIRY_INTERVAL_SEC: '1',
  STALE_INTERVAL_SEC: '1',
  STATISTICS_INTERVAL_SEC: '1',
  CLEANUP_BATCH_DELAY_SEC: '0',
  JOB_LEASE_SEC: '3',
};

export interface JobProcesses {
  readonly simulator: CspSimulator;
  readonly table: TestTable;
  readonly brokers: readonly BrokerProcess[];
  /** Another one. */
  start(changes?: Environment): Promise<BrokerProcess>;
  rows(): Promise<Map<string, Item>>;
  /** The row of a job's lease, as the table holds it. */
  lease(job: string): Promise<Item | undefined>;
  /** The process that holds the lease of a job, if one of these does. */
  holderOf(job: string): Promise<BrokerProcess | undefined>;
}

/** Brokers as production runs them, over one table and one simulated provider, ended with the test. */
export async function jobProcesses(
  count: number,
  options: { environment?: Environment; simulator?: CspSimulatorOptions } = {},
): Promise<JobProcesses> {
  const simulator = await startCspSimulator(options.simulator);
  onTestFinished(() => simulator.close());
  const environment = {
    ...QUICKLY,
    CSP_BASE_URL: simulator.baseUrl,
    CSP_API_TOKEN: simulator.token,
    ...options.environment,
  };
  const table = await tableOfTest({ environment });
  const brokers: BrokerProcess[] = [];
  const start = async (changes: Environment = {}) => {
    const broker = await brokerProcessOfTest({ ...table.environment, ...changes });
    brokers.push(broker);
    return broker;
  };
  await Promise.all(Array.from({ length: count }, () => start()));

  const lease = async (job: string) => (await table.items()).find((item) => item.PK === `LEASE#${job}`);
  return {
    simulator,
    table,
    brokers,
    start,
    rows: async () => {
      const rows = (await table.items()).filter(isSandbox);
      return new Map(rows.map((row) => [String(row.sandbox_id), row]));
    },
    lease,
    holderOf: async (job) => {
      const holder = String((await lease(job))?.holder ?? '');
      return brokers.find(({ pid }) => holder.split('/')[1] === String(pid));
    },
  };
}

export const adminCall = (
  broker: BrokerProcess,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> => call(method, `${broker.url}/v1/admin${path}`, asAdmin(), body);
