import { deletedStillListed, provider } from '../faults.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  name: 'provider-lying',
  summary:
    'The listing is empty, then far too short, then cut; and deleted accounts are listed all the while.',
  faults: [
    deletedStillListed(20, { from: 0, to: 40 }),
    provider('lists nothing', [{ kind: 'empty_list', call: 'list' }], { from: 3, to: 12 }),
    provider('lists ten accounts', [{ kind: 'short_list', call: 'list', keep: 10 }], { from: 12, to: 22 }),
    provider('sends half a listing', [{ kind: 'truncated_json', call: 'list' }], { from: 22, to: 30 }),
  ],
  unnoticed: true,
};
