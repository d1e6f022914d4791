import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../domain/clock.ts';
import type { Database } from './database.ts';
import { TIME_TO_LIVE_ATTRIBUTE } from './table.ts';

/** How long a record is kept, in days. */
export const KEEP_DAYS = 30;
const DAY_MS = 86_400_000;
/** Services that a record names; `found` counts all. An item holds 400 KB. */
const MAX_SERVICES = 100;

/** What the step before a deletion found and did. */
export interface NiosxaasResult {
  readonly outcome: string;
  readonly found: number;
  readonly deleted: number;
  readonly failed: number;
  readonly services: readonly { readonly id: string; readonly name: string; readonly result: string }[];
  readonly error?: string;
}

export interface NiosxaasRecord extends NiosxaasResult {
  readonly sandboxId: string;
  /** Unix seconds. */
  readonly at: number;
}

/** One partition a day, so that the latest are found without reading the others. */
function partitionOf(timeMs: number): string {
  return `NIOSXAAS#${new Date(timeMs).toISOString().slice(0, 10)}`;
}

/** Keeps what a clean-up before a deletion did, for the operators' statistics. */
export async function keepNiosxaasRecord(
  database: Database,
  clock: Clock,
  sandboxId: string,
  cleanup: NiosxaasResult,
): Promise<void> {
  const now = clock.now();
  await database.documents.send(
    new PutCommand({
      TableName: database.tableName,
      Item: {
        PK: partitionOf(now),
        SK: `${String(now).padStart(15, '0')}#${sandboxId}`,
        sandbox_id: sandboxId,
        outcome: cleanup.outcome,
        found: cleanup.found,
        deleted: cleanup.deleted,
        failed: cleanup.failed,
        services: cleanup.services.slice(0, MAX_SERVICES),
        error: cleanup.error,
        at: Math.floor(now / 1000),
        [TIME_TO_LIVE_ATTRIBUTE]: Math.floor(now / 1000) + KEEP_DAYS * 86_400,
      },
    }),
  );
}

/** The latest records, the latest first. */
export async function readNiosxaasRecords(
  database: Database,
  clock: Clock,
  limit: number,
): Promise<NiosxaasRecord[]> {
  const records: NiosxaasRecord[] = [];
  let day = 0;
  let after: Record<string, unknown> | undefined;
  while (day <= KEEP_DAYS && records.length < limit) {
    const answer = await database.documents.send(
      new QueryCommand({
        TableName: database.tableName,
        KeyConditionExpression: 'PK = :day',
        ExpressionAttributeValues: { ':day': partitionOf(clock.now() - day * DAY_MS) },
        ScanIndexForward: false,
        Limit: limit - records.length,
        ExclusiveStartKey: after,
      }),
    );
    after = answer.LastEvaluatedKey;
    if (after === undefined) day += 1;
    for (const item of answer.Items ?? []) {
      records.push({
        sandboxId: item.sandbox_id,
        outcome: item.outcome,
        found: item.found,
        deleted: item.deleted,
        failed: item.failed,
        services: item.services,
        ...(item.error === undefined ? {} : { error: item.error }),
        at: item.at,
      });
    }
  }
  return records;
}
