import { poolRefilled } from '../faults.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  name: 'pool-runs-dry',
  summary: 'The pool is too small for the class, and is filled up while students wait.',
  poolPerStudent: 0.6,
  faults: [poolRefilled(600, { from: 0, to: 25 })],
  unnoticed: true,
};
