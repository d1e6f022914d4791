import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp, buildMetricsApp } from '../../../src/app.ts';
import { type Container, createContainer } from '../../../src/container.ts';
import { systemClock } from '../../../src/domain/clock.ts';
import { createLogger } from '../../../src/observability/logger.ts';
import { allocate } from '../../support/client.ts';
import { makeTable, type TestTable, TRACK_TOKEN } from '../../support/table.ts';
import { watchedLog } from '../../support/watched-log.ts';

/** As shipped, but a hundred times less patient. */
const PATIENCE = { requestTimeoutMs: 300, checkIntervalMs: 50, stalledReaderMs: 300 };
/** For those in whose test somebody is to be served: a busy machine may take its time. */
const MORE_PATIENCE = { requestTimeoutMs: 2_000, checkIntervalMs: 50, stalledReaderMs: 2_000 };
const DRIP_MS = 20;
/** Nobody is waited for as long as this. */
const FOREVER_MS = 30_000;

let table: TestTable;
let container: Container;
let app: Awaited<ReturnType<typeof buildApp>>;
let url: string;
let patient: Awaited<ReturnType<typeof buildApp>>;
let patientUrl: string;

beforeAll(async () => {
  table = await makeTable();
  await table.seed(5);
  const logger = createLogger({ level: 'info', format: 'json' }, { write: watchedLog(table.environment) });
  container = createContainer(table.config, { logger });
  await container.secrets.start();
  await container.adoption.refresh();
  app = await buildApp(container, { isStopping: () => false, patience: PATIENCE });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
  patient = await buildApp(container, { isStopping: () => false, patience: MORE_PATIENCE });
  patientUrl = await patient.listen({ host: '127.0.0.1', port: 0 });
});

afterAll(async () => {
  await app.close();
  await patient.close();
  await container.close();
  await table.drop();
});

const HEAD = [
  'POST /v1/allocate HTTP/1.1',
  'Host: broker',
  `Authorization: Bearer ${TRACK_TOKEN}`,
  'X-Instruqt-Sandbox-ID: slow',
  'Content-Type: application/json',
  'Content-Length: 1000',
].join('\r\n');

/** Sends a beginning at once and then a byte at a time, until the server hangs up. @returns what it answered */
async function drip(beginning: string, byte: string, to = url): Promise<string> {
  const socket = open(to);
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text;
  });
  socket.write(beginning);
  const dripping = setInterval(() => byte === '' || socket.write(byte), DRIP_MS);
  const patience = setTimeout(() => socket.destroy(), FOREVER_MS);
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(dripping);
  clearTimeout(patience);
  return answer;
}

function open(to = url): Socket {
  const socket = connect(Number(new URL(to).port), '127.0.0.1');
  // The server may hang up while a byte is on its way.
  socket.on('error', () => {});
  return socket;
}

describe('A client is answered 408 REQUEST_TIMEOUT and hung up on when', () => {
  test.each([
    ['its headers arrive a byte at a time', 'GET /healthz HTTP/1.1\r\nX-Slow: ', 'a'],
    ['its headers stop in the middle', 'GET /healthz HTTP/1.1\r\nHost: bro', ''],
    ['its body arrives a byte at a time', `${HEAD}\r\n\r\n`, ' '],
    ['its body stops in the middle', `${HEAD}\r\n\r\n{`, ''],
    ['it says nothing at all', '', ''],
  ])('%s', async (_, beginning, byte) => {
    const answer = await drip(beginning, byte);
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    const { error } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
    expect(error).toMatchObject({ code: 'REQUEST_TIMEOUT', request_id: expect.any(String), details: [] });
  });
});

test('Two hundred slow clients keep nobody else from a sandbox', async () => {
  const slow = Array.from({ length: 200 }, () => drip('GET /healthz HTTP/1.1\r\nX-Slow: ', 'a', patientUrl));
  expect((await allocate(patientUrl, 'quick')).status).toBe(201);
  await Promise.all(slow);
});

test('A connection that is idle between two requests is kept for longer than a request may take', async () => {
  const socket = open(patientUrl);
  const get = async () => {
    socket.write('GET /healthz HTTP/1.1\r\nHost: broker\r\n\r\n');
    const [chunk] = await once(socket, 'data');
    return String(chunk).split('\r\n')[0];
  };
  expect(await get()).toBe('HTTP/1.1 200 OK');
  await systemClock.sleep(1.5 * MORE_PATIENCE.requestTimeoutMs);
  expect(await get()).toBe('HTTP/1.1 200 OK');
  socket.destroy();
});

test('A client that asks for the documentation and reads nothing is hung up on', async () => {
  const connected = once(app.server, 'connection');
  const socket = open();
  socket.pause();
  // More than the buffers of both ends hold.
  socket.write('GET /v1/docs/static/swagger-ui-bundle.js HTTP/1.1\r\nHost: broker\r\n\r\n'.repeat(50));
  const [connection] = await connected;
  await once(connection, 'close');
  socket.destroy();
});

test('Connections beyond MAX_CONNECTIONS are closed, and those before are served', async () => {
  const few = await buildApp(
    { ...container, config: { ...container.config, MAX_CONNECTIONS: 1 } },
    { isStopping: () => false },
  );
  const port = Number(new URL(await few.listen({ host: '127.0.0.1', port: 0 })).port);
  const first = connect(port, '127.0.0.1');
  await once(few.server, 'connection');
  const second = connect(port, '127.0.0.1').on('error', () => {});
  await once(second, 'close');
  first.write('GET /healthz HTTP/1.1\r\nHost: broker\r\nConnection: close\r\n\r\n');
  const [answer] = await once(first, 'data');
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200 OK/);
  await few.close();
});

test.each([
  ['A broker', () => buildApp(container, { isStopping: () => false })],
  ['The port of the metrics', () => buildMetricsApp(container)],
])(
  '%s as shipped gives a request 30 s to arrive, looks every 5 s, and an answer 30 s to be taken',
  async (_, build) => {
    const shipped = await build();
    expect(shipped.server).toMatchObject({
      requestTimeout: 30_000,
      headersTimeout: 30_000,
      connectionsCheckingInterval: 5_000,
      timeout: 30_000,
    });
    await shipped.close();
  },
);
