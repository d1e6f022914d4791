import { expect, test } from 'vitest';
import type { Job, JobResult } from '../../../src/workers/job.ts';
import { violations } from '../../support/invariants.ts';
import { jobsWorld } from '../../support/jobs-world.ts';

/** Runs a job under no lease, as one goes on that has lost it. */
function runUnleased(job: Job, runId: string): Promise<JobResult> {
  return job.run({
    signal: new AbortController().signal,
    input: {},
    author: { actor: `job:${job.name}`, requestId: runId },
    memory: {},
    report: () => {},
    remember: () => {},
  });
}

test('two cleanups at once delete each account once, and count each row once', async () => {
  const world = await jobsWorld({
    accounts: 40,
    simulator: { settings: { delete_min_ms: 5_000, delete_max_ms: 10_000 } },
  });
  const released = await world.released(30);
  const brokers = [world.broker, await world.newBroker()];
  const results = await world.time.until(
    Promise.all(
      brokers.map(({ container }, index) => runUnleased(container.jobs.get('cleanup'), `run-${index}`)),
    ),
  );
  const sum = (note: string) => results.reduce((total, { notes }) => total + Number(notes[note]), 0);
  expect(sum('deleted')).toBe(30);
  expect(sum('failed')).toBe(0);
  expect(world.simulator.log.of('delete').filter(({ status }) => status === 204)).toHaveLength(30);
  expect(await world.tombstones()).toEqual(released.sort());
  expect(await world.counts()).toEqual({ available: 10 });
  const events = (await world.table.items()).filter((item) => item.move === 'delete');
  expect(events).toHaveLength(30);
  expect(violations(await world.table.items())).toEqual([]);
});

test('two cleanups at once of a provider that fails spend each row’s attempts once', async () => {
  const world = await jobsWorld({
    accounts: 8,
    environment: { CIRCUIT_BREAKER_THRESHOLD: '1000' },
    simulator: { settings: { delete_min_ms: 5_000, delete_max_ms: 10_000 } },
  });
  await world.run('sync');
  await world.released(8);
  world.simulator.faults.set([{ kind: 'error', call: 'delete' }]);
  const brokers = [world.broker, await world.newBroker()];
  await world.time.until(
    Promise.all(
      brokers.map(({ container }, index) => runUnleased(container.jobs.get('cleanup'), `run-${index}`)),
    ),
  );
  for (const row of (await world.rows()).values()) {
    expect(row).toMatchObject({ status: 'pending_deletion', deletion_retry_count: 1 });
  }
});

test('two syncs at once add each account once, and stale none that is listed', async () => {
  const world = await jobsWorld({ accounts: 10 });
  world.simulator.accounts.create({ count: 40 });
  for (const account of world.simulator.accounts.all().slice(0, 2))
    world.simulator.accounts.remove(account.id);
  const brokers = [world.broker, await world.newBroker()];
  const results = await world.time.until(
    Promise.all(
      brokers.map(({ container }, index) => runUnleased(container.jobs.get('sync'), `run-${index}`)),
    ),
  );
  expect(results.reduce((total, { notes }) => total + Number(notes.added), 0)).toBe(40);
  expect(results.reduce((total, { notes }) => total + Number(notes.marked_stale), 0)).toBe(2);
  expect(await world.counts()).toEqual({ available: 48, stale: 2 });
});

test('two expiries at once end each allocation once', async () => {
  const world = await jobsWorld({ accounts: 20 });
  await world.allocated(20);
  await world.time.pass(5 * 3_600_000);
  const brokers = [world.broker, await world.newBroker()];
  const results = await world.time.until(
    Promise.all(
      brokers.map(({ container }, index) => runUnleased(container.jobs.get('expiry'), `run-${index}`)),
    ),
  );
  expect(results.reduce((total, { notes }) => total + Number(notes.expired), 0)).toBe(20);
  const events = (await world.table.items()).filter((item) => item.move === 'expire');
  expect(events).toHaveLength(20);
  expect(violations(await world.table.items())).toEqual([]);
});
