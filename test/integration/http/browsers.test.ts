import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../../support/broker.ts';
import { asTrack, call } from '../../support/client.ts';
import { makeTable, type TestTable } from '../../support/table.ts';
import { type Api, apiOf, refusal } from './support/api.ts';

const ALLOWED = 'https://labs.example';

let table: TestTable;
let closed: TestBroker;
let open: TestBroker;
let api: Api;

beforeAll(async () => {
  table = await makeTable();
  await table.seed(3);
  closed = await startBroker(table.environment);
  open = await startBroker({
    ...table.environment,
    CORS_ALLOWED_ORIGINS: `${ALLOWED}, http://127.0.0.1:3000`,
  });
  api = await apiOf(open.url);
});

afterAll(async () => {
  await Promise.all([closed.close(), open.close()]);
  await table.drop();
});

const preflight = (url: string, origin: string, path = '/v1/allocate') =>
  call('OPTIONS', url + path, {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,x-instruqt-sandbox-id',
  });

describe('Without CORS_ALLOWED_ORIGINS', () => {
  test('no origin may call: neither an answer nor a preflight allows one', async () => {
    const answer = await call('POST', `${closed.url}/v1/allocate`, asTrack('student', { origin: ALLOWED }));
    expect(answer.status).toBe(201);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    const refused = await preflight(closed.url, ALLOWED);
    expect(refusal(refused)).toBe('405 METHOD_NOT_ALLOWED');
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('With CORS_ALLOWED_ORIGINS', () => {
  test.each([ALLOWED, 'http://127.0.0.1:3000'])(
    'the origin %s may call, and see the headers',
    async (origin) => {
      const answer = await api.allocate('student', { origin });
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
      expect(answer.headers.get('vary')).toContain('Origin');
      for (const name of ['X-Request-ID', 'Retry-After', 'X-RateLimit-Remaining'])
        expect(answer.headers.get('access-control-expose-headers')).toContain(name);
      const asked = await preflight(open.url, origin);
      expect(asked.status).toBe(204);
      expect(asked.headers.get('access-control-allow-origin')).toBe(origin);
      expect(asked.headers.get('access-control-allow-methods')).toBe('GET, POST');
      expect(asked.headers.get('access-control-allow-headers')).toContain('x-instruqt-sandbox-id');
    },
  );

  test.each([
    'https://elsewhere.example',
    'https://labs.example.evil.example',
    'http://labs.example',
    'https://labs.example:444',
    'null',
  ])('the origin %s may not', async (origin) => {
    const answer = await api.allocate('student', { origin });
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect((await preflight(open.url, origin)).headers.get('access-control-allow-origin')).toBeNull();
  });

  test('errors may be read by the page too', async () => {
    const answer = await api.allocate('a b', { origin: ALLOWED });
    expect(refusal(answer)).toBe('400 INVALID_TRACK_ID');
    expect(answer.headers.get('access-control-allow-origin')).toBe(ALLOWED);
  });

  test('credentials of the browser are not asked for', async () => {
    const answer = await api.allocate('student', { origin: ALLOWED });
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('an unknown route is 404 still, and a wrong method 405', async () => {
    expect(refusal(await api.call('GET', '/nowhere'))).toBe('404 NOT_FOUND');
    expect(refusal(await api.call('POST', '/nowhere'))).toBe('404 NOT_FOUND');
    const wrong = await api.call('GET', '/v1/allocate');
    expect([refusal(wrong), wrong.headers.get('allow')]).toEqual(['405 METHOD_NOT_ALLOWED', 'POST']);
  });

  test('an OPTIONS that is no preflight is no error of another shape', async () => {
    const answer = await call('OPTIONS', `${open.url}/v1/allocate`);
    expect([answer.status, answer.body]).toEqual([204, '']);
  });
});

describe('Security headers', () => {
  const PATHS = ['/healthz', '/metrics', '/v1/openapi.json', '/v1/docs', '/v1/allocate', '/nowhere'];

  test.each(PATHS)(
    'are in the answer to GET %s: no sniffing, no framing by others, no referrer',
    async (path) => {
      const { headers } = await call('GET', closed.url + path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('strict-transport-security')).toContain('max-age=');
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('server')).toBeNull();
    },
  );
});
