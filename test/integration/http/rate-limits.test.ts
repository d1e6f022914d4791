import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { brokerOfTest } from '../../support/broker.ts';
import { asAdmin, asTrack, call, type RequestHeaders } from '../../support/client.ts';
import {
  ADMIN_TOKEN,
  type Environment,
  type TestTable,
  TRACK_TOKEN,
  tableOfTest,
} from '../../support/table.ts';
import { type Api, apiOf, refusal } from './support/api.ts';

let table: TestTable;

beforeEach(async () => {
  table = await tableOfTest();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A broker with the shipped limits, except for those given. */
async function brokerWith(limits: Environment = {}): Promise<Api> {
  const shipped = { RATE_LIMIT_PER_CALLER: '', RATE_LIMIT_PER_CREDENTIAL: '' };
  return apiOf((await brokerOfTest({ ...table.environment, ...shipped, ...limits })).url);
}

const read = (api: Api, track: string, headers: RequestHeaders = {}) => api.read(track, 'some', headers);

describe('With the limits as shipped', () => {
  test('a class of 1,000 callers behind one address is served at once', async () => {
    await table.seed(1_000);
    // How fast a class is served is measured by `npm run bench`.
    const api = await brokerWith();
    const tracks = Array.from({ length: 1_000 }, (_, index) => `student-${index}`);
    const answers = await Promise.all(
      tracks.map((track) => call('POST', `${api.url}/v1/allocate`, asTrack(track))),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1_000);
    expect(new Set(answers.map(({ body }) => body.sandbox_id)).size).toBe(1_000);
  });

  test('a client that repeats one caller id in a loop is answered 429 before its 200th request, and others are not', async () => {
    const api = await brokerWith();
    const statuses: number[] = [];
    for (let index = 0; index < 200; index += 1) statuses.push((await read(api, 'in-a-circle')).status);
    expect(statuses[0]).toBe(404);
    expect(statuses.at(-1)).toBe(429);
    expect((await read(api, 'somebody-else')).status).toBe(404);
  });

  test('a client that guesses tokens is answered 429 before its 100th guess', async () => {
    const api = await brokerWith();
    const statuses: number[] = [];
    for (let index = 0; index < 100; index += 1) {
      const headers = { authorization: `Bearer guess-${index}` };
      statuses.push((await api.call('GET', '/v1/admin/stats', headers)).status);
    }
    expect([statuses[0], statuses.at(-1)]).toEqual([401, 429]);
  });
});

describe('The limit of a caller id', () => {
  test('counts down in X-RateLimit-Limit, -Remaining and -Reset, and ends in 429 with Retry-After', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const api = await brokerWith({ RATE_LIMIT_PER_CALLER: '3', RATE_LIMIT_WINDOW_SEC: '50' });
    const answers = [];
    for (let index = 0; index < 5; index += 1) answers.push(await read(api, 'counted'));
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 429, 429]);
    expect(answers.map(({ headers }) => headers.get('x-ratelimit-limit'))).toEqual(Array(5).fill('3'));
    expect(answers.map(({ headers }) => headers.get('x-ratelimit-remaining'))).toEqual([
      '2',
      '1',
      '0',
      '0',
      '0',
    ]);
    for (const { headers } of answers) {
      const reset = Number(headers.get('x-ratelimit-reset'));
      expect(reset).toBeGreaterThan(40);
      expect(reset).toBeLessThanOrEqual(50);
    }
    const last = answers.at(-1)!;
    expect(refusal(last)).toBe('429 RATE_LIMIT_EXCEEDED');
    expect(last.headers.get('retry-after')).toBe(last.headers.get('x-ratelimit-reset'));
  });

  test('ends with its window', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const api = await brokerWith({ RATE_LIMIT_PER_CALLER: '1', RATE_LIMIT_WINDOW_SEC: '50' });
    expect((await read(api, 'patient')).status).toBe(404);
    vi.setSystemTime(Date.now() + 49_000);
    expect((await read(api, 'patient')).status).toBe(429);
    vi.setSystemTime(Date.now() + 1_000);
    expect((await read(api, 'patient')).status).toBe(404);
  });

  test.each([
    ['both of its names', (id: string) => ({ 'x-track-id': id })],
    ['spaces around it', (id: string) => ({ 'x-track-id': ` ${id} ` })],
    [
      'another header for the older name',
      (id: string) => ({ 'x-instruqt-sandbox-id': id, 'x-track-id': 'else' }),
    ],
  ])('is one limit whether the id comes by X-Instruqt-Sandbox-ID or with %s', async (_, named) => {
    const api = await brokerWith({ RATE_LIMIT_PER_CALLER: '1' });
    expect((await read(api, 'same')).status).toBe(404);
    const headers = { authorization: `Bearer ${TRACK_TOKEN}`, ...named('same') };
    expect((await api.call('GET', '/v1/sandboxes/some', headers)).status).toBe(429);
  });

  test('counts malformed requests too', async () => {
    const api = await brokerWith({ RATE_LIMIT_PER_CALLER: '2' });
    const answers = [];
    for (let index = 0; index < 3; index += 1) answers.push(await api.allocate('a b'));
    expect(answers.map(refusal)).toEqual([
      '400 INVALID_TRACK_ID',
      '400 INVALID_TRACK_ID',
      '429 RATE_LIMIT_EXCEEDED',
    ]);
  });
});

