import { type Get, TransactGetItemsCommand, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { type Clock, fullJitter, type Random } from '../domain/clock.ts';
import type { Database } from '../store/database.ts';
import { databaseFault } from '../store/database-faults.ts';
import { attributes, type Key } from '../store/keys.ts';
import type { Row } from '../store/sandbox-row.ts';

const MAX_ATTEMPTS = 8;
const BACKOFF_BASE_MS = 50;
const BACKOFF_MAX_MS = 2_000;

/**
 * Rows as they all were at one moment, null for those that are not there: unlike several reads, these never show one
 * half of somebody's transaction.
 */
export async function readRowsAtOnce(
  database: Database,
  keys: readonly Key[],
  { clock, random }: { clock: Clock; random: Random },
): Promise<(Row | null)[]> {
  const gets = keys.map((key): { Get: Get } => ({
    Get: { TableName: database.tableName, Key: attributes(key) },
  }));
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await database.client.send(new TransactGetItemsCommand({ TransactItems: gets }));
      return keys.map((_, index) => {
        const item = answer.Responses?.[index]?.Item;
        return item === undefined ? null : unmarshall(item);
      });
    } catch (error) {
      // A transaction that is under way on one of them cancels the reading.
      const passes = error instanceof TransactionCanceledException || databaseFault(error) !== 'wrong';
      if (!passes || attempt === MAX_ATTEMPTS) throw error;
      await clock.sleep(fullJitter(attempt, BACKOFF_BASE_MS, BACKOFF_MAX_MS, random));
    }
  }
}
