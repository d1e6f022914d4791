import { brokerKilled } from '../faults.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  name: 'broker-killed',
  summary: 'Brokers are killed in mid-class: one of them, and then the one that runs the deletions.',
  faults: [brokerKilled(2, { from: 5, to: 12 }), brokerKilled({ runs: 'cleanup' }, { from: 18, to: 25 })],
};
