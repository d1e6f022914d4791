import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { brokerProcessOfTest, startBroker, type TestBroker } from '../../support/broker.ts';
import { ADMIN_TOKEN, makeTable, type TestTable, TRACK_TOKEN, tableOfTest } from '../../support/table.ts';
import { type Api, apiOf } from './support/api.ts';
import { putSandbox } from './support/rows.ts';
import { type WatchedDatabase, watchedDatabase } from './support/watched-database.ts';

let table: TestTable;
let database: WatchedDatabase;
let broker: TestBroker;
let api: Api;

beforeAll(async () => {
  table = await makeTable({ environment: { LOG_LEVEL: 'trace' } });
  database = watchedDatabase(table);
  broker = await startBroker(table.environment, { database });
  api = await apiOf(broker.url);
  await table.seed(5);
});

afterAll(async () => {
  await broker.close();
  await table.drop();
});

/** The lines of one request, parsed. */
const linesOf = (requestId: string) =>
  broker.log.map((line) => JSON.parse(line)).filter((line) => line.request_id === requestId);

describe('Each request leaves one JSON object in the log, with its request_id, action, outcome, status and latency_ms:', () => {
  test('an allocation, with the caller and the sandbox', async () => {
    const { body } = await api.allocate('student', { 'x-request-id': 'r-allocate' });
    expect(linesOf('r-allocate')).toEqual([
      expect.objectContaining({
        level: 'info',
        request_id: 'r-allocate',
        track_id: 'student',
        sandbox_id: body.sandbox_id,
        action: 'allocate',
        outcome: 'success',
        status: 201,
        actor: 'track',
        latency_ms: expect.any(Number),
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      }),
    ]);
  });

  test.each([
    ['a replay', 'replay', () => api.allocate('student', { 'x-request-id': 'r-replay' }), 'student'],
    [
      'an empty prefix',
      'no_sandboxes_available',
      () => api.allocate('other', { 'x-request-id': 'r-empty', 'x-sandbox-name-prefix': 'none-' }),
      'other',
    ],
    ['a malformed id', 'invalid_track_id', () => api.allocate('a b', { 'x-request-id': 'r-bad' }), null],
    [
      'an unknown sandbox',
      'sandbox_not_found',
      () => api.read('other', 'x-1', { 'x-request-id': 'r-404' }),
      'other',
    ],
    ['a release by another', 'not_sandbox_owner', () => strangersRelease('r-403'), 'stranger'],
    ['an unknown route', 'not_found', () => api.call('GET', '/none', { 'x-request-id': 'r-none' }), null],
    [
      'a wrong method',
      'method_not_allowed',
      () => api.call('PUT', '/healthz', { 'x-request-id': 'r-405' }),
      null,
    ],
    ['a bad path', 'validation_error', () => api.call('GET', '/v1/%zz', { 'x-request-id': 'r-path' }), null],
    [
      'no credential',
      'unauthorized',
      () => api.call('POST', '/v1/allocate', { 'x-request-id': 'r-401' }),
      null,
    ],
    [
      'an operator',
      'success',
      () => api.admin('GET', '/stats', undefined, { 'x-request-id': 'r-admin' }),
      null,
    ],
    ['a scrape', 'success', () => api.call('GET', '/metrics', { 'x-request-id': 'r-scrape' }), null],
  ])('%s, whose outcome is %s', async (_, outcome, send, track) => {
    const answer = await send();
    const lines = linesOf(answer.headers.get('x-request-id') as string);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ outcome, track_id: track, status: answer.status });
    expect(missingFrom(broker.log)).toEqual([]);
  });

  test('what is not HTTP at all', async () => {
    const { hostname, port } = new URL(broker.url);
    const socket = connect(Number(port), hostname);
    socket.end('nonsense\r\n\r\n');
    await new Promise((resolve) => socket.resume().once('close', resolve));
    const lines = broker.log.map((line) => JSON.parse(line)).filter(({ action }) => action === 'unreadable');
    expect(lines).toEqual([
      expect.objectContaining({ request_id: expect.any(String), track_id: null, sandbox_id: null }),
    ]);
  });

  test('one whose client hung up before it was answered, with the sandbox that it took', async () => {
    await putSandbox(table, 'abandoned', { name: 'abandoned-1' });
    const abort = new AbortController();
    const hungUp = hangUpOf('r-abandoned');
    database.beforeCall = async (command) => {
      if (command !== 'TransactWriteItemsCommand') return;
      abort.abort();
      await hungUp;
    };
    const headers = {
      authorization: `Bearer ${TRACK_TOKEN}`,
      'x-instruqt-sandbox-id': 'impatient',
      'x-sandbox-name-prefix': 'abandoned-',
      'x-request-id': 'r-abandoned',
    };
    const request = fetch(`${broker.url}/v1/allocate`, { method: 'POST', headers, signal: abort.signal });
    await expect(request).rejects.toThrow();
    database.beforeCall = async () => {};
    await expect.poll(() => linesOf('r-abandoned').length, { interval: 20 }).toBe(1);
    expect(linesOf('r-abandoned')[0]).toMatchObject({
      action: 'allocate',
      outcome: 'success',
      status: 201,
      track_id: 'impatient',
      sandbox_id: 'abandoned',
      abandoned: true,
    });
  });
});

