import { brokersReplaced } from '../faults.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  name: 'rolling-start',
  summary: 'A deployment in mid-class: every broker is replaced by a new one.',
  faults: [brokersReplaced({ from: 3, to: 4 })],
  unnoticed: true,
};
