import { expect, test } from 'vitest';
import { explore } from './explore.ts';
import { SCENARIOS } from './scenarios.ts';

test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
  'no schedule with one deviation breaks an invariant: %s',
  async (_name, scenario) => {
    const { schedules, found } = await explore(scenario, { bound: 1, faults: true });
    expect(found).toBeUndefined();
    expect(schedules).toBeGreaterThan(40);
  },
);

test.each(
  SCENARIOS.filter(({ allOrders }) => allOrders).map((scenario) => [scenario.name, scenario] as const),
)('no order of events breaks an invariant: %s', async (_name, scenario) => {
  const { schedules, found } = await explore(scenario, { bound: Number.POSITIVE_INFINITY, faults: false });
  expect(found).toBeUndefined();
  expect(schedules).toBeGreaterThan(100);
});
