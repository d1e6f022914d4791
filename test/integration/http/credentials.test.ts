import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../../support/broker.ts';
import { ADMIN_TOKEN, makeTable, type TestTable, TRACK_TOKEN } from '../../support/table.ts';
import { type Api, apiOf, refusal } from './support/api.ts';

let table: TestTable;
let broker: TestBroker;
let api: Api;

beforeAll(async () => {
  table = await makeTable({ environment: { RATE_LIMIT_FAILED_AUTH: '100000' } });
  broker = await startBroker(table.environment);
  api = await apiOf(broker.url);
  await table.seed(3);
});

afterAll(async () => {
  await broker.close();
  await table.drop();
});

/** Every route of the contract's two tables that this document lists, by what it takes. */
const TRACK_ROUTES = [
  ['POST', '/v1/allocate'],
  ['POST', '/v1/sandboxes/any/mark-for-deletion'],
  ['GET', '/v1/sandboxes/any'],
] as const;

const ADMIN_ROUTES = [
  ['GET', '/v1/admin/sandboxes'],
  ['GET', '/v1/admin/sandboxes/any'],
  ['GET', '/v1/admin/sandboxes/any/events'],
  ['GET', '/v1/admin/stats'],
  ['POST', '/v1/admin/bulk-delete?status=stale'],
  ['POST', '/v1/admin/sandboxes/any/retry-deletion'],
  ['POST', '/v1/admin/sandboxes/any/quarantine'],
  ['POST', '/v1/admin/sandboxes/any/restore'],
  ['POST', '/v1/admin/sandboxes/any/release'],
  ['POST', '/v1/admin/sync'],
  ['POST', '/v1/admin/cleanup'],
  ['POST', '/v1/admin/auto-delete-stale'],
  ['GET', '/v1/admin/jobs'],
  ['POST', '/v1/admin/jobs/sync/pause'],
  ['POST', '/v1/admin/jobs/sync/resume'],
  ['POST', '/v1/admin/jobs/sync/run'],
] as const;

const NO_CREDENTIAL = [
  ['no Authorization', undefined],
  ['an empty one', ''],
  ['a scheme alone', 'Bearer'],
  ['a token without a scheme', TRACK_TOKEN],
  ['another scheme', `Basic ${Buffer.from(`x:${TRACK_TOKEN}`).toString('base64')}`],
  ['an unknown token', 'Bearer not-a-token-of-this-broker'],
  ['the beginning of a token', `Bearer ${TRACK_TOKEN.slice(0, -1)}`],
  ['a token and more', `Bearer ${TRACK_TOKEN}x`],
  ['a token in other letters', `Bearer ${TRACK_TOKEN.toUpperCase()}`],
  ['two tokens', `Bearer ${TRACK_TOKEN} ${ADMIN_TOKEN}`],
  ['a token of 9,000 characters', `Bearer ${'t'.repeat(9_000)}`],
] as const;

test('The route tables of this test name every published route that needs a credential', () => {
  const published = Object.entries(api.contract.document.paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, operation]) => operation.security !== undefined)
      .map(([method]) => `${method.toUpperCase()} ${path}`),
  );
  const named = [...TRACK_ROUTES, ...ADMIN_ROUTES].map(([method, path]) => {
    const operation = api.contract.operation(method, path);
    return published.find((route) => {
      const [, template = ''] = route.split(' ');
      return api.contract.document.paths[template]?.[method.toLowerCase()] === operation;
    });
  });
  const beyondTheContract = ['GET /v1/admin/niosxaas-cleanups'];
  expect([...named, ...beyondTheContract].sort()).toEqual(published.sort());
});

describe.each([...TRACK_ROUTES, ...ADMIN_ROUTES])('%s %s answers 401 UNAUTHORIZED to', (method, path) => {
  test.each(NO_CREDENTIAL)('%s', async (_, authorization) => {
    const headers = authorization === undefined ? {} : { authorization };
    const answer = await api.call(method, path, { ...headers, 'x-instruqt-sandbox-id': 'caller' });
    expect(refusal(answer)).toBe('401 UNAUTHORIZED');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });
});

test.each(TRACK_ROUTES)('%s %s answers 403 FORBIDDEN to the admin token', async (method, path) => {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'x-instruqt-sandbox-id': 'caller' };
  expect(refusal(await api.call(method, path, headers))).toBe('403 FORBIDDEN');
});

test.each(ADMIN_ROUTES)('%s %s answers 403 FORBIDDEN to the track token', async (method, path) => {
  const headers = { authorization: `Bearer ${TRACK_TOKEN}`, 'x-instruqt-sandbox-id': 'caller' };
  expect(refusal(await api.call(method, path, headers))).toBe('403 FORBIDDEN');
});

test.each(['Bearer', 'bearer', 'BEARER', 'bEaReR'])('The scheme may be written %s', async (scheme) => {
  const answer = await api.call('GET', '/v1/admin/stats', { authorization: `${scheme} ${ADMIN_TOKEN}` });
  expect(answer.status).toBe(200);
});

describe('Credentials are checked before', () => {
  test.each([
    ['the ids', {}, undefined, 401],
    ['the ids, also of the wrong kind', { authorization: `Bearer ${ADMIN_TOKEN}` }, undefined, 403],
    ['the body', { 'content-type': 'application/json' }, '{"broken', 401],
    ['the media type', { 'content-type': 'text/xml' }, '<a/>', 401],
    ['the size of the body', { 'content-type': 'application/json' }, `"${'x'.repeat(70_000)}"`, 401],
  ])('%s', async (_, headers, body, status) => {
    expect((await api.call('POST', '/v1/allocate', headers, body)).status).toBe(status);
  });

  test('a query', async () => {
    const answer = await api.call('GET', '/v1/admin/sandboxes?limit=0&status=none&cursor=x');
    expect(answer.status).toBe(401);
  });
});

test.each(['/healthz', '/readyz', '/metrics', '/v1/openapi.json', '/v1/docs'])(
  'GET %s needs no credential',
  async (path) => {
    expect((await api.call('GET', path)).status).toBe(200);
  },
);
