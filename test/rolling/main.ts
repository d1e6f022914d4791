import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { readConfig } from '../../src/config.ts';
import { openTable, type TableAccess } from '../../src/container/table-access.ts';
import { unixSeconds } from '../../src/domain/clock.ts';
import { type BrokerProcess, startBrokerProcess } from '../../src/local/broker-process.ts';
import { startCspSimulator } from '../../src/local/csp-simulator.ts';
import { freePort, startEngine } from '../../src/local/engine.ts';
import { sandboxOf } from '../../src/local/provider-accounts.ts';
import { markAdoptedIfEmpty } from '../../src/store/adoption.ts';
import { fillPool } from '../../src/store/new-sandboxes.ts';
import { createTable } from '../../src/store/table.ts';
import { violations } from '../support/invariants.ts';
import { LoadBalancer } from '../support/load-balancer.ts';
import { Lessons } from './lessons.ts';

const HELP = `npm run test:rolling -- [options]

Replaces the brokers behind a real proxy (haproxy, with the time-outs of an AWS load balancer) one by one, as ECS does,
while students work, and tells of every request that failed. The proxy needs a second to see that a target is not
ready, more on a busy machine; the delay must be longer than that.

  --brokers N   how many serve at once                    (3)
  --rounds N    how often each is replaced                (2)
  --seats N     students who work at once                 (24)
  --delay MS    SHUTDOWN_DELAY_MS of the brokers          (4000; 0 shows what it is for)
  --help        this text
`;

/** In which a stop must end. */
const GRACE_MS = 25_000;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      brokers: { type: 'string', default: '3' },
      rounds: { type: 'string', default: '2' },
      seats: { type: 'string', default: '24' },
      delay: { type: 'string', default: '4000' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const [count, rounds, seats] = [Number(values.brokers), Number(values.rounds), Number(values.seats)];
  const stops: (() => unknown)[] = [];
  try {
    const engine = await startEngine();
    stops.push(() => engine.stop());
    const csp = await startCspSimulator({ accounts: 20_000 });
    stops.push(() => csp.close());
    const environment = {
      PATH: process.env.PATH,
      BROKER_API_TOKEN: 'track-token-of-a-test',
      BROKER_ADMIN_TOKEN: 'admin-token-of-a-test',
      DDB_ENDPOINT_URL: engine.url,
      CSP_BASE_URL: csp.baseUrl,
      CSP_API_TOKEN: csp.token,
      HOST: '127.0.0.1',
      TRUST_PROXY: '1',
      SHUTDOWN_DELAY_MS: values.delay,
      SHUTDOWN_TIMEOUT_MS: String(GRACE_MS),
      // The jobs go on meanwhile, and pass from one process to the next.
      CLEANUP_INTERVAL_SEC: '2',
      SYNC_INTERVAL_SEC: '5',
    };
    const table = openTable(readConfig(environment));
    stops.push(() => table.database.close());
    await createTable(table.database);
    await markAdoptedIfEmpty(table.database, table.clock);
    await fillPool(table.database, table.shards, csp.accounts.all().map(sandboxOf), unixSeconds(table.clock));

    const ports = await Promise.all(Array.from({ length: count * (rounds + 1) }, freePort));
    const start = async (port: number) => {
      const broker = await startBrokerProcess({ ...environment, PORT: String(port) });
      stops.push(() => broker.process.kill('SIGKILL'));
      return broker;
    };
    const serving = await Promise.all(ports.splice(0, count).map(start));
    const balancer = await LoadBalancer.start(await freePort(), [
      ...serving.map(({ url }) => Number(new URL(url).port)),
      ...ports,
    ]);
    stops.push(() => balancer.stop());
    await Promise.all(serving.map(({ url }) => balancer.register(Number(new URL(url).port))));

    const lessons = new Lessons(balancer.url, environment.BROKER_API_TOKEN, seats);
    await sleep(2_000);
    for (const port of ports) {
      const next = await start(port);
      await balancer.register(port);
      serving.push(next);
      await replace(serving.shift() as BrokerProcess, lessons);
    }
    await sleep(2_000);
    const report = await lessons.finish();
    const at = (share: number) => report.latencies[Math.floor(report.latencies.length * share)]?.toFixed(0);
    print(`${report.requests} requests, ${report.failures.length} failed`);
    print(`p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${report.latencies.at(-1)?.toFixed(0)} ms`);
    assert.deepEqual(report.failures, []);
    assert.equal(
      new Set(report.sandboxes.values()).size,
      report.sandboxes.size,
      'No sandbox was given twice',
    );
    // Pages of a scan are read one after the other: nobody may write meanwhile.
    await Promise.all(serving.map((broker) => broker.stop()));
    assert.deepEqual(violations(await itemsOf(table)), []);
    print(`${report.sandboxes.size} students had a sandbox each, and the table breaks no invariant`);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** As ECS ends a task that has been replaced. */
async function replace(broker: BrokerProcess, lessons: Lessons): Promise<void> {
  const [before, begun] = [lessons.requests, performance.now()];
  await broker.stop();
  const seconds = (performance.now() - begun) / 1000;
  assert.equal(broker.process.exitCode, 0, broker.log.at(-1));
  assert.ok(seconds * 1000 < GRACE_MS);
  print(
    `Replaced ${broker.url}: exited 0 after ${seconds.toFixed(1)} s, ${lessons.requests - before} requests meanwhile`,
  );
}

async function itemsOf({ database }: TableAccess): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  let after: Record<string, unknown> | undefined;
  do {
    const page = await database.documents.send(
      new ScanCommand({ TableName: database.tableName, ConsistentRead: true, ExclusiveStartKey: after }),
    );
    items.push(...(page.Items ?? []));
    after = page.LastEvaluatedKey;
  } while (after !== undefined);
  return items;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
