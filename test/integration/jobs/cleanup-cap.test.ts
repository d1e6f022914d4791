import { expect, test } from 'vitest';
import { type JobsWorld, jobsWorld } from '../../support/jobs-world.ts';
import { metric } from '../../support/metric.ts';
import { tapDatabase } from '../../support/tapped-database.ts';

const HOUR_MS = 3_600_000;
const CAP = 5;
const capped = { CLEANUP_MAX_DELETIONS: String(CAP), CLEANUP_WINDOW_SEC: '3600', CLEANUP_CONCURRENCY: '4' };

const deletes = (world: JobsWorld) => world.simulator.log.of('delete').length;

test('a window sees no more deletions than the cap, over runs and processes, and an alarm tells that it holds', async () => {
  const world = await jobsWorld({ accounts: 20, environment: capped });
  await world.released(12);
  const other = await world.newBroker();
  const first = await world.run('cleanup');
  expect(first).toMatchObject({
    outcome: 'deletion_cap',
    result: { deleted: 5, stopped_by: 'deletion_cap' },
  });
  await world.time.pass(HOUR_MS / 2);
  expect((await world.run('cleanup', {}, other)).result).toMatchObject({ deleted: 0 });
  expect(deletes(world)).toBe(CAP);
  expect(await metric(world.broker.url, 'broker_cleanup_capped_total')).toBe(1);
  expect(await metric(other.url, 'broker_cleanup_capped_total')).toBe(1);

  await world.time.pass(HOUR_MS / 2);
  await world.run('cleanup', {}, other);
  expect(deletes(world)).toBe(2 * CAP);
  await world.time.pass(HOUR_MS);
  expect(await world.run('cleanup')).toMatchObject({ outcome: 'success', result: { deleted: 2 } });
  expect(await world.counts()).toEqual({ available: 8 });
});

test('deletions of a run that fails half-way count', async () => {
  const world = await jobsWorld({ accounts: 20, environment: { ...capped, CLEANUP_CONCURRENCY: '1' } });
  await world.released(12);
  let transactions = 0;
  const database = tapDatabase(world.table.database, ({ operation }, next) => {
    if (operation === 'TransactWriteItems') transactions += 1;
    return transactions === 3 && operation === 'TransactWriteItems'
      ? Promise.reject(new Error('broken'))
      : next();
  });
  expect((await world.run('cleanup', {}, await world.newBroker({ database }))).outcome).toBe('error');
  expect(deletes(world)).toBe(3);
  await world.run('cleanup');
  expect(deletes(world)).toBe(CAP);
});

test('deletions of a process that died count, as far as its last sign of life told', async () => {
  const world = await jobsWorld({
    accounts: 20,
    environment: { ...capped, CLEANUP_BATCH_SIZE: '1', CLEANUP_BATCH_DELAY_SEC: '20', JOB_LEASE_SEC: '30' },
  });
  await world.released(12);
  const dying = await world.newBroker();
  const { runner, jobs } = dying.container;
  const start = await world.time.until(runner.start(jobs.get('cleanup'), 'schedule'));
  if (!start.started) throw new Error('not started');
  await world.time.pass(50_000);
  expect(deletes(world)).toBe(3);
  dying.die();
  const observer = world.broker.container;
  expect(await observer.runner.start(observer.jobs.get('cleanup'), 'schedule')).toMatchObject({
    because: 'running',
  });
  await world.time.pass(30_000);
  await world.run('cleanup');
  expect(await world.counts()).toMatchObject({ pending_deletion: 12 - CAP });
});

test('what was not sent, and what was refused, takes no room in the window', async () => {
  const world = await jobsWorld({ accounts: 20, environment: { ...capped, CLEANUP_CONCURRENCY: '1' } });
  await world.released(12);
  world.simulator.faults.set([{ kind: 'unauthorized', call: 'delete', times: 2 }]);
  await world.run('cleanup');
  await world.run('cleanup');
  world.simulator.faults.set([{ kind: 'rate_limited', call: 'delete', times: 1, retry_after: 60 }]);
  await world.run('cleanup');
  for (let runs = 0; runs < 10; runs += 1) await world.run('cleanup');
  await world.time.pass(61_000);
  expect((await world.run('cleanup')).result).toMatchObject({ deleted: CAP });
});
