import { provider } from '../faults.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  name: 'provider-slow',
  summary:
    'The provider takes seconds for everything, does some deletions without saying so, and limits the rate.',
  faults: [
    provider('takes 3 to 8 s', [{ kind: 'latency', milliseconds: 3_000, max_milliseconds: 8_000 }], {
      from: 3,
      to: 20,
    }),
    provider(
      'deletes and does not answer, one time in five',
      [{ kind: 'hang', call: 'delete', after_effect: true, probability: 0.2 }],
      { from: 20, to: 26 },
    ),
    provider('answers 429, one time in four', [{ kind: 'rate_limited', probability: 0.25, retry_after: 2 }], {
      from: 26,
      to: 34,
    }),
  ],
  environment: { CSP_TIMEOUT_READ_SEC: '10' },
  unnoticed: true,
};
