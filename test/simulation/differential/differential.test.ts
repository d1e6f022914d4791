import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { tableOfTest } from '../../support/table.ts';
import { simulatedDatabase } from '../dynamodb/simulated-database.ts';
import { CALM, SimulatedDynamoDb } from '../dynamodb/simulated-dynamodb.ts';
import { TABLE } from '../dynamodb/table-shape.ts';
import { Randomness } from '../world/randomness.ts';
import { ENGINE_DIFFERENCES } from './engine-differences.ts';
import { observe } from './observed-answer.ts';
import { RandomCalls } from './random-call.ts';

/** Calls for each seed; DIFFERENTIAL_SEEDS takes more seeds than the few of a quick run. */
const CALLS = 400;
const SEEDS = Number(process.env.DIFFERENTIAL_SEEDS ?? 4);

function simulatedTable(tableName: string) {
  const names = { ...TABLE, tableName };
  const store = new SimulatedDynamoDb(names, CALM);
  return simulatedDatabase(names, {
    carry: async (operation, input) => store.execute(operation, input),
    sleep: async () => {},
    random: () => 0.5,
  });
}

test.for(Array.from({ length: SEEDS }, (_, index) => index + 1))(
  'the simulated table answers random calls as a real engine does (seed %i)',
  async (seed) => {
    const table = await tableOfTest({ adopted: false });
    const { database } = table;
    const simulation = simulatedTable(database.tableName);
    const calls = new RandomCalls(new Randomness(`differential ${seed}`), database.tableName);
    for (let index = 0; index < CALLS; index += 1) {
      const call = calls.next();
      const real = await observe(database, call);
      const simulated = await observe(simulation, call);
      if (isDeepStrictEqual(real, simulated)) continue;
      const difference = ENGINE_DIFFERENCES.find(({ explains }) =>
        explains(call, real as object, simulated as object),
      );
      if (difference === undefined) expect({ call, answer: simulated }).toEqual({ call, answer: real });
    }
  },
);
