import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../../support/broker.ts';
import { call } from '../../support/client.ts';
import { makeTable, type TestTable } from '../../support/table.ts';
import { type Api, apiOf } from './support/api.ts';

let table: TestTable;
let broker: TestBroker;
let api: Api;
let scraped: string;

/** One of everything that the metrics tell apart. */
beforeAll(async () => {
  table = await makeTable();
  broker = await startBroker(table.environment);
  api = await apiOf(broker.url);
  await table.seed(2);
  const { body: held } = await api.allocate('student-with-a-secret-id');
  await api.allocate('student-with-a-secret-id');
  await api.allocate('second');
  await api.allocate('third');
  await api.allocate('a b');
  await api.read('student-with-a-secret-id', held.sandbox_id);
  await api.release('second', held.sandbox_id);
  await api.release('second', 'unknown-sandbox');
  await api.release('student-with-a-secret-id', held.sandbox_id);
  await api.admin('GET', '/stats');
  await api.admin('GET', `/sandboxes/${held.sandbox_id}`);
  await api.call('GET', '/no/such/route-with-an-id-42');
  await api.call('DELETE', '/v1/sandboxes/some-id-43');
  await api.call('GET', '/v1/sandboxes/%zz');
  scraped = (await call('GET', `${broker.url}/metrics`)).body;
});

afterAll(async () => {
  await broker.close();
  await table.drop();
});

describe('GET /metrics', () => {
  test('is the text format of Prometheus, and needs no credential', async () => {
    const { status, headers } = await api.call('GET', '/metrics');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  test.each([
    ['broker_allocate_total', 'counter'],
    ['broker_allocate_idempotent_hits_total', 'counter'],
    ['broker_allocate_conflicts_total', 'counter'],
    ['broker_conflict_total', 'counter'],
    ['broker_deletion_marked_total', 'counter'],
    ['broker_pool_available', 'gauge'],
    ['broker_pool_allocated', 'gauge'],
    ['broker_pool_pending_deletion', 'gauge'],
    ['broker_pool_stale', 'gauge'],
    ['broker_pool_deletion_failed', 'gauge'],
    ['broker_pool_total', 'gauge'],
    ['broker_request_latency_seconds', 'histogram'],
    ['broker_allocation_latency_seconds', 'histogram'],
  ])('has %s, a %s', (name, type) => {
    expect(scraped).toContain(`# TYPE ${name} ${type}\n`);
  });

  test.each([
    'broker_allocate_total{outcome="success"} 2',
    'broker_allocate_total{outcome="replay"} 1',
    'broker_allocate_total{outcome="no_sandboxes"} 1',
    'broker_allocate_idempotent_hits_total 1',
    'broker_allocate_conflicts_total 0',
    'broker_conflict_total 0',
    'broker_deletion_marked_total{outcome="success"} 1',
    'broker_deletion_marked_total{outcome="not_owner"} 1',
    'broker_deletion_marked_total{outcome="not_found"} 1',
    'broker_allocation_latency_seconds_count{outcome="success"} 2',
    'broker_allocation_latency_seconds_count{outcome="no_sandboxes"} 1',
    'broker_pool_allocated 1',
    'broker_pool_pending_deletion 1',
    'broker_pool_total 2',
  ])('counts %s', (line) => {
    expect(scraped.split('\n')).toContain(line);
  });

  test.each([
    ['POST', '/v1/allocate', 201, 2],
    ['POST', '/v1/allocate', 200, 1],
    ['POST', '/v1/allocate', 409, 1],
    ['POST', '/v1/allocate', 400, 1],
    ['GET', '/v1/sandboxes/{sandbox_id}', 200, 1],
    ['POST', '/v1/sandboxes/{sandbox_id}/mark-for-deletion', 200, 1],
    ['POST', '/v1/sandboxes/{sandbox_id}/mark-for-deletion', 403, 1],
    ['POST', '/v1/sandboxes/{sandbox_id}/mark-for-deletion', 404, 1],
    ['GET', '/v1/admin/stats', 200, 1],
    ['GET', '/v1/admin/sandboxes/{sandbox_id}', 200, 1],
    ['GET', 'unmatched', 404, 1],
    ['GET', 'unmatched', 400, 1],
    ['DELETE', 'unmatched', 405, 1],
  ])('observes %s %s answered %i by its template', (method, endpoint, status, count) => {
    const labels = `method="${method}",endpoint="${endpoint}",status="${status}"`;
    expect(scraped.split('\n')).toContain(`broker_request_latency_seconds_count{${labels}} ${count}`);
  });

  test('holds no id of a caller or a sandbox, and no path as it was sent', () => {
    expect(scraped).not.toMatch(/student-with-a-secret-id|unknown-sandbox|lab-adventure|id-42|id-43|%zz/);
  });

  test('knows no other label values for an endpoint than templates', () => {
    const endpoints = new Set([...scraped.matchAll(/endpoint="([^"]*)"/g)].map((match) => match[1]));
    const published = Object.keys(api.contract.document.paths);
    const documents = ['/v1/openapi.json'];
    expect(
      [...endpoints].filter((each) => ![...published, ...documents, 'unmatched'].includes(each!)),
    ).toEqual([]);
  });

  test('is the same for HEAD, without a body', async () => {
    const answer = await call('HEAD', `${broker.url}/metrics`);
    expect([answer.status, answer.body]).toEqual([200, '']);
  });
});
