import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, refusal } from './support/api.ts';
import { type BrokerOnALine, brokerOnALine } from './support/broker-on-a-line.ts';

/** One call to a database that is frozen takes as long as a test: only the deadline can end a request before. */
const PATIENT_WITH_THE_DATABASE = {
  DDB_TIMEOUT_CONNECT_MS: '60000',
  DDB_TIMEOUT_REQUEST_MS: '60000',
  REQUEST_DEADLINE_MS: '100',
};
/** More than the reader of rows has calls under way at once: the last ones wait behind the first. */
const SPREAD = 8;

describe('While the database is frozen', () => {
  let frozen: BrokerOnALine;
  let api: Api;

  beforeAll(async () => {
    frozen = await brokerOnALine(PATIENT_WITH_THE_DATABASE);
    api = frozen.api;
    frozen.line.hold();
  });

  afterAll(() => frozen.close());

  test.each([
    ['POST /v1/allocate', () => api.allocate('student')],
    ['POST /v1/sandboxes/{id}/mark-for-deletion', () => api.release('student', 'some')],
    ['GET /v1/sandboxes/{id}', () => api.read('student', 'some')],
    ['GET /v1/admin/sandboxes', () => api.admin('GET', '/sandboxes')],
    ['GET /v1/admin/sandboxes/{id}', () => api.admin('GET', '/sandboxes/some')],
    ['GET /v1/admin/sandboxes/{id}/events', () => api.admin('GET', '/sandboxes/some/events')],
    ['POST /v1/admin/sandboxes/{id}/quarantine', () => api.admin('POST', '/sandboxes/some/quarantine')],
    ['POST /v1/admin/sandboxes/{id}/release', () => api.admin('POST', '/sandboxes/some/release')],
    ['GET /v1/admin/stats', () => api.admin('GET', '/stats')],
    ['GET /v1/admin/jobs', () => api.admin('GET', '/jobs')],
    ['POST /v1/admin/jobs/{job}/pause', () => api.admin('POST', '/jobs/sync/pause')],
    ['POST /v1/admin/jobs/{job}/resume', () => api.admin('POST', '/jobs/sync/resume')],
    ['GET /v1/admin/niosxaas-cleanups', () => api.admin('GET', '/niosxaas-cleanups')],
  ])('%s is answered 503 at the deadline, however late in the freeze it comes', async (_, send) => {
    for (let sent = 0; sent < SPREAD; sent += 1)
      expect(refusal(await send())).toBe('503 SERVICE_UNAVAILABLE');
  });
});
