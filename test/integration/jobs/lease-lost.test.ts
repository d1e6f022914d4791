import { expect, test } from 'vitest';
import { HeldJob } from '../../support/held-job.ts';
import { LEASE_MS, leaseBench } from '../../support/lease-bench.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { tapDatabase, timeout } from '../../support/tapped-database.ts';

test('a process that was paused past its lease aborts its run as it wakes, and its late words change nothing', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  // A clock of its own that stands still while the others' goes on: that is what a pause is.
  const pausedClock = new ManualClock();
  const paused = bench.participant('paused', { clock: pausedClock });
  const first = await paused.begin(job);
  const run = job.latest;
  const observer = bench.participant('observer');
  await observer.runner.start(job, 'schedule');
  await bench.time.pass(LEASE_MS);
  const second = await observer.begin(job);
  job.latest.context.report({ listed: 5 });
  job.latest.context.remember({ mine: true });
  await bench.time.pass(LEASE_MS / 3);
  const before = await bench.rows.read('sync');

  expect(run.context.signal.aborted).toBe(false);
  await pausedClock.advance(LEASE_MS * 2);
  expect(run.context.signal.aborted).toBe(true);
  run.context.report({ listed: 99 });
  run.context.remember({ mine: false });
  run.end({ notes: { listed: 99 } });
  await bench.time.still();
  expect((await first.finished).outcome).toBe('lease_lost');
  expect(await bench.rows.read('sync')).toEqual(before);

  job.latest.end({ notes: { listed: 6 } });
  await second.finished;
  expect(await bench.rows.read('sync')).toMatchObject({
    lastRun: { runId: second.runId, outcome: 'success', result: { listed: 6 } },
    memory: { mine: true },
  });
});

test('an outdated fence renews nothing, ends nothing and gives nothing back', async () => {
  const bench = await leaseBench();
  const run = (runId: string) => ({ runId, startedAt: 1, trigger: 'schedule' });
  const finished = { ...run('a'), finishedAt: 2, durationMs: 1, outcome: 'success', result: {} };
  const old = await bench.rows.acquire(await bench.rows.read('sync'), 'same-name', run('a'));
  const present = await bench.rows.acquire(await bench.rows.read('sync'), 'same-name', run('b'));
  if (old === undefined || present === undefined) throw new Error('not acquired');
  expect(await bench.rows.renew(old, { listed: 1 }, {})).toBeUndefined();
  expect(await bench.rows.finish(old, finished, 3, {})).toBeUndefined();
  expect(await bench.rows.giveBack(old)).toBeUndefined();
  expect(await bench.rows.read('sync')).toEqual(present);
});

test('a holder that cannot reach the database gives its run up when others may take the lease', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  let cutOff = false;
  const database = tapDatabase(bench.database, (_call, next) =>
    cutOff ? Promise.reject(timeout()) : next(),
  );
  const holder = bench.participant('holder', { database });
  const { finished } = await holder.begin(job);
  await bench.time.pass(LEASE_MS / 3);
  cutOff = true;
  await bench.time.pass(LEASE_MS - 1);
  expect(job.latest.context.signal.aborted).toBe(false);
  await bench.time.pass(1);
  expect(job.latest.context.signal.aborted).toBe(true);
  // It has its lease still, as nobody else wanted it.
  cutOff = false;
  job.latest.end();
  expect((await finished).outcome).toBe('lease_lost');
  expect(await bench.rows.read('sync')).toMatchObject({ holder: null, lastRun: { outcome: 'lease_lost' } });
});

test('a call for a sign of life that never ends does not keep a run alive past its lease', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  let stuck = false;
  const database = tapDatabase(bench.database, (_call, next) => (stuck ? new Promise(() => {}) : next()));
  await bench.participant('holder', { database }).begin(job);
  stuck = true;
  await bench.time.pass(LEASE_MS);
  expect(job.latest.context.signal.aborted).toBe(true);
});

test('a sign of life that fails is followed by the next, and the run goes on', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  let calls = 0;
  const database = tapDatabase(bench.database, ({ operation }, next) => {
    if (operation === 'Update') calls += 1;
    return operation === 'Update' && calls % 2 === 0 ? Promise.reject(timeout()) : next();
  });
  const holder = bench.participant('holder', { database });
  const { finished } = await holder.begin(job);
  await bench.time.pass(LEASE_MS * 5);
  expect(job.latest.context.signal.aborted).toBe(false);
  // The end is not a failing call.
  calls = 0;
  job.latest.end();
  expect((await finished).outcome).toBe('success');
});

test('a lease whose taking was answered twice, the second time with a refusal, is held', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  // As the SDK repeats a call whose first answer was lost.
  const database = tapDatabase(bench.database, async ({ operation }, next) => {
    if (operation === 'Update') await next().catch(() => {});
    return next();
  });
  const { finished } = await bench.participant('holder', { database }).begin(job);
  expect(await bench.rows.read('sync')).toMatchObject({ holder: 'holder', fence: 1 });
  await bench.time.pass(LEASE_MS * 3);
  expect(job.latest.context.signal.aborted).toBe(false);
  job.latest.end();
  expect((await finished).outcome).toBe('success');
  expect(await bench.rows.read('sync')).toMatchObject({ holder: null, lastRun: { outcome: 'success' } });
});

test('a lease that was taken and whose answer never came runs no job, and is free again after its time', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  const database = tapDatabase(bench.database, async ({ operation }, next) => {
    const answer = await next();
    if (operation === 'Update') throw timeout();
    return answer;
  });
  await expect(bench.participant('unlucky', { database }).runner.start(job, 'schedule')).rejects.toThrow(
    'The answer was lost',
  );
  expect(job.runs).toHaveLength(0);
  const next = bench.participant('next');
  expect(await next.runner.start(job, 'schedule')).toMatchObject({ because: 'running' });
  await bench.time.pass(LEASE_MS);
  const { finished } = await next.begin(job);
  job.latest.end();
  await finished;
});

test('a run whose end could not be written is not repeated at once, and its lease is free after its time', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  let broken = false;
  const database = tapDatabase(bench.database, (_call, next) =>
    broken ? Promise.reject(timeout()) : next(),
  );
  const holder = bench.participant('holder', { database });
  const { finished } = await holder.begin(job);
  broken = true;
  job.latest.end({ notes: { listed: 3 } });
  expect(await finished).toMatchObject({ outcome: 'success', result: { listed: 3 } });
  expect(holder.log.join()).toContain('a lease was not given back');
  const next = bench.participant('next');
  expect(await next.runner.start(job, 'schedule')).toMatchObject({ because: 'running' });
  await bench.time.pass(LEASE_MS);
  const second = await next.begin(job);
  job.latest.end();
  await second.finished;
});
