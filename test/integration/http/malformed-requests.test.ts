import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../../support/broker.ts';
import { asAdmin, asTrack } from '../../support/client.ts';
import { makeTable, type TestTable } from '../../support/table.ts';
import { type Api, apiOf, refusal, wrongFields } from './support/api.ts';
import { rawRequest } from './support/raw-request.ts';
import { putSandbox } from './support/rows.ts';

let table: TestTable;
let broker: TestBroker;
let api: Api;

beforeAll(async () => {
  table = await makeTable();
  broker = await startBroker(table.environment);
  api = await apiOf(broker.url);
  await table.seed(20);
});

afterAll(async () => {
  await broker.close();
  await table.drop();
});

const JSON_TYPE = { 'content-type': 'application/json' };

describe('404 NOT_FOUND is the answer to an unknown route:', () => {
  test.each([
    ['GET', '/'],
    ['GET', '/v1'],
    ['GET', '/v1/allocates'],
    ['POST', '/v2/allocate'],
    ['GET', '/v1/sandboxes'],
    ['DELETE', '/v1/nowhere'],
    ['GET', '/v1/admin/nowhere'],
    ['GET', '/V1/allocate'],
    ['GET', '/v1/docs/static/none.js'],
    ['PUT', '/v1/docs/static/none.js/../../../../etc/passwd'],
  ])('%s %s', async (method, path) => {
    expect(refusal(await api.call(method, path))).toBe('404 NOT_FOUND');
  });
});

describe('405 METHOD_NOT_ALLOWED, with what is allowed, is the answer to', () => {
  test.each([
    ['GET', '/v1/allocate', 'POST'],
    ['PUT', '/v1/allocate', 'POST'],
    ['OPTIONS', '/v1/allocate', 'POST'],
    ['DELETE', '/v1/sandboxes/some', 'GET, HEAD'],
    ['DELETE', `/v1/sandboxes/${'a'.repeat(256)}`, 'GET, HEAD'],
    ['GET', '/v1/sandboxes/some/mark-for-deletion', 'POST'],
    ['POST', '/v1/admin/sandboxes?status=stale', 'GET, HEAD'],
    ['PATCH', '/v1/admin/sandboxes/some', 'GET, HEAD'],
    ['GET', '/v1/admin/bulk-delete', 'POST'],
    ['POST', '/metrics', 'GET, HEAD'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['POST', '/v1/openapi.json', 'GET, HEAD'],
  ])('%s %s', async (method, path, allowed) => {
    const answer = await api.call(method, path);
    expect(refusal(answer)).toBe('405 METHOD_NOT_ALLOWED');
    expect(answer.headers.get('allow')).toBe(allowed);
  });

  test.each(['PROPFIND', 'TRACE', 'NONSENSE'])('%s, which no route takes', async (method) => {
    const answer = await rawRequest(broker.url, [`${method} /v1/allocate HTTP/1.1`, 'Host: broker']);
    expect(refusal(answer)).toBe('405 METHOD_NOT_ALLOWED');
    expect(answer.headers.get('allow')).toContain('POST');
    expect(api.contract.differences(method, '/v1/allocate', answer)).toEqual([]);
  });
});

/** One route that reads its body, and one that has no use for it. */
const BODY_ROUTES = [
  { path: '/v1/admin/sandboxes/some/quarantine', headers: asAdmin() },
  { path: '/v1/admin/bulk-delete?status=stale', headers: asAdmin() },
  { path: '/v1/allocate', headers: asTrack('caller') },
  { path: '/v1/sandboxes/some/mark-for-deletion', headers: asTrack('caller') },
];

describe.each(BODY_ROUTES)('POST $path', ({ path, headers }) => {
  test('answers 413 PAYLOAD_TOO_LARGE to a body beyond 64 KB', async () => {
    const answer = await api.call('POST', path, { ...headers, ...JSON_TYPE }, `"${'x'.repeat(65 * 1024)}"`);
    expect(refusal(answer)).toBe('413 PAYLOAD_TOO_LARGE');
  });

  test('answers 413 PAYLOAD_TOO_LARGE to one that does not say how long it is', async () => {
    const lines = Object.entries({ ...headers, ...JSON_TYPE }).map(([name, value]) => `${name}: ${value}`);
    const size = 66 * 1024;
    const answer = await rawRequest(
      broker.url,
      [`POST ${path} HTTP/1.1`, 'Host: broker', ...lines, 'Transfer-Encoding: chunked'],
      `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n0\r\n\r\n`,
    );
    expect(refusal(answer)).toBe('413 PAYLOAD_TOO_LARGE');
    expect(api.contract.differences('POST', path, answer)).toEqual([]);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'text/xml', 'nonsense'])(
    'answers 415 UNSUPPORTED_MEDIA_TYPE to a body of the type %s',
    async (type) => {
      const answer = await api.call('POST', path, { ...headers, 'content-type': type }, 'reason=x');
      expect(refusal(answer)).toBe('415 UNSUPPORTED_MEDIA_TYPE');
    },
  );

  test.each(['{', '{"reason":', 'nonsense', '{"__proto__": {"x": 1}}', "{'reason': 'x'}"])(
    'answers 400 VALIDATION_ERROR to the body %s',
    async (body) => {
      const answer = await api.call('POST', path, { ...headers, ...JSON_TYPE }, body);
      expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
      expect(wrongFields(answer)).toEqual(['body']);
    },
  );

  test.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded'])(
    'takes an empty body of the type %s for none',
    async (type) => {
      const { status } = await api.call('POST', path, { ...headers, 'content-type': type });
      expect([200, 201, 404]).toContain(status);
    },
  );
});

