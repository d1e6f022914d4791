import { expect, test } from 'vitest';
import { type JobsWorld, jobsWorld } from '../../support/jobs-world.ts';

/** When the provider was asked for each deletion, in seconds after the first. */
function moments(world: JobsWorld): number[] {
  const entries = world.simulator.log.of('delete');
  return entries.map(({ at }) => (at - (entries[0]?.at ?? 0)) / 1000);
}

const mostAtOnce = (world: JobsWorld) =>
  Math.max(...world.simulator.log.of('delete').map(({ in_flight }) => in_flight));

/** Twelve accounts each of whose deletions takes the provider five seconds. */
async function slowWorld(environment: Record<string, string>): Promise<JobsWorld> {
  const settings = { delete_min_ms: 5_000, delete_max_ms: 5_000 };
  const world = await jobsWorld({ accounts: 12, environment, simulator: { settings } });
  await world.released(12);
  return world;
}

test('so many deletions are under way at once as the setting says, and no more', async () => {
  const world = await slowWorld({ CLEANUP_CONCURRENCY: '3', CLEANUP_BATCH_SIZE: '100' });
  await world.run('cleanup');
  expect(mostAtOnce(world)).toBe(3);
  expect(moments(world)).toEqual([0, 0, 0, 5, 5, 5, 10, 10, 10, 15, 15, 15]);
});

test('between two batches there is a pause', async () => {
  const world = await slowWorld({
    CLEANUP_CONCURRENCY: '4',
    CLEANUP_BATCH_SIZE: '4',
    CLEANUP_BATCH_DELAY_SEC: '30',
  });
  await world.run('cleanup');
  expect(moments(world)).toEqual([0, 0, 0, 0, 35, 35, 35, 35, 70, 70, 70, 70]);
});

test('with a pause after each sandbox deletions go one by one, so far apart as operators space them', async () => {
  const world = await slowWorld({
    CLEANUP_CONCURRENCY: '4',
    CLEANUP_BATCH_SIZE: '100',
    CLEANUP_PER_SANDBOX_DELAY_SEC: '30',
  });
  await world.run('cleanup');
  expect(mostAtOnce(world)).toBe(1);
  expect(moments(world)).toEqual(Array.from({ length: 12 }, (_, index) => index * 35));
});

test('a default installation deletes ten, pauses two seconds, and has four under way', async () => {
  const world = await slowWorld({});
  await world.run('cleanup');
  expect(mostAtOnce(world)).toBe(4);
  expect(moments(world)).toEqual([0, 0, 0, 0, 5, 5, 5, 5, 10, 10, 17, 17]);
});
