import type { Database } from '../../src/store/database.ts';

/** One call to the database, as either client makes it. */
export interface DatabaseCall {
  /** The operation: `Query`, `Get`, `TransactWriteItems`, ... */
  readonly operation: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into the input of every operation
  readonly input: any;
}

/** Decides what a call does: `next()` makes it; without it the call never happens. */
export type Tap = (call: DatabaseCall, next: () => Promise<unknown>) => Promise<unknown>;

interface Command {
  readonly input: unknown;
}

type Send = (command: Command, options?: unknown) => Promise<unknown>;

/** The same table on the same connections, every call of which goes through the tap. Its owner closes it. */
export function tapDatabase(database: Database, tap: Tap): Database {
  const tapped = <Client extends object>(client: Client): Client => {
    const send = (client as unknown as { send: Send }).send.bind(client) as Send;
    const through: Send = (command, options) =>
      tap({ operation: command.constructor.name.replace(/(Item)?Command$/, ''), input: command.input }, () =>
        send(command, options),
      );
    return Object.create(client, { send: { value: through } });
  };
  return {
    ...database,
    client: tapped(database.client),
    documents: tapped(database.documents),
    close: () => {},
  };
}

/** Lets every call pass, and remembers it. */
export function recordCalls(database: Database): { database: Database; calls: DatabaseCall[] } {
  const calls: DatabaseCall[] = [];
  const recording = tapDatabase(database, (call, next) => {
    calls.push(call);
    return next();
  });
  return { database: recording, calls };
}

/** What the SDK throws when an answer did not come in time. */
export function timeout(): Error {
  return Object.assign(new Error('The answer was lost'), { name: 'TimeoutError' });
}
