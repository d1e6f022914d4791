import { expect, test } from 'vitest';
import { explore } from './explore.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
  'no schedule with one deviation breaks an invariant: %s',
  async (_name, scenario) => {
    const { schedules, cut, found } = await explore(scenario, { bound: 1, faults: true });
    expect(found).toBeUndefined();
    expect(cut).toBe(0);
    expect(schedules).toBeGreaterThan(40);
  },
);

test.each(
  SCENARIOS.filter(({ allOrders }) => allOrders).map((scenario) => [scenario.name, scenario] as const),
)('no order of events breaks an invariant: %s', async (_name, scenario) => {
  const { schedules, cut, found } = await explore(scenario, {
    bound: Number.POSITIVE_INFINITY,
    faults: false,
  });
  expect(found).toBeUndefined();
  expect(cut).toBe(0);
  expect(schedules).toBeGreaterThan(100);
});

test('a schedule that is cut off before its end is counted as such, and one that comes to its end is not', async () => {
  const [scenario] = SCENARIOS as [Scenario];
  const walk = { bound: 0, faults: false };
  const whole = await explore(scenario, walk);
  expect(whole).toMatchObject({ schedules: 1, cut: 0 });
  expect(await explore(scenario, { ...walk, maxSteps: whole.steps })).toMatchObject({ schedules: 1, cut: 0 });
  expect(await explore(scenario, { ...walk, maxSteps: whole.steps - 1 })).toMatchObject({
    schedules: 1,
    cut: 1,
  });
});
