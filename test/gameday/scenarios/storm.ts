import type { Random } from '../../../src/domain/clock.ts';
import {
  conflictOn,
  isTransaction,
  resetAfter,
  resetBefore,
  serverError,
  throttled,
} from '../../faults/wire-faults.ts';
import {
  brokerKilled,
  brokerPaused,
  brokersReplaced,
  clockOff,
  databaseFails,
  databaseStalls,
  deletedStillListed,
  provider,
  type When,
} from '../faults.ts';
import type { Fault, Scenario } from '../scenario.ts';

/** Seconds. */
const LASTS = 40;
const FAULTS = 10;

export const scenario: Scenario = {
  name: 'storm',
  summary: 'Everything at once, as the seed wills.',
  arrivalSeconds: 30,
  faults: ({ random, brokers }) => {
    const kinds = kindsOf(random, brokers);
    return Array.from({ length: FAULTS }, () => {
      const from = Math.floor(random() * (LASTS - 10));
      const to = from + 3 + Math.floor(random() * 8);
      return kinds[Math.floor(random() * kinds.length)]!({ from, to });
    }).sort((a, b) => a.from - b.from);
  },
};

function kindsOf(random: Random, brokers: number): ((when: When) => Fault)[] {
  const broker = () => 1 + Math.floor(random() * brokers);
  return [
    (when) => brokerKilled(broker(), when),
    (when) => brokerKilled({ runs: 'cleanup' }, when),
    (when) => brokerPaused(broker(), when),
    (when) => brokerPaused({ runs: 'cleanup' }, when),
    (when) => clockOff(broker(), random() < 0.5 ? 10 : -10, when),
    ({ from }) => databaseStalls({ from, to: from + 2 + Math.floor(random() * 3) }),
    (when) =>
      databaseFails(
        'fails now and then',
        [
          { on: isTransaction, fault: conflictOn((key) => key.length % 2 === 0), probability: 0.1 },
          { on: () => true, fault: throttled, probability: 0.1 },
          { on: () => true, fault: resetBefore, probability: 0.05 },
          { on: () => true, fault: resetAfter, probability: 0.1 },
          { on: () => true, fault: serverError, probability: 0.05 },
        ],
        when,
      ),
    (when) => provider('answers 500 to everything', [{ kind: 'error' }], when),
    (when) => provider('lists nothing', [{ kind: 'empty_list', call: 'list' }], when),
    (when) => deletedStillListed(10, when),
    (when) =>
      provider(
        'deletes and closes the connection, one time in three',
        [{ kind: 'reset', call: 'delete', after_effect: true, probability: 0.3 }],
        when,
      ),
    ({ from }) => brokersReplaced({ from, to: from + 1 }),
  ];
}
