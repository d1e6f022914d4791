import type { Database } from '../../../src/store/database.ts';
import { simulatedDatabase } from '../dynamodb/simulated-database.ts';
import { CALM, SimulatedDynamoDb } from '../dynamodb/simulated-dynamodb.ts';
import { TABLE } from '../dynamodb/table-shape.ts';

/** A simulated table of a real one's name. */
export function simulatedTwin(tableName: string): Database {
  const names = { ...TABLE, tableName };
  const store = new SimulatedDynamoDb(names, CALM);
  return simulatedDatabase(names, {
    carry: async (operation, input) => store.execute(operation, input),
    sleep: async () => {},
    random: () => 0.5,
  });
}
