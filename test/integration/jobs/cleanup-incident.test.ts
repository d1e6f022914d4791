import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/local/csp-simulator/seeded-random.ts';
import { violations } from '../../support/invariants.ts';
import { jobsWorld } from '../../support/jobs-world.ts';
import { metric } from '../../support/metric.ts';

const MINUTE_MS = 60_000;
const OUTAGE_MS = 16 * MINUTE_MS;

/** Most of these moments that fall into any stretch of so many seconds. */
function mostWithin(seconds: number, moments: readonly number[]): number {
  return Math.max(
    0,
    ...moments.map((from) => moments.filter((at) => at >= from && at < from + seconds * 1000).length),
  );
}

// One day 62 answers to deletions were 500, over 56 accounts within 16 minutes; all of them succeeded later.
test('sixteen minutes of failing deletions over 56 accounts give up none, and all are deleted afterwards without a burst', async () => {
  const world = await jobsWorld({
    accounts: 60,
    random: seededRandom(7),
    simulator: { settings: { delete_min_ms: 5_000, delete_max_ms: 10_000 } },
  });
  const { container } = world.broker;
  const worker = container.workers[container.jobs.all.findIndex(({ name }) => name === 'cleanup')];
  const released = await world.released(56);
  world.simulator.faults.set([{ kind: 'error', status: 500, call: 'delete' }]);
  const began = world.clock.now();
  worker?.start();
  await world.time.pass(OUTAGE_MS);
  expect(await world.counts()).toEqual({ available: 4, pending_deletion: 56 });
  const failures = world.simulator.log.of('delete').length;
  // The breaker spares the provider what the previous broker put it through.
  expect(failures).toBeGreaterThan(0);
  expect(failures).toBeLessThan(62);

  world.simulator.faults.clear();
  await world.time.pass(4 * 60 * MINUTE_MS);
  expect(await world.counts()).toEqual({ available: 4 });
  expect(await world.tombstones()).toEqual(released.sort());
  const log = world.simulator.log.of('delete');
  const deleted = log.filter(({ status }) => status === 204);
  expect(deleted).toHaveLength(56);
  expect(new Set(deleted.map(({ account }) => account)).size).toBe(56);
  expect(deleted.every(({ at }) => at >= began + OUTAGE_MS)).toBe(true);
  // Four at once, ten between two pauses, five to ten seconds each: at most so many a minute, from first to last.
  expect(Math.max(...log.map(({ in_flight }) => in_flight))).toBeLessThanOrEqual(4);
  expect(
    mostWithin(
      60,
      deleted.map(({ at }) => at),
    ),
  ).toBeLessThanOrEqual(40);
  expect(await metric(world.broker.url, 'broker_cleanup_deleted_total')).toBe(56);
  expect(violations(await world.table.items())).toEqual([]);
  await Promise.all([container.runner.stop(), worker?.stop()]);
});

test('a provider that fails every burst gets its deletions done all the same', async () => {
  const world = await jobsWorld({
    accounts: 56,
    random: seededRandom(7),
    simulator: { settings: { delete_min_ms: 5_000, delete_max_ms: 10_000 } },
  });
  await world.released(56);
  world.simulator.faults.set([{ kind: 'delete_burst', limit: 12, window_seconds: 60 }]);
  let gaveUp = 0;
  for (let runs = 0; runs < 12 * 12 && (await world.counts()).pending_deletion; runs += 1) {
    gaveUp += Number((await world.run('cleanup')).result.gave_up);
    await world.time.pass(5 * MINUTE_MS);
  }
  expect(gaveUp).toBe(0);
  expect(await world.counts()).toEqual({});
});
