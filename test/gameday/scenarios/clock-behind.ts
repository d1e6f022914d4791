import { clockOff } from '../faults.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  name: 'clock-behind',
  summary: 'The clock of one broker is ten minutes behind.',
  faults: [clockOff(1, -10, { from: 0, to: 30 })],
  unnoticed: true,
};
