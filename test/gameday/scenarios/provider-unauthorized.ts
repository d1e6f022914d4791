import { provider } from '../faults.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  name: 'provider-unauthorized',
  summary: 'The provider refuses the credential for half a minute.',
  faults: [provider('answers 401 to everything', [{ kind: 'unauthorized' }], { from: 3, to: 33 })],
  unnoticed: true,
};
