import { expect, test } from 'vitest';
import type { FaultInput } from '../../../src/local/csp-simulator/faults.ts';
import { asAdmin, call } from '../../support/client.ts';
import { type JobsWorld, jobsWorld } from '../../support/jobs-world.ts';
import { metric } from '../../support/metric.ts';

const deletes = (world: JobsWorld) => world.simulator.log.of('delete');

async function attempts(world: JobsWorld): Promise<number[]> {
  const pending = [...(await world.rows()).values()].filter((row) => row.status === 'pending_deletion');
  return pending.map((row) => Number(row.deletion_retry_count));
}

/** A world whose cleanup has proven its provider's address, and has rows to delete. */
async function pendingWorld(pending: number, environment: Record<string, string> = {}): Promise<JobsWorld> {
  const world = await jobsWorld({ accounts: pending + 5, environment });
  await world.released(1, 'first');
  await world.run('cleanup');
  await world.released(pending);
  world.simulator.log.clear();
  return world;
}

test.each([
  ['a refused credential (401)', [{ kind: 'unauthorized', status: 401, call: 'delete' }], 'unauthorized'],
  ['a refused credential (403)', [{ kind: 'unauthorized', status: 403, call: 'delete' }], 'unauthorized'],
  ['too many requests', [{ kind: 'rate_limited', call: 'delete' }], 'rate_limited'],
  [
    'too many requests, come back later',
    [{ kind: 'rate_limited', call: 'delete', retry_after: 120 }],
    'rate_limited',
  ],
] satisfies [string, FaultInput[], string][])(
  '%s ends the run after the calls that are under way, and costs no row an attempt',
  async (_words, faults, outcome) => {
    const world = await pendingWorld(12);
    world.simulator.faults.set(faults);
    for (let runs = 0; runs < 4; runs += 1) {
      const run = await world.run('cleanup');
      expect(run.outcome).toEqual(
        runs === 0 ? outcome : expect.stringMatching(`^(${outcome}|breaker_open)$`),
      );
      expect(run.result).toMatchObject({ deleted: 0, gave_up: 0, stopped_by: run.outcome });
      await world.time.pass(300_000);
    }
    expect(deletes(world).length).toBeLessThanOrEqual(4 * 4);
    expect(await attempts(world)).toEqual(new Array(12).fill(0));
    world.simulator.faults.clear();
    await world.time.pass(3_600_000);
    expect((await world.run('cleanup')).result).toMatchObject({ deleted: 12 });
  },
);

test.each([
  ['fails', [{ kind: 'error', call: 'list' }]],
  ['never comes', [{ kind: 'hang', call: 'list' }]],
  ['is a page for people', [{ kind: 'html', status: 200, call: 'list' }]],
] satisfies [string, FaultInput[]][])(
  'a process whose first listing %s deletes nothing, and costs no row an attempt',
  async (_words, faults) => {
    const world = await jobsWorld({ accounts: 8 });
    await world.released(6);
    world.simulator.faults.set(faults);
    const run = await world.run('cleanup');
    expect(run).toMatchObject({ outcome: 'provider_unwell', result: { stopped_by: 'provider_unwell' } });
    expect(world.simulator.log.of('list')).toHaveLength(1);
    expect(deletes(world)).toEqual([]);
    expect(await attempts(world)).toEqual(new Array(6).fill(0));
  },
);

test('an open breaker ends a run before it asks the provider for anything, and costs no row an attempt', async () => {
  const world = await pendingWorld(12, {
    NIOSXAAS_ENABLED: 'true',
    CLEANUP_CONCURRENCY: '1',
    CIRCUIT_BREAKER_TIMEOUT_SEC: '3600',
  });
  world.simulator.faults.set([{ kind: 'error', call: 'delete' }]);
  const opening = await world.run('cleanup');
  expect(opening).toMatchObject({ outcome: 'breaker_open', result: { failed: 5 } });
  expect(deletes(world)).toHaveLength(5);
  world.simulator.faults.clear();
  world.simulator.log.clear();
  for (let runs = 0; runs < 5; runs += 1) {
    await world.time.pass(300_000);
    expect((await world.run('cleanup')).outcome).toBe('breaker_open');
  }
  expect(world.simulator.log.all()).toEqual([]);
  expect((await attempts(world)).reduce((sum, each) => sum + each, 0)).toBe(5);
  await world.time.pass(3_600_000);
  expect((await world.run('cleanup')).result).toMatchObject({ deleted: 12 });
});