describe('The limit of a caller id that is none', () => {
  test.each([
    ['holds a space', (index: number) => `a ${index}`],
    ['is too long', (index: number) => `${index}`.padStart(257, 'x')],
    ['is not ASCII', (index: number) => `\u00e9${index}`],
  ])('is one for all of them: one that %s is not kept', async (_, invented) => {
    const api = await brokerWith({ RATE_LIMIT_PER_CALLER: '2' });
    const statuses: number[] = [];
    for (let index = 0; index < 3; index += 1) statuses.push((await api.allocate(invented(index))).status);
    expect(statuses).toEqual([400, 400, 429]);
    expect((await read(api, 'x'.repeat(256))).status).toBe(404);
  });
});

describe('The limit of a credential and address', () => {
  test('is not used up by a client that repeats one caller id in a loop', async () => {
    const api = await brokerWith({ RATE_LIMIT_PER_CREDENTIAL: '10', RATE_LIMIT_PER_CALLER: '3' });
    for (let index = 0; index < 30; index += 1) await read(api, 'in-a-circle');
    const statuses: number[] = [];
    for (let index = 0; index < 8; index += 1) statuses.push((await read(api, `other-${index}`)).status);
    expect(statuses).toEqual([404, 404, 404, 404, 404, 404, 404, 429]);
  });

  test('is not escaped by inventing a caller id for each request', async () => {
    const api = await brokerWith({ RATE_LIMIT_PER_CREDENTIAL: '5', RATE_LIMIT_PER_CALLER: '2' });
    const statuses: number[] = [];
    for (let index = 0; index < 7; index += 1) statuses.push((await read(api, `invented-${index}`)).status);
    expect(statuses).toEqual([404, 404, 404, 404, 404, 429, 429]);
  });

  test('refuses also when both limits have nothing left and only that of the caller is exceeded', async () => {
    const api = await brokerWith({ RATE_LIMIT_PER_CREDENTIAL: '3', RATE_LIMIT_PER_CALLER: '2' });
    const statuses: number[] = [];
    for (let index = 0; index < 3; index += 1) statuses.push((await read(api, 'one')).status);
    expect(statuses).toEqual([404, 404, 429]);
  });

  test('holds on admin routes, and is another one than that of the track token', async () => {
    const api = await brokerWith({ RATE_LIMIT_PER_CREDENTIAL: '2' });
    for (const track of ['a', 'b', 'c']) await read(api, track);
    const statuses: number[] = [];
    for (let index = 0; index < 3; index += 1)
      statuses.push((await api.call('GET', '/v1/admin/sandboxes/some', asAdmin())).status);
    expect(statuses).toEqual([404, 404, 429]);
  });

  test('is one for each token that has a name of its own', async () => {
    const tokens = { one: 'the-token-of-one', two: 'the-token-of-two' };
    const api = await brokerWith({
      RATE_LIMIT_PER_CREDENTIAL: '2',
      BROKER_API_TOKEN: JSON.stringify(tokens),
    });
    const as = async (token: string, track: string) =>
      (await read(api, track, { authorization: `Bearer ${token}` })).status;
    for (const track of ['a', 'b']) expect(await as(tokens.one, track)).toBe(404);
    expect(await as(tokens.one, 'c')).toBe(429);
    expect(await as(tokens.two, 'a')).toBe(404);
  });

  test('holds for a credential of the wrong kind too', async () => {
    const api = await brokerWith({ RATE_LIMIT_PER_CREDENTIAL: '2' });
    const statuses: number[] = [];
    for (const track of ['a', 'b', 'c'])
      statuses.push((await api.call('GET', '/v1/admin/stats', asTrack(track))).status);
    expect(statuses).toEqual([403, 403, 429]);
  });
});

