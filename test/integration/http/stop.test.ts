import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { brokerProcessOfTest } from '../../support/broker.ts';
import { asTrack, call } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { makeTable, type TestTable } from '../../support/table.ts';
import { type DatabaseLine, openDatabaseLine } from './support/database-line.ts';

let table: TestTable;
let line: DatabaseLine;

beforeAll(async () => {
  table = await makeTable();
  await table.seed(20);
});

beforeEach(async () => {
  line = await openDatabaseLine(table.environment.DDB_ENDPOINT_URL as string);
  onTestFinished(() => line.close());
});

afterAll(() => table.drop());

/** A broker process whose calls to the database a test can hold. */
const startBehindLine = (environment: Record<string, string> = {}) =>
  brokerProcessOfTest({ ...table.environment, ROLE: 'api', DDB_ENDPOINT_URL: line.url, ...environment });

const allocate = (url: string, track: string) => call('POST', `${url}/v1/allocate`, asTrack(track));

describe('After SIGTERM', () => {
  test('readyz is 503 while requests in flight are finished, then the process ends with 0 and listens no more', async () => {
    const broker = await startBehindLine({ SHUTDOWN_DELAY_MS: '10000' });
    expect((await call('GET', `${broker.url}/readyz`)).status).toBe(200);
    line.hold();
    const inFlight = Promise.all(['a', 'b', 'c'].map((name) => allocate(broker.url, `in-flight-${name}`)));
    await line.held();
    broker.process.kill('SIGTERM');
    // One that asks before the signal has arrived waits for the database, which is held.
    await eventually('it is stopping', () => broker.log.some((text) => JSON.parse(text).msg === 'stopping'));
    const readiness = await call('GET', `${broker.url}/readyz`);
    expect([readiness.status, readiness.body]).toEqual([
      503,
      { status: 'not_ready', checks: { process: 'stopping' } },
    ]);
    expect((await call('GET', `${broker.url}/healthz`)).status).toBe(200);
    line.pass();
    expect((await inFlight).map(({ status }) => status)).toEqual([201, 201, 201]);
    await broker.ended;
    expect(broker.process.exitCode).toBe(0);
    await expect(call('GET', `${broker.url}/healthz`)).rejects.toThrow();
    expect(broker.log.map((text) => JSON.parse(text).msg)).toEqual(
      expect.arrayContaining(['stopping', 'stopped']),
    );
  });

  test('a request that the database settles only after the listening has ended is answered still', async () => {
    const broker = await startBehindLine();
    line.hold();
    const inFlight = allocate(broker.url, 'late-answer');
    await line.held();
    broker.process.kill('SIGTERM');
    await expect.poll(() => accepts(broker.url), { interval: 20 }).toBe(false);
    line.pass();
    expect((await inFlight).status).toBe(201);
    await broker.ended;
    expect(broker.process.exitCode).toBe(0);
  });

  test('idle connections that clients keep open do not hold the process', async () => {
    const broker = await startBehindLine({ SHUTDOWN_TIMEOUT_MS: '60000' });
    await Promise.all(Array.from({ length: 10 }, () => call('GET', `${broker.url}/healthz`)));
    const began = performance.now();
    await broker.stop();
    expect(broker.process.exitCode).toBe(0);
    expect(performance.now() - began).toBeLessThan(40_000);
  });

  test('a request that never ends holds the process for SHUTDOWN_TIMEOUT_MS and no longer', async () => {
    const broker = await startBehindLine({ SHUTDOWN_TIMEOUT_MS: '400' });
    line.hold();
    const lost = allocate(broker.url, 'never-answered').catch((error: unknown) => error);
    await line.held();
    await broker.stop();
    expect(await lost).toBeInstanceOf(TypeError);
    expect(broker.process.exitCode).not.toBeNull();
  });
});

test('SIGINT stops the process as SIGTERM does', async () => {
  const broker = await startBehindLine();
  broker.process.kill('SIGINT');
  await broker.ended;
  expect(broker.process.exitCode).toBe(0);
});

async function accepts(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
