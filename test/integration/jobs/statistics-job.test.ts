import { expect, test } from 'vitest';
import { asAdmin, call, release } from '../../support/client.ts';
import { jobsWorld } from '../../support/jobs-world.ts';
import { metric } from '../../support/metric.ts';
import { recordCalls } from '../../support/tapped-database.ts';

test('one process counts, and every process serves the count with its age, without counting itself', async () => {
  const world = await jobsWorld({ accounts: 12 });
  await world.allocated(3);
  await world.released(2, 'early');
  const asOf = Math.floor(world.clock.now() / 1000);
  const run = await world.run('statistics');
  expect(run.result).toMatchObject({ available: 7, allocated: 3, pending_deletion: 2, stale: 0 });

  const { database, calls } = recordCalls(world.table.database);
  const other = await world.newBroker({ database });
  await other.container.statistics.refresh();
  await world.time.pass(7_000);
  const { url } = other;
  const served = {
    broker_pool_total: 12,
    broker_pool_available: 7,
    broker_pool_allocated: 3,
    broker_pool_pending_deletion: 2,
    broker_pool_stale: 0,
    broker_pool_deletion_failed: 0,
    broker_pool_as_of_seconds: asOf,
  };
  for (const [name, value] of Object.entries(served))
    expect([name, await metric(url, name)]).toEqual([name, value]);
  expect(calls.filter(({ operation }) => operation === 'Scan' || operation === 'Query')).toEqual([]);
});

test('the statistics of admins say how old they are, and that they are exact as of then', async () => {
  const world = await jobsWorld({ accounts: 5 });
  const [[track, sandboxId]] = [...(await world.allocated(1))] as [[string, string]];
  await world.run('statistics');
  const before = Math.floor(world.clock.now() / 1000);
  const url = `${world.broker.url}/v1/admin/stats`;
  expect((await call('GET', url, asAdmin())).body).toEqual({
    total: 5,
    available: 4,
    allocated: 1,
    pending_deletion: 0,
    stale: 0,
    deletion_failed: 0,
    quarantined: 0,
    as_of: before,
    age_seconds: 0,
  });
  await world.time.pass(12_000);
  expect((await call('GET', url, asAdmin())).body).toMatchObject({ as_of: before, age_seconds: 12 });
  await release(world.broker.url, track, sandboxId);
  expect((await call('GET', url, asAdmin())).body).toMatchObject({
    allocated: 0,
    pending_deletion: 1,
    age_seconds: 0,
  });
});

test('a count that was begun earlier never takes the place of a later one', async () => {
  const world = await jobsWorld({ accounts: 4 });
  const behind = await world.newBroker({ clock: world.time.skewed(-60_000) });
  await world.run('statistics');
  await world.run('statistics', {}, behind);
  const asOf = Math.floor(world.clock.now() / 1000);
  const [row] = (await world.table.items()).filter((item) => item.PK === 'STATS');
  expect(row).toMatchObject({ as_of: asOf, count_available: 4 });
});
