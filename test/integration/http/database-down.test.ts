import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, refusal } from './support/api.ts';
import { type BrokerOnALine, brokerOnALine } from './support/broker-on-a-line.ts';
import type { DatabaseLine } from './support/database-line.ts';

/** Short, so that giving up is seen soon. */
const IMPATIENT = {
  DDB_TIMEOUT_CONNECT_MS: '150',
  DDB_TIMEOUT_REQUEST_MS: '150',
  REQUEST_DEADLINE_MS: '400',
  BACKOFF_BASE_MS: '5',
  BACKOFF_MAX_MS: '50',
};

/** Whoever does not give up waits for ever: this tells the two apart on any machine. */
const BOUND_MS = 30_000;

describe.each([
  { what: 'refuses connections', breakLine: (line: DatabaseLine) => line.cut() },
  { what: 'never answers', breakLine: async (line: DatabaseLine) => line.hold() },
])('While the database $what', ({ breakLine }) => {
  let broken: BrokerOnALine;
  let api: Api;

  beforeAll(async () => {
    broken = await brokerOnALine(IMPATIENT, 5);
    api = broken.api;
    await breakLine(broken.line);
  });

  afterAll(() => broken.close());

  test.each([
    ['POST /v1/allocate', () => api.allocate('student')],
    ['POST /v1/sandboxes/{sandbox_id}/mark-for-deletion', () => api.release('student', 'some')],
    ['GET /v1/sandboxes/{sandbox_id}', () => api.read('student', 'some')],
    ['GET /v1/admin/sandboxes', () => api.admin('GET', '/sandboxes')],
    ['GET /v1/admin/sandboxes?status=stale', () => api.admin('GET', '/sandboxes?status=stale')],
    ['GET /v1/admin/sandboxes/{id}', () => api.admin('GET', '/sandboxes/some')],
    ['GET /v1/admin/sandboxes/{id}/events', () => api.admin('GET', '/sandboxes/some/events')],
    ['GET /v1/admin/stats', () => api.admin('GET', '/stats')],
    ['POST /v1/admin/bulk-delete', () => api.admin('POST', '/bulk-delete?status=stale')],
    ['POST /v1/admin/sandboxes/{id}/quarantine', () => api.admin('POST', '/sandboxes/some/quarantine')],
    ['POST /v1/admin/sandboxes/{id}/release', () => api.admin('POST', '/sandboxes/some/release')],
  ])('%s answers 503 SERVICE_UNAVAILABLE with Retry-After', async (_, send) => {
    const began = performance.now();
    const answer = await send();
    expect(refusal(answer)).toBe('503 SERVICE_UNAVAILABLE');
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(answer.body.error.message).not.toMatch(/127\.0\.0\.1|ECONN|dynamo/i);
    expect(performance.now() - began).toBeLessThan(BOUND_MS);
  });

  test('GET /healthz answers 200: it touches nothing outside the process', async () => {
    const { status, body } = await api.call('GET', '/healthz');
    expect([status, body.status]).toEqual([200, 'healthy']);
  });

  test('GET /readyz answers 503 not_ready with the check that failed, in bounded time', async () => {
    const began = performance.now();
    const { status, body } = await api.call('GET', '/readyz');
    expect([status, body.status]).toEqual([503, 'not_ready']);
    expect(body.checks.dynamodb).toMatch(/^failed/);
    expect(performance.now() - began).toBeLessThan(BOUND_MS);
  });

  test('GET /metrics answers 200, and counts the allocation as unavailable', async () => {
    const { status, body } = await api.call('GET', '/metrics');
    expect(status).toBe(200);
    expect(body).toContain('broker_allocate_total{outcome="unavailable"} 1');
    expect(body).toContain('broker_deletion_marked_total{outcome="unavailable"} 1');
  });

  test('a refusal is logged as a warning that names the cause', () => {
    const lines = broken.broker.log.map((line) => JSON.parse(line)).filter(({ status }) => status === 503);
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.every(({ level, outcome }) => level === 'warn' && outcome === 'service_unavailable')).toBe(
      true,
    );
    expect(lines.some(({ cause }) => /ECONNREFUSED|Timeout/.test(cause))).toBe(true);
  });

  test('a caller whose id is malformed hears so, not that the database is down', async () => {
    expect(refusal(await api.allocate('a b'))).toBe('400 INVALID_TRACK_ID');
  });
});
