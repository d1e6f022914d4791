import { resetAfter, serverError, silenceAfter, transactionInProgress } from '../../faults/wire-faults.ts';
import { databaseFails } from '../faults.ts';
import type { Scenario } from '../scenario.ts';

export const scenario: Scenario = {
  name: 'database-answers-lost',
  summary: 'Calls to the database take effect, and their answers do not arrive.',
  faults: [
    databaseFails(
      'loses answers after the effect, one in four',
      [
        { on: () => true, fault: resetAfter, probability: 0.15 },
        { on: () => true, fault: silenceAfter, probability: 0.05 },
        { on: () => true, fault: transactionInProgress, probability: 0.03 },
        { on: () => true, fault: serverError, probability: 0.03 },
      ],
      { from: 3, to: 25 },
    ),
  ],
};
