import { expect, test, vi } from 'vitest';
import { type Failure, runCampaign } from './campaign.ts';
import { explore, tellSchedule } from './explorer/explore.ts';
import { SCENARIOS, type Scenario } from './explorer/scenarios.ts';
import { runWorld } from './world/run-world.ts';
import { type Recipe, Shrinker } from './world/shrink.ts';
import type { Violation } from './world/violations.ts';

// The bug: an allocation puts its claim over one that is there.
vi.mock('../../src/store/allocation-writes.ts', async (original) => {
  const genuine = await original<typeof import('../../src/store/allocation-writes.ts')>();
  return {
    ...genuine,
    allocationWrites: (...given: Parameters<typeof genuine.allocationWrites>) => {
      const [claim, sandbox] = genuine.allocationWrites(...given);
      return [{ Put: { ...claim.Put, ConditionExpression: undefined } }, sandbox];
    },
  };
});

const LOST_CLAIM = /the claim of "[^"]*" no longer names sandbox \d+, which is still allocated under it/;

test('a campaign finds it; what is left of the world after shrinking fails in the same way, also read from a file', async () => {
  const { failure } = await runCampaign(1, 100_000);
  const { plan, result } = failure as Failure;
  const violation = result.violation as Violation;
  expect(violation).toMatchObject({ invariant: 'I2', text: expect.stringMatching(LOST_CLAIM) });

  const recipe = await new Shrinker(violation, plan, 4).shrink(plan, result);
  expect(recipe.plan.steps).toBeLessThanOrEqual(result.steps);
  expect(recipe.plan.students).toBeLessThanOrEqual(plan.students);
  expect(recipe.faults.length).toBeLessThanOrEqual(result.faults.length);

  const read: Recipe = JSON.parse(JSON.stringify(recipe));
  const replayed = await runWorld(read.plan, { faults: read.faults, told: true });
  expect(replayed.violation?.invariant).toBe('I2');
  expect(replayed.steps).toBeLessThanOrEqual(read.plan.steps);
  expect(await runWorld(read.plan, { faults: read.faults, told: true })).toEqual(replayed);
});

test('the walk through all orders of the smallest world finds it without any fault, and tells the schedule', async () => {
  const [scenario] = SCENARIOS as [Scenario];
  const walk = { bound: Number.POSITIVE_INFINITY, faults: false };
  const { found } = await explore(scenario, walk);
  expect(found?.violation).toMatchObject({ invariant: 'I2', text: expect.stringMatching(LOST_CLAIM) });
  const story = await tellSchedule(scenario, found?.choices ?? [], walk);
  expect(story.filter((line) => /sandbox \d+: available -> allocated to "ann "/.test(line))).toHaveLength(2);
});