describe('Each other line has the same fields, each once, as null where there is nothing to say:', () => {
  test('those of a start and a stop, of which the framework writes none', async () => {
    const previous = await tableOfTest({ adopted: false });
    await putSandbox(previous, 'previous', {
      status: 'allocated',
      allocated_to_track: 'old',
      allocated_at: 1,
    });
    const { log, stop } = await brokerProcessOfTest({
      ...previous.environment,
      BROKER_API_TOKEN: 'short-one',
    });
    await stop();
    const lines = log.map((line) => JSON.parse(line));
    const said = lines.filter(({ action }) => action === 'start' || action === 'stop');
    expect(said.map(({ outcome }) => outcome).sort()).toEqual(
      ['not_adopted', 'no_provider', 'short_token', 'success', 'success', null].sort(),
    );
    expect(lines.filter(({ action }) => action === null)).toEqual([]);
    expect(missingFrom(log)).toEqual([]);
  });

  test('that of a fault, beside the one of its request', async () => {
    database.beforeCall = async () => {
      throw new Error('broken');
    };
    await api.read('student', 'any', { 'x-request-id': 'r-fault' });
    database.beforeCall = async () => {};
    expect(linesOf('r-fault')).toEqual([
      expect.objectContaining({ level: 'error', msg: 'request failed', track_id: null, latency_ms: null }),
      expect.objectContaining({ outcome: 'internal_error', track_id: 'student', status: 500 }),
    ]);
    expect(missingFrom(broker.log)).toEqual([]);
  });
});

test('Probes and scrapes are logged at the level debug alone, all else at info', async () => {
  await api.call('GET', '/healthz', { 'x-request-id': 'r-probe' });
  await api.read('student', 'none', { 'x-request-id': 'r-read' });
  expect(linesOf('r-probe')[0].level).toBe('debug');
  expect(linesOf('r-read')[0].level).toBe('info');
});

test('No token and no guess of one is in the log or in an answer, wherever a client puts it', async () => {
  const guess = 'a-guess-that-may-be-a-real-token';
  const answers = [
    await api.call('POST', '/v1/allocate', { authorization: `Bearer ${guess}` }),
    await api.call('POST', '/v1/allocate', { authorization: `Bearer ${ADMIN_TOKEN}` }),
    await api.call('GET', '/v1/admin/stats', { authorization: `Bearer ${TRACK_TOKEN}` }),
    await api.call('GET', `/v1/admin/sandboxes?token=${ADMIN_TOKEN}`, { authorization: ADMIN_TOKEN }),
    await api.call('GET', `/none?token=${ADMIN_TOKEN}`),
    await api.admin('POST', '/sandboxes/none/release', `{"token": "${ADMIN_TOKEN}"`),
  ];
  database.beforeCall = async () => {
    throw Object.assign(new Error('broken'), { headers: { authorization: `Bearer ${TRACK_TOKEN}` } });
  };
  answers.push(await api.read('student', 'any'), await api.admin('GET', '/sandboxes'));
  database.beforeCall = async () => {};
  expect(answers.map(({ status }) => status)).toEqual([401, 403, 403, 401, 404, 400, 500, 500]);
  const everything = broker.log.join('') + JSON.stringify(answers.map(({ body }) => body));
  for (const secret of [guess, TRACK_TOKEN, ADMIN_TOKEN]) expect(everything).not.toContain(secret);
});

/** The lines in which a field of the contract does not stand just once. */
function missingFrom(log: readonly string[]): string[] {
  const fields = ['request_id', 'track_id', 'sandbox_id', 'action', 'outcome', 'latency_ms'];
  return log.filter((line) => fields.some((field) => line.split(`"${field}":`).length !== 2));
}

/** Resolves when the broker has noticed that the client of a request has gone. */
function hangUpOf(requestId: string): Promise<void> {
  return new Promise((resolve) => {
    const watch = (message: unknown) => {
      const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
      if (request.headers['x-request-id'] === requestId) response.once('close', resolve);
    };
    subscribe('http.server.request.start', watch);
    onTestFinished(() => void unsubscribe('http.server.request.start', watch));
  });
}

async function strangersRelease(requestId: string) {
  const { body } = await api.allocate('student');
  return api.release('stranger', body.sandbox_id, { 'x-request-id': requestId });
}
