import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Database } from './database.ts';
import { ADOPTION_KEY } from './keys.ts';

/**
 * What time it is at the database, by the `Date` of an answer (RFC 9110, 6.6.1): the one clock that all processes
 * share. Whole seconds, and late by as long as the answer took.
 *
 * @returns Unix seconds; undefined where the answer does not say
 */
export async function readDatabaseTime(database: Database): Promise<number | undefined> {
  const command = new GetCommand({ TableName: database.tableName, Key: ADOPTION_KEY });
  let date: string | undefined;
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as { headers?: Record<string, string> };
      date = headers?.date ?? headers?.Date;
      return result;
    },
    // Without a name: the document client adds the middleware of a command twice, and names must differ.
    { step: 'deserialize', priority: 'low' },
  );
  await database.documents.send(command);
  const time = Date.parse(date ?? '');
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000);
}
