import { randomUUID } from 'node:crypto';
import {
  type AttributeValue,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { type Clock, fullJitter, type Random } from '../domain/clock.ts';
import type { Database } from './database.ts';
import { databaseFault } from './database-faults.ts';

/** Most items that one transaction takes (DynamoDB, "TransactWriteItems"). */
export const TRANSACTION_MAX_ITEMS = 100;

export const CONDITION_FAILED = 'ConditionalCheckFailed';

/** What became of one item of a cancelled transaction. */
export interface CancellationReason {
  /** `None` for an item that was not at fault. */
  readonly code: string;
  /** The item as it stands, where the write asked for it and its condition failed. */
  readonly item?: Record<string, AttributeValue> | undefined;
}

export type Transacted =
  | { readonly committed: true }
  | { readonly committed: false; readonly reasons: readonly CancellationReason[] };

const changes = new WeakMap<Database, number>();

/**
 * A number that grows with each transaction of this process that has changed the table, or of which nobody knows
 * whether it has.
 */
export function changesThrough(database: Database): number {
  return changes.get(database) ?? 0;
}

function countChange(database: Database): void {
  changes.set(database, changesThrough(database) + 1);
}

/**
 * Writes all items or none.
 *
 * @param token makes a repetition within ten minutes the same call: it takes effect once
 * @returns the reasons, one an item and in their order, when it was cancelled
 * @throws whatever else the database or the network answers; see `databaseFault`
 */
export async function transact(
  database: Database,
  items: TransactWriteItem[],
  token: string,
  signal?: AbortSignal,
): Promise<Transacted> {
  try {
    await database.client.send(
      new TransactWriteItemsCommand({ TransactItems: items, ClientRequestToken: token }),
      signal === undefined ? {} : { abortSignal: signal },
    );
    countChange(database);
    return { committed: true };
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) {
      countChange(database);
      throw error;
    }
    const reasons = (error.CancellationReasons ?? []).map((reason) => ({
      code: reason.Code ?? 'None',
      item: reason.Item !== undefined && Object.keys(reason.Item).length > 0 ? reason.Item : undefined,
    }));
    // Without a reason for each item nothing can be concluded from their order.
    if (reasons.length !== items.length) throw error;
    return { committed: false, reasons };
  }
}

/** Cancellations that say nothing about a condition and pass by themselves. */
export const PASSING_REASONS: ReadonlySet<string> = new Set([
  'TransactionConflict',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
]);

/** Others kept the rows busy, or the database asked for fewer calls, through every try. Named as what it is. */
class TransactionHeldUpError extends Error {
  override readonly name = 'ThrottlingException';
  constructor(codes: readonly string[]) {
    super(`The database kept refusing a transaction: ${codes.join(', ')}`);
  }
}

/** Tries of one transaction, outside the path of an allocation. */
const MAX_ATTEMPTS = 8;
const BACKOFF_BASE_MS = 50;
const BACKOFF_MAX_MS = 2_000;

/**
 * `transact` for callers that have the time: repeated after a conflict or throttling, and under its token
 * while nobody knows what became of it.
 *
 * @returns a cancellation only for a condition that failed
 * @throws what the last try threw; an error naming the reason when the database refused the writes themselves
 */
export async function transactPatiently(
  database: Database,
  items: TransactWriteItem[],
  { clock, random }: { clock: Clock; random: Random },
): Promise<Transacted> {
  let token = randomUUID();
  for (let attempt = 1; ; attempt += 1) {
    let last: Error;
    try {
      const result = await transact(database, items, token);
      if (result.committed || result.reasons.some(({ code }) => code === CONDITION_FAILED)) return result;
      const codes = result.reasons.map(({ code }) => code).filter((code) => code !== 'None');
      if (!codes.every((code) => PASSING_REASONS.has(code))) {
        throw new Error(`The database refused a transaction: ${codes.join(', ')}`);
      }
      last = new TransactionHeldUpError(codes);
      // Cancelled, so it is settled: the next try is another transaction.
      token = randomUUID();
    } catch (error) {
      if (databaseFault(error) === 'wrong') throw error;
      last = error as Error;
    }
    if (attempt === MAX_ATTEMPTS) throw last;
    await clock.sleep(fullJitter(attempt, BACKOFF_BASE_MS, BACKOFF_MAX_MS, random));
  }
}
