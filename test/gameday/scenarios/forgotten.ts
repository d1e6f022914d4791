import { brokerKilled } from '../faults.ts';
import type { Scenario } from '../scenario.ts';

/** Labs of 36 s and a grace time of 12 s: expiry ends what nobody gives back. */
export const scenario: Scenario = {
  name: 'forgotten',
  summary: 'Half of the class never gives back, labs are short, and the broker that runs expiry is killed.',
  arrivalSeconds: 10,
  neverRelease: 0.5,
  environment: { LAB_DURATION_HOURS: '0.01', GRACE_PERIOD_MINUTES: '0.2' },
  expireAfterSeconds: 48,
  faults: [brokerKilled({ runs: 'expiry' }, { from: 45, to: 52 })],
};
