import { DeleteCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { type Clock, unixSeconds } from '../domain/clock.ts';
import type { Database } from './database.ts';
import { TIME_TO_LIVE_ATTRIBUTE } from './table.ts';

/** All processes in one partition, which is one read for each sign of life. */
const PARTITION = 'INSTANCES';
/** The table forgets a process that was killed after this time. Seconds. */
const KEEP_SECONDS = 3_600;

export interface InstanceSign {
  readonly instance: string;
  /** Counts the signs of life of this instance. */
  readonly beat: number;
}

/** Says that a process is there. */
export async function signOfLife(
  database: Database,
  clock: Clock,
  { instance, beat }: InstanceSign,
): Promise<void> {
  await database.documents.send(
    new PutCommand({
      TableName: database.tableName,
      Item: {
        PK: PARTITION,
        SK: instance,
        beat,
        [TIME_TO_LIVE_ATTRIBUTE]: unixSeconds(clock) + KEEP_SECONDS,
      },
    }),
  );
}

export async function readSigns(database: Database): Promise<InstanceSign[]> {
  const answer = await database.documents.send(
    new QueryCommand({
      TableName: database.tableName,
      KeyConditionExpression: 'PK = :partition',
      ExpressionAttributeValues: { ':partition': PARTITION },
    }),
  );
  return (answer.Items ?? []).map((item) => ({ instance: String(item.SK), beat: Number(item.beat) }));
}

export async function withdrawSign(database: Database, instance: string): Promise<void> {
  await database.documents.send(
    new DeleteCommand({ TableName: database.tableName, Key: { PK: PARTITION, SK: instance } }),
  );
}
