import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  name: 'calm-class',
  summary: 'A class arrives within ten seconds, and nothing is wrong.',
  arrivalSeconds: 10,
  faults: [],
  unnoticed: true,
};
