import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { tableOfTest } from '../../support/table.ts';
import { Randomness } from '../world/randomness.ts';
import { ENGINE_DIFFERENCES, engineOfTests } from './engine-differences.ts';
import { observe } from './observed-answer.ts';
import { RandomCalls } from './random-call.ts';
import { simulatedTwin } from './simulated-twin.ts';

/** Calls for each seed; DIFFERENTIAL_SEEDS takes more seeds than the few of a quick run. */
const CALLS = 400;
const SEEDS = Number(process.env.DIFFERENTIAL_SEEDS ?? 4);
const DIFFERENCES = ENGINE_DIFFERENCES.filter(({ engine }) => engine === engineOfTests());

test.for(Array.from({ length: SEEDS }, (_, index) => index + 1))(
  'the simulated table answers random calls as a real engine does (seed %i)',
  async (seed) => {
    const table = await tableOfTest({ adopted: false });
    const { database } = table;
    const simulation = simulatedTwin(database.tableName);
    const calls = new RandomCalls(new Randomness(`differential ${seed}`), database.tableName);
    for (let index = 0; index < CALLS; index += 1) {
      const call = calls.next();
      const real = await observe(database, call);
      const simulated = await observe(simulation, call);
      if (isDeepStrictEqual(real, simulated)) continue;
      const difference = DIFFERENCES.find(({ explains }) =>
        explains(call, real as object, simulated as object),
      );
      if (difference === undefined) expect({ call, answer: simulated }).toEqual({ call, answer: real });
    }
  },
);
