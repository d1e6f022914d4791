import { clockOff } from '../faults.ts';
import type { Scenario } from '../scenario.ts';

/** By the clock that is ahead every lab would be over at once; by the true one none is before the day is over. */
export const scenario: Scenario = {
  name: 'clock-ahead',
  summary: 'The clock of one broker is ten minutes ahead, where labs end after less than five.',
  environment: { LAB_DURATION_HOURS: '0.01', GRACE_PERIOD_MINUTES: '4' },
  faults: [clockOff(1, 10, { from: 0, to: 30 })],
  unnoticed: true,
};