test('a breaker that is half open at the beginning of a run lets one deletion go, to see', async () => {
  const world = await pendingWorld(12, { CLEANUP_CONCURRENCY: '4' });
  world.simulator.faults.set([{ kind: 'error', call: 'delete' }]);
  await world.run('cleanup');
  await world.time.pass(61_000);
  world.simulator.log.clear();
  expect((await world.run('cleanup')).outcome).toBe('breaker_open');
  expect(deletes(world)).toHaveLength(1);
  // The provider is back: the one that goes ahead opens the way for all.
  world.simulator.faults.clear();
  world.simulator.log.clear();
  await world.time.pass(61_000);
  const run = await world.run('cleanup');
  expect(run.outcome).toBe('success');
  expect(deletes(world)[0]).toMatchObject({ in_flight: 1, status: 204 });
});

test('a paused cleanup does not run, and one that is paused in the middle ends without costing a row an attempt', async () => {
  const world = await pendingWorld(10, { CLEANUP_CONCURRENCY: '2' });
  const pause = `${world.broker.url}/v1/admin/jobs/cleanup/pause`;
  // A provider that hangs: the run is in the middle of two calls for as long as they last.
  world.simulator.faults.set([{ kind: 'hang', call: 'delete' }]);
  const { runner, jobs } = world.broker.container;
  const start = await runner.start(jobs.get('cleanup'), 'schedule');
  if (!start.started) throw new Error('not started');
  await world.time.still();
  await call('POST', pause, asAdmin(), { reason: 'maintenance' });
  const run = await world.time.until(start.finished);
  expect(run).toMatchObject({ outcome: 'paused', result: { deleted: 0, failed: 0 } });
  expect(deletes(world)).toHaveLength(2);
  expect(await attempts(world)).toEqual(new Array(10).fill(0));
  expect(await runner.start(jobs.get('cleanup'), 'schedule')).toMatchObject({ because: 'paused' });
  world.simulator.faults.clear();
  await call('POST', `${world.broker.url}/v1/admin/jobs/cleanup/resume`, asAdmin());
  expect((await world.run('cleanup')).result).toMatchObject({ deleted: 10 });
});

test('a few accounts for which the credential is refused do not keep the others from being deleted', async () => {
  const world = await pendingWorld(12, { CLEANUP_CONCURRENCY: '1' });
  const refused = [...(await world.rows()).values()]
    .filter((row) => row.status === 'pending_deletion')
    .sort((a, b) => String(a.sandbox_id).localeCompare(String(b.sandbox_id)))
    .slice(0, 3);
  // The ones that have waited longest, which come first.
  const ids = refused.map((row) => String(row.sandbox_id));
  await world.backdate(ids, { deletion_requested_at: 1 });
  world.simulator.faults.set(
    refused.map((row) => ({
      kind: 'unauthorized',
      status: 403,
      call: 'delete',
      account: String(row.sandbox_id),
    })),
  );
  for (let runs = 0; runs < 4; runs += 1) {
    await world.run('cleanup');
    await world.time.pass(300_000);
  }
  expect(await world.counts()).toMatchObject({ pending_deletion: 3 });
  expect(await attempts(world)).toEqual([0, 0, 0]);
});

test('what ended a run early is counted under its name', async () => {
  const world = await pendingWorld(3);
  world.simulator.faults.set([{ kind: 'unauthorized', call: 'delete' }]);
  await world.run('cleanup');
  expect(await metric(world.broker.url, 'broker_cleanup_total{outcome="unauthorized"}')).toBe(1);
  expect(await metric(world.broker.url, 'broker_cleanup_total{outcome="success"}')).toBe(1);
  expect(await metric(world.broker.url, 'broker_cleanup_failed_total')).toBe(0);
});
