import { startBroker, type TestBroker } from '../../../support/broker.ts';
import { makeTable } from '../../../support/table.ts';
import { type Api, apiOf } from './api.ts';
import { type DatabaseLine, openDatabaseLine } from './database-line.ts';

/** A broker whose way to its database can be held or cut. */
export interface BrokerOnALine {
  readonly line: DatabaseLine;
  readonly broker: TestBroker;
  readonly api: Api;
  close(): Promise<void>;
}

/** @param pool sandboxes that there are; none by default */
export async function brokerOnALine(
  environment: Readonly<Record<string, string>>,
  pool = 0,
): Promise<BrokerOnALine> {
  const table = await makeTable();
  await table.seed(pool);
  const line = await openDatabaseLine(table.environment.DDB_ENDPOINT_URL as string);
  const broker = await startBroker({ ...table.environment, ...environment, DDB_ENDPOINT_URL: line.url });
  return {
    line,
    broker,
    api: await apiOf(broker.url),
    close: async () => {
      // First: what the broker still waits for on a line that is held would keep it.
      await line.close();
      await broker.close();
      await table.drop();
    },
  };
}