describe('The limit of failed authentications', () => {
  const guess = (api: Api, headers: RequestHeaders = {}) =>
    api.call('POST', '/v1/allocate', { authorization: 'Bearer a-wrong-guess', ...headers });

  test('answers 429 with Retry-After and the three headers, and takes nothing from who was there before', async () => {
    const api = await brokerWith({ RATE_LIMIT_FAILED_AUTH: '2' });
    await table.seed(2);
    expect((await api.allocate('early')).status).toBe(201);
    expect((await api.admin('GET', '/sandboxes')).status).toBe(200);
    const answers = [await guess(api), await guess(api), await guess(api)];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 429]);
    expect(answers[2]?.headers.get('x-ratelimit-limit')).toBe('2');
    expect(answers[2]?.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(Number(answers[2]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await api.allocate('late')).status).toBe(201);
    expect((await api.admin('GET', '/sandboxes')).status).toBe(200);
  });

  test('does not tell a right guess from a wrong one, however many there were, until its window is over', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const broker = await brokerOfTest({
      ...table.environment,
      RATE_LIMIT_FAILED_AUTH: '2',
      RATE_LIMIT_WINDOW_SEC: '50',
    });
    const api = await apiOf(broker.url);
    const told = async (authorization: string) => {
      const { status, body, headers } = await guess(api, { authorization, 'x-request-id': 'the-same' });
      return { status, body, headers: Object.fromEntries([...headers].filter(([name]) => name !== 'date')) };
    };
    for (const index of [1, 2]) expect(await told(`Bearer guess-${index}`)).toMatchObject({ status: 401 });
    const right = [await told(`Bearer ${TRACK_TOKEN}`), await told(`Bearer ${ADMIN_TOKEN}`)];
    const wrong = await told('Bearer guess-3');
    expect(wrong).toMatchObject({ status: 429, headers: { connection: 'close' } });
    expect(right).toEqual([wrong, wrong]);
    const lines = broker.log.map((line) => JSON.parse(line)).filter(({ status }) => status === 429);
    expect(lines).toHaveLength(3);
    expect(lines.filter((line) => 'actor' in line)).toEqual([]);
    const { body } = await api.call('GET', '/metrics');
    expect(body).toContain('broker_rate_limited_total{limit="failed_authentication"} 3\n');
    vi.setSystemTime(Date.now() + 50_000);
    expect((await api.allocate('patient')).status).toBe(409);
  });

  test('holds back who is new at that address alone', async () => {
    const api = await brokerWith({ RATE_LIMIT_FAILED_AUTH: '1', TRUST_PROXY: '1' });
    const from = async (address: string, headers: RequestHeaders) =>
      (await api.call('GET', '/v1/admin/stats', { ...headers, 'x-forwarded-for': address })).status;
    const wrong = { authorization: 'Bearer a-wrong-guess' };
    expect(await from('203.0.113.1', asAdmin())).toBe(200);
    for (const address of ['203.0.113.1', '203.0.113.2']) {
      expect(await from(address, wrong)).toBe(401);
      expect(await from(address, wrong)).toBe(429);
    }
    expect(await from('203.0.113.1', asAdmin())).toBe(200);
    expect(await from('203.0.113.1', asTrack('student'))).toBe(429);
    expect(await from('203.0.113.2', asAdmin())).toBe(429);
    expect(await from('203.0.113.3', asAdmin())).toBe(200);
  });

  test('is not escaped by another caller id, nor by an address that the client invents', async () => {
    const api = await brokerWith({ RATE_LIMIT_FAILED_AUTH: '1' });
    await guess(api);
    for (const headers of [
      { 'x-instruqt-sandbox-id': 'another' },
      { 'x-forwarded-for': '203.0.113.7' },
      { forwarded: 'for=203.0.113.8' },
      { 'x-real-ip': '203.0.113.9' },
    ])
      expect((await guess(api, headers)).status).toBe(429);
  });

  test('counts by the address that the last trusted proxy saw, not by what the client wrote before it', async () => {
    const api = await brokerWith({ RATE_LIMIT_FAILED_AUTH: '1', TRUST_PROXY: '1' });
    const from = (chain: string) => guess(api, { 'x-forwarded-for': chain });
    expect((await from('203.0.113.1')).status).toBe(401);
    expect((await from('203.0.113.1')).status).toBe(429);
    expect((await from('198.51.100.1, 203.0.113.1')).status).toBe(429);
    expect((await from('203.0.113.2')).status).toBe(401);
  });

  test('counts what is no address as one, however much of it there is', async () => {
    const api = await brokerWith({ RATE_LIMIT_FAILED_AUTH: '1', TRUST_PROXY: '1' });
    const from = (chain: string) => guess(api, { 'x-forwarded-for': chain });
    expect((await from('a'.repeat(10_000))).status).toBe(401);
    expect((await from('b'.repeat(10_000))).status).toBe(429);
  });

  test('hangs up on whoever guesses on, and on nobody before', async () => {
    const api = await brokerWith({ RATE_LIMIT_FAILED_AUTH: '1' });
    expect((await guess(api)).headers.get('connection')).toBe('keep-alive');
    expect((await guess(api)).headers.get('connection')).toBe('close');
  });

  test('counts all addresses of one IPv6 network together', async () => {
    const api = await brokerWith({ RATE_LIMIT_FAILED_AUTH: '1', TRUST_PROXY: '1' });
    const from = (address: string) => guess(api, { 'x-forwarded-for': address });
    expect((await from('2001:db8:1:1::1')).status).toBe(401);
    expect((await from('2001:db8:1:1:ffff::9')).status).toBe(429);
    expect((await from('2001:db8:1:2::1')).status).toBe(401);
  });
});

