import { expect, test } from 'vitest';
import { HeldJob } from '../../support/held-job.ts';
import { LEASE_MS, leaseBench } from '../../support/lease-bench.ts';
import { tapDatabase } from '../../support/tapped-database.ts';

test('a paused job is started by no process, by those that start later neither, until it is resumed', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  const before = bench.participant('before');
  await bench.rows.pause('sync', 'admin', 'maintenance');
  await bench.time.pass(86_400_000);
  for (const process of [before, bench.participant('after')]) {
    expect(await process.runner.start(job, 'admin')).toMatchObject({
      started: false,
      because: 'paused',
      state: { pause: { by: 'admin', reason: 'maintenance' } },
    });
  }
  expect(job.runs).toHaveLength(0);
  await bench.rows.resume('sync');
  const { finished } = await before.begin(job);
  job.latest.end();
  await finished;
  expect(await bench.rows.read('sync')).toMatchObject({ pause: null, lastRun: { outcome: 'success' } });
});

test('a pause holds back its own job and no other', async () => {
  const bench = await leaseBench();
  await bench.rows.pause('cleanup', 'admin', undefined);
  const job = new HeldJob('sync');
  const { finished } = await bench.participant('process').begin(job);
  job.latest.end();
  expect((await finished).outcome).toBe('success');
});

test('a pause during a run aborts it at the next sign of life, and the lease is given back', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  const { finished } = await bench.participant('process').begin(job);
  await bench.rows.pause('sync', 'admin', 'maintenance');
  expect(job.latest.context.signal.aborted).toBe(false);
  await bench.time.pass(LEASE_MS / 3);
  expect(job.latest.context.signal.aborted).toBe(true);
  // Nobody begins while it winds down.
  await bench.time.pass(LEASE_MS * 2);
  job.latest.end({ notes: { listed: 4 } });
  expect(await finished).toMatchObject({ outcome: 'paused', result: { listed: 4 } });
  expect(await bench.rows.read('sync')).toMatchObject({
    holder: null,
    lastRun: { outcome: 'paused' },
    pause: { by: 'admin', reason: 'maintenance' },
  });
});

test('a pause between the look at a lease and the grasp for it keeps the job from starting', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  let paused = false;
  const database = tapDatabase(bench.database, async ({ operation }, next) => {
    if (operation === 'Update' && !paused) {
      paused = true;
      await bench.rows.pause('sync', 'admin', undefined);
    }
    return next();
  });
  const { runner } = bench.participant('process', { database });
  expect(await runner.start(job, 'schedule')).toMatchObject({ started: false, because: 'paused' });
  expect(job.runs).toHaveLength(0);
});

test('a stop aborts the run, waits for its end and gives the lease back, so that another process goes on at once', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  const stopping = bench.participant('stopping');
  const { finished } = await stopping.begin(job);
  let stopped = false;
  const stop = stopping.runner.stop().then(() => {
    stopped = true;
  });
  expect(job.latest.context.signal.aborted).toBe(true);
  await bench.time.still();
  expect(stopped).toBe(false);
  job.latest.end();
  await stop;
  expect((await finished).outcome).toBe('stopped');
  const next = await bench.participant('next').begin(job);
  job.latest.end();
  await next.finished;
});

test('a stop while the lease is being taken waits, gives it back, and runs nothing', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  let reached = () => {};
  let go = () => {};
  const asked = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  let first = true;
  const database = tapDatabase(bench.database, async ({ operation }, next) => {
    const answer = await next();
    if (operation === 'Update' && first) {
      first = false;
      reached();
      await gate;
    }
    return answer;
  });
  const stopping = bench.participant('stopping', { database });
  const start = stopping.runner.start(job, 'schedule');
  await asked;
  let stopped = false;
  const stop = stopping.runner.stop().then(() => {
    stopped = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(stopped).toBe(false);
  go();
  await stop;
  expect(await start).toMatchObject({ started: false, because: 'stopping' });
  expect(job.runs).toHaveLength(0);
  expect(await bench.rows.read('sync')).toMatchObject({ holder: null, run: null, lastRun: null });
  const next = await bench.participant('next').begin(job);
  job.latest.end();
  await next.finished;
});

test('a process that is stopping starts nothing', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  const { runner } = bench.participant('process');
  await runner.stop();
  expect(await runner.start(job, 'admin')).toMatchObject({ started: false, because: 'stopping' });
  expect((await bench.rows.read('sync')).fence).toBe(0);
});
