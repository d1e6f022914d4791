import { expect, test } from 'vitest';
import { runCampaign } from './campaign.ts';
import { planWorld } from './world/plan.ts';
import { runWorld } from './world/run-world.ts';

test('no invariant is broken in 60,000 steps from seed 1', async () => {
  const report = await runCampaign(1, 60_000);
  expect(report.failure?.result.violation).toBeUndefined();
  expect(report.steps).toBeGreaterThanOrEqual(60_000);
  // A simulation in which nothing happens breaks nothing either.
  expect(report.allocations).toBeGreaterThan(200);
  expect(report.faults).toBeGreaterThan(500);
});

test('one seed is one story, to the word', async () => {
  const tell = (seed: number) => runWorld(planWorld(seed, 3_000), { told: true });
  const first = await tell(7);
  const again = await tell(7);
  expect(again.story).toEqual(first.story);
  expect(again).toEqual(first);
  expect((await tell(8)).digest).not.toBe(first.digest);
});

test('a world takes the same course whether or not its story is told', async () => {
  const plan = planWorld(9, 3_000);
  const silent = await runWorld(plan);
  const told = await runWorld(plan, { told: true });
  expect(silent.story).toEqual([]);
  expect({ ...told, story: [] }).toEqual(silent);
});

test('faults that are left out do not happen, and those that are kept do', async () => {
  const plan = planWorld(7, 3_000);
  const { faults } = await runWorld(plan, { mayHeal: false });
  expect(faults.length).toBeGreaterThan(10);
  expect((await runWorld(plan, { mayHeal: false, faults: [] })).faults).toEqual([]);
  expect((await runWorld(plan, { mayHeal: false, faults: faults.slice(0, 1) })).faults).toEqual([faults[0]]);
});
