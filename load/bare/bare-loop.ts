import { randomUUID } from 'node:crypto';
import { DynamoDBClient, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { readCommandConfig } from '../../src/config.ts';
import { openTable, type TableAccess } from '../../src/container/table-access.ts';
import { unixSeconds } from '../../src/domain/clock.ts';
import { claimKeyOf } from '../../src/domain/identifiers.ts';
import { allocationWrites } from '../../src/store/allocation-writes.ts';
import { benchCandidate } from '../lib/bench-sandboxes.ts';

/** What the engine can do for the broker's own writes when there is no broker around them. */
export interface BareOrder {
  /** Of the table, as a broker gets it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Makes its claims different from those of any other loop. */
  readonly run: string;
  /** The sandboxes that it may take, by number. */
  readonly first: number;
  readonly count: number;
  readonly seconds: number;
  /** Transactions under way at once. */
  readonly lanes: number;
  /** Allocations in one transaction. */
  readonly group: number;
}

export interface BareResult {
  readonly elapsedMs: number;
  readonly allocations: number;
  readonly calls: number;
  /** Of one transaction. */
  readonly latenciesMs: Float64Array;
  readonly processorMs: number;
}

interface Opened {
  readonly endpoint: string;
  /** For the names and the forms of the rows; it calls nothing. */
  readonly table: TableAccess;
  readonly client: DynamoDBClient;
}

/** Connections of the loop: as many as a broker has by default, more only make the engine slower. */
const MAX_SOCKETS = 64;
/** A thousand loops over so many connections wait long for their turn; that is no fault. */
const PATIENCE_MS = 60_000;

/** As long as what a broker writes. */
const ORIGIN = {
  trackName: 'lab-bench',
  author: { actor: 'track', requestId: '0f8fad5b-d9cb-469f-a165-70867728950e' },
};

let opened: Opened | undefined;

/**
 * With groups of one: the floor, what a broker without any idea would do. With the best groups: the ceiling. The
 * low-level client is the SDK's own, as its documentation recommends it for speed (middleware cached, connections
 * kept), whatever has become of the broker's; items, conditions and table are the broker's.
 */
export async function runBareLoop(order: BareOrder): Promise<BareResult> {
  const { table, client } = openedFor(order);
  const latencies: number[] = [];
  let next = order.first;
  const end = order.first + order.count;
  const cpu = process.cpuUsage();
  const began = performance.now();
  const stopAt = began + order.seconds * 1000;
  const lane = async () => {
    while (performance.now() < stopAt && next + order.group <= end) {
      const first = next;
      next += order.group;
      const sentAt = performance.now();
      const items = Array.from({ length: order.group }, (_, index) => writesOf(order, table, first + index));
      // Throws when a condition fails: nobody else uses these sandboxes and claims.
      await client.send(
        new TransactWriteItemsCommand({ TransactItems: items.flat(), ClientRequestToken: randomUUID() }),
      );
      latencies.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: order.lanes }, lane));
  const elapsedMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  return {
    elapsedMs,
    allocations: next - order.first,
    calls: latencies.length,
    latenciesMs: Float64Array.from(latencies),
    processorMs: (user + system) / 1000,
  };
}

/** The client stays open from one loop to the next, as a broker's does. */
function openedFor(order: BareOrder): Opened {
  const { DDB_ENDPOINT_URL: url, DDB_TABLE_NAME: name } = order.environment;
  const endpoint = `${url} ${name}`;
  if (opened?.endpoint === endpoint) return opened;
  opened?.client.destroy();
  const client = new DynamoDBClient({
    region: 'us-east-1',
    endpoint: url as string,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    cacheMiddleware: true,
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: PATIENCE_MS,
      requestTimeout: PATIENCE_MS,
      socketAcquisitionWarningTimeout: PATIENCE_MS,
      httpAgent: { maxSockets: MAX_SOCKETS, keepAlive: true },
    },
  });
  opened = { endpoint, client, table: openTable(readCommandConfig(order.environment)) };
  return opened;
}

function writesOf(order: BareOrder, { database, shards, clock }: TableAccess, number: number) {
  const candidate = benchCandidate(number, shards);
  const claim = { ...candidate, allocatedAt: unixSeconds(clock), labDurationHours: 4 };
  const key = claimKeyOf(`${order.run}-${number}`, undefined);
  return allocationWrites(database, shards, key, candidate, claim, ORIGIN);
}
