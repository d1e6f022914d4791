import { isIndexQuery, isTransaction, throttled, throughputExceeded } from '../../faults/wire-faults.ts';
import { databaseFails } from '../faults.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  name: 'database-throttles',
  summary: 'The database refuses most calls for ten seconds because there are too many.',
  faults: [
    databaseFails(
      'throttles four transactions and queries of five',
      [
        { on: isTransaction, fault: throttled, probability: 0.8 },
        { on: isIndexQuery, fault: throughputExceeded, probability: 0.8 },
      ],
      { from: 5, to: 15 },
    ),
    databaseFails('throttles everything', [{ on: () => true, fault: throttled }], { from: 20, to: 24 }),
  ],
};
