import type { CancellationReason, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { cancelled, tokenMismatch, transactionInProgress, validation } from './faults.ts';
import type { Change, SimulatedTable } from './simulated-table.ts';
import { readWrite, type Write, type WriteInput, type WriteKind } from './writes.ts';

/** Most items of one transaction. */
const MAX_ITEMS = 100;
/** How long a token makes a repetition the same call. Milliseconds. */
const TOKEN_MS = 10 * 60_000;
const KINDS: readonly WriteKind[] = ['Put', 'Update', 'Delete', 'ConditionCheck'];

export interface TransactWriteInput {
  readonly TransactItems?: TransactWriteItem[] | undefined;
  readonly ClientRequestToken?: string | undefined;
}

interface Known {
  readonly items: TransactWriteItem[];
  /** Undefined while it is under way. */
  committedAt: number | undefined;
}

/** A transaction between its beginning and its commit. Its items are locked: nobody else writes them. */
export interface Transaction {
  /** Takes effect, all of it at once. */
  commit(): void;
}

const ALREADY_DONE: Transaction = { commit: () => {} };

/**
 * Transactions of two moments. At its beginning one finds its conditions to hold and locks its items; at its commit
 * it takes effect. What writes a locked item meanwhile fails with a conflict; what reads it finds it as it was.
 */
export class Transactions {
  readonly #table: SimulatedTable;
  readonly #now: () => number;
  readonly #locked = new Set<string>();
  readonly #tokens = new Map<string, Known>();

  constructor(table: SimulatedTable, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  isLocked(key: string): boolean {
    return this.#locked.has(key);
  }

  /**
   * @throws ValidationException, TransactionCanceledException with a reason for each item, TransactionInProgressException
   *   or IdempotentParameterMismatchException for a token that is known
   */
  begin(input: TransactWriteInput): Transaction {
    const items = input.TransactItems ?? [];
    const writes = this.#read(items);
    const token = input.ClientRequestToken;
    const known = token === undefined ? undefined : this.#known(token, items);
    if (known === 'done') return ALREADY_DONE;

    const changes: Change[] = [];
    const reasons = writes.map((write) => this.#judge(write, changes));
    if (reasons.some(({ Code }) => Code !== 'None')) throw cancelled(reasons);

    for (const { key } of writes) this.#locked.add(key);
    const entry: Known = { items, committedAt: undefined };
    if (token !== undefined) this.#tokens.set(token, entry);
    return {
      commit: () => {
        for (const { key } of writes) this.#locked.delete(key);
        entry.committedAt = this.#now();
        this.#table.commit(changes);
      },
    };
  }

  #read(items: readonly TransactWriteItem[]): Write[] {
    if (items.length === 0 || items.length > MAX_ITEMS)
      throw validation(`A transaction has 1 to ${MAX_ITEMS} items, not ${items.length}`);
    const keys = new Set<string>();
    return items.map((item) => {
      const kinds = KINDS.filter((kind) => item[kind] !== undefined);
      if (kinds.length !== 1) throw validation('An item of a transaction is one write');
      const kind = kinds[0] as WriteKind;
      const write = readWrite(this.#table.shape, kind, item[kind] as WriteInput);
      if (keys.has(write.key))
        throw validation('Transaction request cannot include multiple operations on one item');
      keys.add(write.key);
      return write;
    });
  }

  #known(token: string, items: TransactWriteItem[]): 'done' | undefined {
    const known = this.#tokens.get(token);
    if (known === undefined) return undefined;
    const expired = known.committedAt !== undefined && this.#now() - known.committedAt >= TOKEN_MS;
    if (expired) return undefined;
    if (known.items !== items && JSON.stringify(known.items) !== JSON.stringify(items)) throw tokenMismatch();
    if (known.committedAt === undefined) throw transactionInProgress();
    return 'done';
  }

  #judge(write: Write, changes: Change[]): CancellationReason {
    if (this.#locked.has(write.key))
      return { Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' };
    const before = this.#table.get(write.key);
    let after: Change['after'];
    try {
      write.check();
      if (!write.allowed(before)) {
        return {
          Code: 'ConditionalCheckFailed',
          Message: 'The conditional request failed',
          ...(write.returnsOld && before !== undefined ? { Item: { ...before } } : {}),
        };
      }
      after = write.after(before);
    } catch (error) {
      return { Code: 'ValidationError', Message: (error as Error).message };
    }
    if (write.kind !== 'ConditionCheck') changes.push({ key: write.key, before, after });
    return { Code: 'None' };
  }
}
