import { type Database, openDatabase } from '../../../../src/store/database.ts';
import type { TestTable } from '../../../support/table.ts';

export interface WatchedDatabase extends Database {
  /** The calls so far, by the names of their commands. */
  readonly calls: string[];
  /** Runs before each call goes out; one that throws takes the place of the call. */
  beforeCall: (command: string, input: unknown) => Promise<void>;
}

/** A way of its own to a table, on which a test watches the calls, holds them up or breaks them. */
export function watchedDatabase({ config }: TestTable): WatchedDatabase {
  const database = openDatabase({
    tableName: config.DDB_TABLE_NAME,
    statusIndex: config.DDB_GSI1_NAME,
    trackIndex: config.DDB_GSI2_NAME,
    idempotencyIndex: config.DDB_GSI3_NAME,
    region: config.AWS_REGION,
    endpoint: config.DDB_ENDPOINT_URL,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    connectTimeoutMs: config.DDB_TIMEOUT_CONNECT_MS,
    requestTimeoutMs: config.DDB_TIMEOUT_REQUEST_MS,
    maxSockets: config.DDB_MAX_SOCKETS,
  });
  const watched: WatchedDatabase = { ...database, calls: [], beforeCall: async () => {} };
  for (const client of [database.client, database.documents]) {
    client.middlewareStack.add(
      (next, context) => async (call) => {
        const command = String(context.commandName);
        watched.calls.push(command);
        await watched.beforeCall(command, call.input);
        return next(call);
      },
      { step: 'initialize', name: 'watch' },
    );
  }
  return watched;
}
