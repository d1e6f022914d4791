import { brokerPaused } from '../faults.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  name: 'broker-paused',
  summary: 'The broker that runs the deletions is stopped for longer than its lease lasts, and goes on.',
  faults: [brokerPaused({ runs: 'cleanup' }, { from: 10, to: 22 })],
};
