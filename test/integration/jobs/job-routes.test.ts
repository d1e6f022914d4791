import { describe, expect, test } from 'vitest';
import { asAdmin, call } from '../../support/client.ts';
import { type JobsWorld, jobsWorld } from '../../support/jobs-world.ts';

const admin = (world: JobsWorld, method: string, path: string, body?: unknown) =>
  world.time.until(call(method, `${world.broker.url}/v1/admin${path}`, asAdmin(), body));

const JOBS = ['sync', 'cleanup', 'expiry', 'stale', 'statistics'];

test('POST /v1/admin/sync answers 200 with what it synced, staled, and how long that took', async () => {
  const world = await jobsWorld({ accounts: 10 });
  world.simulator.accounts.create({ count: 2 });
  const [gone, renamed] = world.simulator.accounts.all();
  world.simulator.accounts.remove(String(gone?.csp_id));
  Object.assign(renamed ?? {}, { name: 'lab-renamed' });
  world.simulator.faults.set([{ kind: 'latency', call: 'list', milliseconds: 1_500 }]);
  expect(await admin(world, 'POST', '/sync')).toMatchObject({
    status: 200,
    body: {
      status: 'completed',
      synced: 11,
      marked_stale: 1,
      added: 2,
      updated: 1,
      restored: 0,
      would_stale: 1,
      brake: null,
      duration_ms: 1_500,
    },
  });
});

test('POST /v1/admin/cleanup answers 200 with what it deleted and what failed', async () => {
  const world = await jobsWorld({ accounts: 6 });
  const [failing] = (await world.released(3)) as [string];
  world.simulator.faults.set([{ kind: 'error', status: 409, call: 'delete', account: failing }]);
  expect(await admin(world, 'POST', '/cleanup')).toMatchObject({
    status: 200,
    body: { status: 'completed', deleted: 2, failed: 1, gave_up: 0, stopped_by: null, duration_ms: 0 },
  });
  world.simulator.faults.set([{ kind: 'unauthorized', call: 'delete' }]);
  await world.time.pass(600_000);
  expect(await admin(world, 'POST', '/cleanup')).toMatchObject({
    status: 200,
    body: { status: 'completed', deleted: 0, failed: 0, stopped_by: 'unauthorized' },
  });
});

test('POST /v1/admin/auto-delete-stale answers 200 with status, deleted, duration_ms and grace_period_hours', async () => {
  const world = await jobsWorld({ accounts: 1 });
  const answer = await admin(world, 'POST', '/auto-delete-stale?grace_period_hours=24');
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({ status: 'completed', deleted: 0, duration_ms: 0, grace_period_hours: 24 });
});

test('GET /v1/admin/jobs shows each job: whether it runs, where, how it went last, and when it goes next', async () => {
  const world = await jobsWorld({ accounts: 2 });
  const before = await admin(world, 'GET', '/jobs');
  expect(before.body.jobs).toEqual(
    JOBS.map((name) => ({
      name,
      state: 'idle',
      holder: null,
      run: null,
      last_run: null,
      next_run_at: null,
      paused: null,
    })),
  );
  const run = await world.run('expiry');
  const now = Math.floor(world.clock.now() / 1000);
  const { body } = await admin(world, 'GET', '/jobs');
  expect(body.jobs.find(({ name }: { name: string }) => name === 'expiry')).toEqual({
    name: 'expiry',
    state: 'idle',
    holder: null,
    run: null,
    last_run: {
      run_id: run.runId,
      trigger: 'schedule',
      started_at: now,
      finished_at: now,
      duration_ms: 0,
      outcome: 'success',
      result: { expired: 0, overtaken: 0 },
    },
    next_run_at: now + 300,
    paused: null,
  });
});

test.each(JOBS)('POST /v1/admin/jobs/%s/run runs it now, and answers with the run', async (name) => {
  const world = await jobsWorld({ accounts: 2 });
  const answer = await admin(world, 'POST', `/jobs/${name}/run`);
  expect(answer).toMatchObject({
    status: 200,
    body: { status: 'completed', run: { trigger: 'admin', outcome: 'success', result: expect.any(Object) } },
  });
  const { body } = await admin(world, 'GET', '/jobs');
  expect(body.jobs.find((job: { name: string }) => job.name === name).last_run).toEqual(answer.body.run);
});

describe('POST /v1/admin/jobs/{job}/pause and /resume', () => {
  test('a pause says who paused and why, and holds on every process and beyond a restart', async () => {
    const world = await jobsWorld({ accounts: 2 });
    const now = Math.floor(world.clock.now() / 1000);
    const paused = await admin(world, 'POST', '/jobs/cleanup/pause', {
      reason: 'maintenance of the provider',
    });
    expect(paused).toMatchObject({
      status: 200,
      body: {
        name: 'cleanup',
        state: 'paused',
        paused: { by: 'admin', reason: 'maintenance of the provider', at: now },
      },
    });
    await world.broker.close().catch(() => {});
    const restarted = await world.newBroker();
    const url = `${restarted.url}/v1/admin`;
    await world.time.pass(7 * 86_400_000);
    const { body } = await call('GET', `${url}/jobs`, asAdmin());
    expect(body.jobs[1]).toMatchObject({ name: 'cleanup', state: 'paused', paused: { by: 'admin' } });
    expect(await call('POST', `${url}/cleanup`, asAdmin())).toMatchObject({
      status: 409,
      body: {
        error: {
          code: 'JOB_PAUSED',
          message: 'The job "cleanup" is paused: maintenance of the provider; resume it first',
        },
      },
    });
    // The others go on.
    expect((await world.time.until(call('POST', `${url}/sync`, asAdmin()))).status).toBe(200);
    expect(await call('POST', `${url}/jobs/cleanup/resume`, asAdmin())).toMatchObject({
      status: 200,
      body: { name: 'cleanup', state: 'idle', paused: null },
    });
    expect((await world.time.until(call('POST', `${url}/cleanup`, asAdmin()))).status).toBe(200);
  });

  test('a pause needs no reason and no body, and pausing twice keeps the later one', async () => {
    const world = await jobsWorld();
    expect(await admin(world, 'POST', '/jobs/sync/pause')).toMatchObject({
      status: 200,
      body: { paused: { by: 'admin', reason: null } },
    });
    expect(await admin(world, 'POST', '/jobs/sync/pause', { reason: 'later' })).toMatchObject({
      status: 200,
      body: { paused: { reason: 'later' } },
    });
    expect((await admin(world, 'POST', '/jobs/sync/resume')).body.paused).toBeNull();
    expect((await admin(world, 'POST', '/jobs/sync/resume')).status).toBe(200);
  });
});
