import type { Load, LoadResult } from '../generator/protocol.ts';
import type { BenchTable } from '../lib/bench-table.ts';
import type { MeasuredBroker } from '../lib/measured-broker.ts';
import { machineTimes, memoryMb, processorMs } from '../lib/process-figures.ts';
import { byLabel, readSamples, type Samples, total } from '../lib/prometheus.ts';
import { type LatencySummary, summarize } from '../lib/statistics.ts';
import type { Stand } from './stand.ts';

/** Counts the calls of a broker to the database, by operation. */
const REQUESTS_METRIC = 'broker_database_requests_total';
const TRANSACTIONS_METRIC = 'broker_database_transactions_total';
const CONFLICTS_METRIC = 'broker_allocate_conflicts_total';

export interface BrokerFigures {
  /** Allocations (201) a second. */
  readonly throughput: number;
  readonly allocations: number;
  readonly answers: Readonly<Record<string, number>>;
  /** Answers that are neither a sandbox nor an honest "none left", connections lost, sandboxes given twice. */
  readonly errors: number;
  readonly servedTwice: number;
  /** Milliseconds, of the new allocations. */
  readonly latency: LatencySummary;
  readonly processorMsPerAllocation: {
    readonly broker: number;
    readonly engine: number;
    readonly generator: number;
  };
  /** By operation where the broker tells (`broker_database_requests_total`); else transactions alone. */
  readonly databaseRequests: Readonly<Record<string, number>>;
  readonly databaseRequestsPerAllocation: number;
  readonly conflictsPerAllocation: number;
  readonly memoryMb: { readonly broker: number; readonly engine: number };
  /** Share of the machine's time that nobody used. */
  readonly idleShare: number;
}

export interface Measured {
  readonly figures: BrokerFigures;
  readonly result: LoadResult;
}

/** Sends a load to some brokers over one table, and sees what it costs whom. */
export async function measureLoad(
  stand: Stand,
  table: BenchTable,
  brokers: readonly MeasuredBroker[],
  load: Load,
): Promise<Measured> {
  // The reading of the counters costs a broker a little, and belongs to neither side of the measurement.
  const countsBefore = await readCounts(brokers);
  const before = readTimes(stand, brokers);
  const result = await stand.generator.run(load);
  const after = readTimes(stand, brokers);
  const countsAfter = await readCounts(brokers);
  const allocations = result.served.length;
  table.used(allocations);
  const each = (value: number) => value / allocations;
  const requests = difference(countsBefore.requests, countsAfter.requests);
  const answers: Record<string, number> = {};
  for (const status of result.statuses) answers[status] = (answers[status] ?? 0) + 1;
  const right = (answers[200] ?? 0) + (answers[201] ?? 0) + (answers[409] ?? 0);
  return {
    result,
    figures: {
      throughput: (allocations / result.elapsedMs) * 1000,
      allocations,
      answers,
      errors: result.statuses.length - right + result.servedTwice.length,
      servedTwice: result.servedTwice.length,
      latency: summarize(latenciesOf(result, 201)),
      processorMsPerAllocation: {
        broker: each(after.brokerMs - before.brokerMs),
        engine: each(after.engineMs - before.engineMs),
        generator: each(result.processorMs),
      },
      databaseRequests: requests,
      databaseRequestsPerAllocation: each(sum(Object.values(requests))),
      conflictsPerAllocation: each(countsAfter.conflicts - countsBefore.conflicts),
      memoryMb: {
        broker: sum(brokers.map(({ pid }) => memoryMb(pid))),
        engine: stand.engine === undefined ? Number.NaN : memoryMb(stand.engine.pid),
      },
      idleShare:
        (after.machine.idleMs - before.machine.idleMs) /
        (after.machine.idleMs - before.machine.idleMs + after.machine.busyMs - before.machine.busyMs),
    },
  };
}

/** Latencies of the answers of one status. */
export function latenciesOf(result: LoadResult, status: number): Float64Array {
  return result.latenciesMs.filter((_latency, index) => result.statuses[index] === status);
}

/** When the last answer of one status came. */
export function lastAnswerMs(result: LoadResult, status: number): number {
  let last = 0;
  for (let index = 0; index < result.statuses.length; index += 1) {
    if (result.statuses[index] === status) last = Math.max(last, result.answeredAtMs[index] as number);
  }
  return last;
}

async function readCounts(brokers: readonly MeasuredBroker[]) {
  const pages = await Promise.all(brokers.map(({ url }) => readSamples(url)));
  const requests: Record<string, number> = {};
  for (const page of pages) {
    for (const [operation, count] of Object.entries(requestsOf(page))) {
      requests[operation] = (requests[operation] ?? 0) + count;
    }
  }
  return { requests, conflicts: sum(pages.map((page) => total(page, CONFLICTS_METRIC))) };
}

function readTimes(stand: Stand, brokers: readonly MeasuredBroker[]) {
  return {
    brokerMs: sum(brokers.map(({ pid }) => processorMs(pid))),
    engineMs: stand.engine === undefined ? Number.NaN : processorMs(stand.engine.pid),
    machine: machineTimes(),
  };
}

function requestsOf(page: Samples): Record<string, number> {
  const counted = byLabel(page, REQUESTS_METRIC, 'operation');
  if (Object.keys(counted).length > 0) return counted;
  return { TransactWriteItems: total(page, TRANSACTIONS_METRIC) };
}

function difference(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after)
      .map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
      .filter(([, count]) => count > 0),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((left, right) => left + right, 0);
}