describe('400 VALIDATION_ERROR is the answer to a body', () => {
  test.each([
    ['that is no object', '[]', 'body'],
    ['that is a string', '"why"', 'body'],
    ['whose reason is a number', '{"reason": 7}', 'reason'],
    ['whose reason is empty', '{"reason": "  "}', 'reason'],
    ['whose reason has 501 characters', JSON.stringify({ reason: 'x'.repeat(501) }), 'reason'],
  ])('%s', async (_, body, field) => {
    await putSandbox(table, 'unmoved');
    const answer = await api.admin('POST', '/sandboxes/unmoved/quarantine', body);
    expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
    expect(wrongFields(answer)).toEqual([field]);
    expect((await api.admin('GET', '/sandboxes/unmoved')).body.status).toBe('available');
  });
});

test.each(['/v1/sandboxes/%zz', '/v1/sandboxes/%', '/%c3%28', '/v1/admin/sandboxes/%E0%A4%A'])(
  '400 VALIDATION_ERROR is the answer to the badly encoded path %s',
  async (path) => {
    const answer = await api.call('GET', path, asAdmin());
    expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
    expect(wrongFields(answer)).toEqual(['path']);
  },
);

test('400 VALIDATION_ERROR is the answer to what is not HTTP', async () => {
  const answer = await rawRequest(broker.url, ['GET /healthz HTTP/1.1', 'Host: broker', 'no colon here']);
  expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
  expect(api.contract.differences('GET', '/nowhere', answer)).toEqual([]);
});

test('400 VALIDATION_ERROR is the answer to HTTP/1.1 without Host, and HTTP/1.0 needs none', async () => {
  const answer = await rawRequest(broker.url, ['GET /v1/admin/stats HTTP/1.1', 'X-Request-ID: mine']);
  expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
  expect(wrongFields(answer)).toEqual(['host']);
  expect(answer.headers.get('x-request-id')).toBe('mine');
  expect((await rawRequest(broker.url, ['GET /healthz HTTP/1.0'])).status).toBe(200);
});

test('an expectation that is not known is left unmet, and the request answered', async () => {
  const answer = await rawRequest(broker.url, ['GET /healthz HTTP/1.1', 'Host: broker', 'Expect: nonsense']);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('x-request-id')).not.toBeNull();
});
