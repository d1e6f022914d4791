import { expect, test } from 'vitest';
import { jobsWorld } from '../../support/jobs-world.ts';
import { metric } from '../../support/metric.ts';
import { tapDatabase } from '../../support/tapped-database.ts';

const HOUR_MS = 3_600_000;

const typesOf = async (url: string): Promise<Map<string, string>> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]),
  );
};

test('every series of the contract that is about jobs is there from the start, of the kind that dashboards know', async () => {
  const world = await jobsWorld();
  const types = await typesOf(world.broker.url);
  const counters = [
    'broker_sync_total',
    'broker_sync_sandboxes_synced_total',
    'broker_sync_sandboxes_stale_total',
    'broker_cleanup_total',
    'broker_cleanup_deleted_total',
    'broker_cleanup_failed_total',
    'broker_expiry_total',
    'broker_expiry_orphaned_total',
    'broker_niosxaas_cleanup_total',
    'broker_niosxaas_services_deleted_total',
    'broker_niosxaas_auth_total',
  ];
  const gauges = ['available', 'allocated', 'pending_deletion', 'stale', 'deletion_failed', 'total'];
  const histograms = ['broker_sync_duration_seconds', 'broker_cleanup_duration_seconds'];
  expect(counters.map((name) => types.get(name))).toEqual(counters.map(() => 'counter'));
  expect(gauges.map((name) => types.get(`broker_pool_${name}`))).toEqual(gauges.map(() => 'gauge'));
  expect(histograms.map((name) => types.get(name))).toEqual(histograms.map(() => 'histogram'));
});

test('each run of sync is counted by its outcome, with what it synced and staled, and timed', async () => {
  const world = await jobsWorld({ accounts: 30 });
  const { url } = world.broker;
  await world.run('sync');
  for (const { id } of world.simulator.accounts.all().slice(0, 2)) world.simulator.accounts.remove(id);
  world.simulator.faults.set([{ kind: 'latency', call: 'list', milliseconds: 3_000 }]);
  await world.run('sync');
  world.simulator.faults.set([{ kind: 'empty_list', call: 'list' }]);
  await world.run('sync');
  world.simulator.faults.set([{ kind: 'error', call: 'list' }]);
  await world.run('sync');
  expect(await metric(url, 'broker_sync_total{outcome="success"}')).toBe(2);
  expect(await metric(url, 'broker_sync_total{outcome="braked"}')).toBe(1);
  expect(await metric(url, 'broker_sync_total{outcome="error"}')).toBe(1);
  expect(await metric(url, 'broker_sync_sandboxes_synced_total')).toBe(30 + 28);
  expect(await metric(url, 'broker_sync_sandboxes_stale_total')).toBe(2);
  expect(await metric(url, 'broker_sync_braked_total')).toBe(1);
  expect(await metric(url, 'broker_sync_duration_seconds_count')).toBe(4);
  expect(await metric(url, 'broker_sync_duration_seconds_sum')).toBe(3);
});

test('each run of cleanup is counted by its outcome, with each deletion and each failure, and timed', async () => {
  const world = await jobsWorld({ accounts: 10, simulator: { settings: { delete_min_ms: 5_000 } } });
  const { url } = world.broker;
  const [failing] = (await world.released(3)) as [string];
  world.simulator.faults.set([{ kind: 'error', call: 'delete', account: failing }]);
  await world.run('cleanup');
  expect(await metric(url, 'broker_cleanup_total{outcome="success"}')).toBe(1);
  expect(await metric(url, 'broker_cleanup_deleted_total')).toBe(2);
  expect(await metric(url, 'broker_cleanup_failed_total')).toBe(1);
  expect(await metric(url, 'broker_cleanup_duration_seconds_count')).toBe(1);
  expect(await metric(url, 'broker_cleanup_duration_seconds_sum')).toBe(5);
});

test('deletions of a run that ended in an error are counted', async () => {
  const world = await jobsWorld({ accounts: 10, environment: { CLEANUP_CONCURRENCY: '1' } });
  await world.released(4);
  let fails = false;
  const { log } = world.simulator;
  log
    .untilAsked((entry) => entry.call === 'delete' && log.of('delete').length === 3)
    .then(() => {
      fails = true;
    });
  const database = tapDatabase(world.table.database, ({ operation }, next) =>
    fails && operation === 'TransactWriteItems' ? Promise.reject(new Error('broken')) : next(),
  );
  const broker = await world.newBroker({ database });
  expect((await world.run('cleanup', {}, broker)).outcome).toBe('error');
  expect(await metric(broker.url, 'broker_cleanup_deleted_total')).toBe(2);
  expect(await metric(broker.url, 'broker_cleanup_total{outcome="error"}')).toBe(1);
});

test('runs of every job are counted, and the last success of each has its time', async () => {
  const world = await jobsWorld({ accounts: 3 });
  const { url } = world.broker;
  await world.allocated(2);
  await world.time.pass(5 * HOUR_MS);
  for (const job of ['sync', 'cleanup', 'expiry', 'stale', 'statistics'] as const) {
    await world.run(job);
    expect(await metric(url, `broker_job_runs_total{job="${job}",outcome="success"}`)).toBe(1);
    expect(await metric(url, `broker_job_last_success_seconds{job="${job}"}`)).toBe(
      Math.floor(world.clock.now() / 1000),
    );
  }
  expect(await metric(url, 'broker_expiry_total{outcome="success"}')).toBe(1);
  expect(await metric(url, 'broker_expiry_orphaned_total')).toBe(2);
});

test('the state of the provider’s breaker is a series: 0 closed, 2 open, 0 again', async () => {
  const world = await jobsWorld({ accounts: 10, environment: { CLEANUP_CONCURRENCY: '1' } });
  const state = () => metric(world.broker.url, 'broker_csp_breaker_state{breaker="csp"}');
  await world.released(8);
  expect(await state()).toBe(0);
  world.simulator.faults.set([{ kind: 'error', call: 'delete' }]);
  await world.run('cleanup');
  expect(await state()).toBe(2);
  world.simulator.faults.clear();
  await world.time.pass(61_000);
  await world.run('cleanup');
  expect(await state()).toBe(0);
});
