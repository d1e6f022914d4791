import { provider } from '../faults.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  name: 'provider-down',
  summary: 'The provider answers with errors, with pages for people, and then not at all.',
  faults: [
    provider('answers 500 to everything', [{ kind: 'error' }], { from: 5, to: 15 }),
    provider('answers with an HTML page', [{ kind: 'html' }], { from: 15, to: 22 }),
    provider('closes every connection', [{ kind: 'reset' }], { from: 22, to: 32 }),
  ],
  unnoticed: true,
};
