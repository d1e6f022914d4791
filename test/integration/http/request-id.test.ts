import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../../support/broker.ts';
import { type Answer, asAdmin } from '../../support/client.ts';
import { makeTable, type TestTable } from '../../support/table.ts';
import { type Api, apiOf } from './support/api.ts';
import { rawRequest } from './support/raw-request.ts';

let table: TestTable;
let broker: TestBroker;
let api: Api;

beforeAll(async () => {
  table = await makeTable({ environment: { LOG_LEVEL: 'debug' } });
  broker = await startBroker(table.environment);
  api = await apiOf(broker.url);
});

afterAll(async () => {
  await broker.close();
  await table.drop();
});

const GOOD = ['a', 'A-z.0_9', 'x'.repeat(128)];

test.each(GOOD)('X-Request-ID %j is echoed in the answer, the error body and the log line', async (id) => {
  const answer = await api.call('GET', '/v1/admin/sandboxes/none', asAdmin({ 'x-request-id': id }));
  expect(answer.headers.get('x-request-id')).toBe(id);
  expect(answer.body.error.request_id).toBe(id);
  expect(broker.log.filter((line) => JSON.parse(line).request_id === id)).toHaveLength(1);
});

const BAD = ['', ' ', 'x'.repeat(129), 'a b', 'a/b', 'a\u00e9', '<script>', 'a, b', '"a"'];

test.each(BAD)('X-Request-ID %j is replaced by one made here', async (id) => {
  const answer = await rawRequest(broker.url, [
    'GET /healthz HTTP/1.1',
    'Host: broker',
    ...(id === '' ? [] : [`X-Request-ID: ${id}`]),
  ]);
  expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

test('Two headers X-Request-ID are replaced by one made here', async () => {
  const head = ['GET /healthz HTTP/1.1', 'Host: broker', 'X-Request-ID: a', 'X-Request-ID: b'];
  const answer = await rawRequest(broker.url, head);
  expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

test.each([
  ['an answer that is not JSON', 'GET', '/metrics'],
  ['a page', 'GET', '/v1/docs'],
  ['a file of the page', 'GET', '/v1/docs/static/swagger-ui.css'],
  ['a redirection', 'GET', '/docs'],
  ['an unknown route', 'GET', '/nowhere'],
  ['a wrong method', 'DELETE', '/v1/allocate'],
  ['a path that is no path', 'GET', '/v1/sandboxes/%zz'],
])('X-Request-ID is in %s too', async (_, method, path) => {
  const answer: Answer = await api.call(method, path, { 'x-request-id': 'my-own' });
  expect(answer.headers.get('x-request-id')).toBe('my-own');
  expect(broker.log.some((line) => JSON.parse(line).request_id === 'my-own')).toBe(true);
});
