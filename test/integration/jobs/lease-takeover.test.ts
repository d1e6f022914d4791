import { expect, test } from 'vitest';
import { HeldJob } from '../../support/held-job.ts';
import { LEASE_MS, leaseBench } from '../../support/lease-bench.ts';
import { tapDatabase } from '../../support/tapped-database.ts';

test('the lease of a process that died is taken after its whole time on the observer’s own timer, and not a moment sooner', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  const dying = bench.participant('dying');
  const { runId } = await dying.begin(job);
  dying.die();
  const observer = bench.participant('observer');
  // It has been silent for an hour: an observer that has not seen that does not know.
  await bench.time.pass(3_600_000);
  expect(await observer.runner.start(job, 'schedule')).toMatchObject({ started: false, because: 'running' });
  await bench.time.pass(LEASE_MS - 1);
  expect(await observer.runner.start(job, 'schedule')).toMatchObject({ started: false, because: 'running' });
  await bench.time.pass(1);
  const { finished } = await observer.begin(job);
  const state = await bench.rows.read('sync');
  expect(state).toMatchObject({ holder: 'observer', fence: 2 });
  expect(state.run?.runId).not.toBe(runId);
  job.latest.end();
  await finished;
});

test('each sign of life makes observers wait anew', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  const { finished } = await bench.participant('holder').begin(job);
  const observer = bench.participant('observer');
  for (let minutes = 0; minutes < 10; minutes += 1) {
    expect(await observer.runner.start(job, 'schedule')).toMatchObject({ because: 'running' });
    await bench.time.pass(60_000);
  }
  expect(job.runs).toHaveLength(1);
  job.latest.end();
  expect((await finished).outcome).toBe('success');
});

test.each([-3_600_000, 3_600_000])(
  'a wall clock that is wrong by %i ms neither takes a lease early nor leaves one late',
  async (skew) => {
    const bench = await leaseBench();
    const job = new HeldJob();
    const holder = bench.participant('holder');
    await holder.begin(job);
    const observer = bench.participant('observer', { clock: bench.time.skewed(skew) });
    await observer.runner.start(job, 'schedule');
    await bench.time.pass(LEASE_MS * 3);
    expect(await observer.runner.start(job, 'schedule')).toMatchObject({ because: 'running' });
    holder.die();
    await observer.runner.start(job, 'schedule');
    await bench.time.pass(LEASE_MS);
    const { finished } = await observer.begin(job);
    job.latest.end();
    await finished;
  },
);

test('of two observers of a silent lease one takes it', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  const dying = bench.participant('dying');
  await dying.begin(job);
  dying.die();
  const observers = [bench.participant('one'), bench.participant('other')];
  await Promise.all(observers.map(({ runner }) => runner.start(job, 'schedule')));
  await bench.time.pass(LEASE_MS);
  const starts = await Promise.all(observers.map(({ runner }) => runner.start(job, 'schedule')));
  expect(starts.filter(({ started }) => started)).toHaveLength(1);
  expect(job.runs).toHaveLength(2);
});

test('a sign of life between an observer’s look and its grasp keeps the lease', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  const holder = bench.participant('holder');
  await holder.begin(job);
  const held = await bench.rows.read('sync');
  holder.die();
  const database = tapDatabase(bench.database, async ({ operation }, next) => {
    if (operation === 'Update') await bench.rows.renew(held, {}, {});
    return next();
  });
  const observer = bench.participant('observer', { database });
  await observer.runner.start(job, 'schedule');
  await bench.time.pass(LEASE_MS);
  expect(await observer.runner.start(job, 'schedule')).toMatchObject({ started: false, because: 'running' });
  expect(await bench.rows.read('sync')).toMatchObject({ holder: 'holder', fence: 1 });
  expect(job.runs).toHaveLength(1);
});

test('whoever takes over knows what the dead holder remembered at its last sign of life', async () => {
  const bench = await leaseBench();
  const job = new HeldJob('cleanup');
  const dying = bench.participant('dying');
  await dying.begin(job);
  job.latest.context.remember({ window_deletions: 3 });
  await bench.time.pass(LEASE_MS / 3);
  job.latest.context.remember({ window_deletions: 4 });
  dying.die();
  const observer = bench.participant('observer');
  await observer.runner.start(job, 'schedule');
  await bench.time.pass(LEASE_MS);
  await observer.begin(job);
  expect(job.runs).toHaveLength(2);
  expect(job.latest.context.memory).toEqual({ window_deletions: 3 });
});
