import { databaseStalls } from '../faults.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  name: 'database-stalls',
  summary: 'The database stands still for five seconds, and once more while sandboxes are given back.',
  faults: [databaseStalls({ from: 5, to: 10 }), databaseStalls({ from: 18, to: 23 })],
};