test('The documentation is limited by address, whatever else its readers send', async () => {
  const api = await brokerWith({ RATE_LIMIT_PER_CALLER: '3' });
  // One was used up to learn what the broker publishes.
  const paths = ['/v1/openapi.json', '/v1/docs/static/swagger-ui.css', '/v1/docs/', '/docs'];
  const answers = [];
  for (const path of paths) answers.push(await api.call('GET', path, asTrack(`caller-of${path}`)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 429]);
  expect(answers.map(({ headers }) => headers.get('x-ratelimit-remaining'))).toEqual(['1', '0', '0', '0']);
  expect((await read(api, 'somebody')).status).toBe(404);
});

test('Health and metrics are exempt, and say nothing of limits', async () => {
  const limits = { RATE_LIMIT_PER_CREDENTIAL: '1', RATE_LIMIT_PER_CALLER: '1', RATE_LIMIT_FAILED_AUTH: '1' };
  const api = await brokerWith(limits);
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    for (let index = 0; index < 4; index += 1) {
      const answer = await api.call('GET', path, asTrack('same'));
      expect(answer.status).toBe(200);
      expect(answer.headers.get('x-ratelimit-limit')).toBeNull();
    }
  }
});

test('broker_rate_limited_total counts refusals by the limit that made them', async () => {
  const api = await brokerWith({
    RATE_LIMIT_PER_CREDENTIAL: '4',
    RATE_LIMIT_PER_CALLER: '1',
    RATE_LIMIT_FAILED_AUTH: '1',
  });
  for (const track of ['a', 'a', 'b', 'c', 'd', 'e', 'f']) await read(api, track);
  for (let index = 0; index < 3; index += 1) await api.call('POST', '/v1/allocate');
  const { body } = await api.call('GET', '/metrics');
  expect(body).toContain('broker_rate_limited_total{limit="caller"} 1\n');
  expect(body).toContain('broker_rate_limited_total{limit="credential"} 2\n');
  expect(body).toContain('broker_rate_limited_total{limit="failed_authentication"} 2\n');
});
