import { expect, test } from 'vitest';
import { asAdmin, call } from '../../support/client.ts';
import { type JobsWorld, jobsWorld } from '../../support/jobs-world.ts';

/** A world with a cleanup of four minutes before it: eight accounts, each half a minute and a second. */
async function slowWorld(): Promise<JobsWorld> {
  const world = await jobsWorld({
    accounts: 8,
    environment: { CLEANUP_CONCURRENCY: '1', CSP_TIMEOUT_READ_SEC: '60' },
    simulator: { settings: { delete_min_ms: 31_000, delete_max_ms: 31_000 } },
  });
  await world.released(8);
  return world;
}

const post = (world: JobsWorld, path: string) =>
  world.time.until(call('POST', `${world.broker.url}/v1/admin${path}`, asAdmin()));

async function jobOf(world: JobsWorld, name: string) {
  const { body } = await call('GET', `${world.broker.url}/v1/admin/jobs`, asAdmin());
  return body.jobs.find((job: { name: string }) => job.name === name);
}

test('a job started by hand that outlasts 20 s answers 202 with its id; its progress and its result are under /v1/admin/jobs', async () => {
  const world = await slowWorld();
  const began = world.clock.now();
  const answer = await post(world, '/cleanup');
  expect(answer.status).toBe(202);
  expect(answer.body).toEqual({ status: 'running', run_id: expect.any(String) });
  expect(world.clock.now() - began).toBe(20_000);

  const seen: number[] = [];
  for (let rounds = 0; rounds < 4; rounds += 1) {
    await world.time.pass(60_000 - (rounds === 0 ? 20_000 : 0));
    const job = await jobOf(world, 'cleanup');
    if (job.run === null) break;
    expect(job).toMatchObject({ state: 'running', holder: expect.stringContaining('/') });
    expect(job.run).toMatchObject({ run_id: answer.body.run_id, trigger: 'admin', progress: { due: 8 } });
    expect(world.clock.now() / 1000 - job.run.last_sign_at).toBeLessThanOrEqual(10);
    seen.push(job.run.progress.deleted);
  }
  expect(seen).toEqual([1, 3, 5, 7]);
  await world.time.pass(120_000);
  const job = await jobOf(world, 'cleanup');
  expect(job).toMatchObject({ state: 'idle', run: null });
  expect(job.last_run).toMatchObject({
    run_id: answer.body.run_id,
    trigger: 'admin',
    outcome: 'success',
    result: { deleted: 8, failed: 0 },
  });
});

test('one that ends within 20 s answers 200, though it took most of them', async () => {
  const world = await jobsWorld({ accounts: 2 });
  world.simulator.faults.set([{ kind: 'latency', call: 'list', milliseconds: 19_000 }]);
  expect(await post(world, '/sync')).toMatchObject({ status: 200, body: { duration_ms: 19_000 } });
});

test('asking for a job that runs already, on whatever process, answers 202 with the id of the run that there is', async () => {
  const world = await slowWorld();
  const first = await post(world, '/cleanup');
  const other = await world.newBroker();
  for (const url of [world.broker.url, other.url]) {
    for (const path of ['/cleanup', '/jobs/cleanup/run']) {
      expect(await call('POST', `${url}/v1/admin${path}`, asAdmin())).toMatchObject({
        status: 202,
        body: { status: 'running', run_id: first.body.run_id },
      });
    }
  }
});

test('a job that is to be run in a particular way is not answered with a run that goes another way', async () => {
  const world = await jobsWorld({ accounts: 4, environment: { CSP_TIMEOUT_READ_SEC: '100' } });
  world.simulator.faults.set([{ kind: 'latency', call: 'list', milliseconds: 90_000 }]);
  expect((await post(world, '/sync')).status).toBe(202);
  for (const path of ['/sync?force=true', '/jobs/sync/run?force=true']) {
    const answer = await call('POST', `${world.broker.url}/v1/admin${path}`, asAdmin());
    expect(answer).toMatchObject({ status: 409, body: { error: { code: 'JOB_BUSY', retry_after: 1 } } });
    expect(answer.headers.get('retry-after')).toBe('1');
  }
  expect((await call('POST', `${world.broker.url}/v1/admin/sync?force=false`, asAdmin())).status).toBe(202);
});

test('a run that is paused by hand answers whoever waits for it with "paused"', async () => {
  const world = await slowWorld();
  const waiting = call('POST', `${world.broker.url}/v1/admin/cleanup`, asAdmin());
  await world.simulator.log.untilAsked((entry) => entry.call === 'delete');
  await call('POST', `${world.broker.url}/v1/admin/jobs/cleanup/pause`, asAdmin());
  expect(await world.time.until(waiting)).toMatchObject({
    status: 200,
    body: { status: 'paused', deleted: 0 },
  });
});

test('a process that is stopping starts nothing, and says that another one may', async () => {
  const world = await jobsWorld({ accounts: 2 });
  await world.broker.container.stopJobs();
  const answer = await post(world, '/sync');
  expect(answer).toMatchObject({ status: 409, body: { error: { code: 'JOB_BUSY', retry_after: 1 } } });
  const other = await world.newBroker();
  expect((await world.time.until(call('POST', `${other.url}/v1/admin/sync`, asAdmin()))).status).toBe(200);
});

test('a stop in the middle of a run by hand answers "stopped", and the next process goes on', async () => {
  const world = await slowWorld();
  const waiting = call('POST', `${world.broker.url}/v1/admin/cleanup`, asAdmin());
  await world.simulator.log.untilAsked((entry) => entry.call === 'delete');
  const stopped = world.broker.container.stopJobs();
  expect(await world.time.until(waiting)).toMatchObject({ status: 200, body: { status: 'stopped' } });
  await stopped;
  expect(await jobOf(world, 'cleanup')).toMatchObject({ holder: null, last_run: { outcome: 'stopped' } });
  const run = await world.run('cleanup', {}, await world.newBroker());
  expect(run.result).toMatchObject({ deleted: 8 });
});
