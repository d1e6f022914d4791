import { expect, test } from 'vitest';
import type { BrokerProcess } from '../../../src/local/broker-process.ts';
import { allocate, call } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { adminCall, jobProcesses } from '../../support/job-processes.ts';

/** The runs of jobs of a process, by its own log. */
function jobsOf(broker: BrokerProcess): string[] {
  const actions = broker.log.map((line) => JSON.parse(line)).map(({ action }) => String(action));
  return actions.filter((action) => action.startsWith('job_'));
}

const ALL = ['job_cleanup', 'job_expiry', 'job_stale', 'job_statistics', 'job_sync'];

test('with ROLE=api a process runs no job by itself; with ROLE=worker it runs them all and answers health and metrics alone', async () => {
  const { start } = await jobProcesses(0, { simulator: { accounts: 3 } });
  const api = await start({ ROLE: 'api' });
  expect((await allocate(api.url, 'student')).status).toBe(409);

  const worker = await start({ ROLE: 'worker' });
  // Their intervals are a second: one that ran them too would have done so before, or in between.
  await eventually('every job has run three times', () =>
    ALL.every((job) => jobsOf(worker).filter((run) => run === job).length >= 3),
  );
  expect(jobsOf(api)).toEqual([]);
  expect((await allocate(api.url, 'student')).status).toBe(201);
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    expect([path, (await call('GET', worker.url + path)).status]).toEqual([path, 200]);
  }
  expect((await allocate(worker.url, 'student')).status).toBe(404);
  expect((await adminCall(worker, 'GET', '/jobs')).status).toBe(404);
  expect((await adminCall(worker, 'POST', '/sync')).status).toBe(404);
});

test('an operator runs a job on a process with ROLE=api', async () => {
  const { start, simulator, rows } = await jobProcesses(0, { simulator: { accounts: 3 } });
  const api = await start({ ROLE: 'api' });
  expect(await adminCall(api, 'POST', '/sync')).toMatchObject({
    status: 200,
    body: { status: 'completed', added: 3 },
  });
  expect((await rows()).size).toBe(3);
  expect(simulator.log.of('list')).toHaveLength(1);
});

test('by default every process does both', async () => {
  const { brokers } = await jobProcesses(1, { simulator: { accounts: 1 } });
  const [broker] = brokers as [BrokerProcess];
  await eventually('every job has run', () => ALL.every((job) => jobsOf(broker).includes(job)));
  expect((await allocate(broker.url, 'student')).status).toBe(201);
});

test('a pause holds over the end of every process, and what is resumed goes on by itself', async () => {
  const { start, simulator } = await jobProcesses(0, { simulator: { accounts: 1 } });
  const first = await start();
  expect((await adminCall(first, 'POST', '/jobs/sync/pause', { reason: 'maintenance' })).status).toBe(200);
  await first.stop();
  simulator.log.clear();
  const second = await start();
  await eventually('its other jobs have run', () =>
    ['job_expiry', 'job_stale'].every((job) => jobsOf(second).includes(job)),
  );
  expect((await adminCall(second, 'POST', '/sync')).status).toBe(409);
  expect(simulator.log.of('list')).toEqual([]);
  expect((await adminCall(second, 'POST', '/jobs/sync/resume')).status).toBe(200);
  await eventually('sync runs again', () => jobsOf(second).includes('job_sync'));
});
