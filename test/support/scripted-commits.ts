import type { AttributeValue, TransactWriteItem } from '@aws-sdk/client-dynamodb';
import {
  type CommitOutcome,
  type CommitUnit,
  GroupCommit,
  type GroupCommitOptions,
} from '../../src/allocation/group-commit.ts';
import type { Random } from '../../src/domain/clock.ts';
import type { CancellationReason, Transacted } from '../../src/store/transact.ts';
import { ManualClock } from './manual-clock.ts';

/** A transaction as the database was asked for it. It is under way until the test says how it ends. */
export interface SentTransaction {
  readonly items: readonly TransactWriteItem[];
  readonly token: string;
  /** The names of the items written, in their order. */
  readonly names: readonly string[];
  commit(): Promise<void>;
  /** Cancels it, for these items and these reasons. */
  cancel(faults: Record<string, CancellationReason>): Promise<void>;
  fail(error: Error): Promise<void>;
}

/** Group commit over a database that does what the test says, on a clock that the test moves. */
export class ScriptedCommits {
  readonly clock = new ManualClock();
  readonly sent: SentTransaction[] = [];
  readonly commits: GroupCommit;

  /** @param random 1 makes every wait as long as it may be, 0 as short */
  constructor(options: Partial<GroupCommitOptions> = {}, random: Random = () => 1) {
    this.commits = new GroupCommit(
      { maxInFlight: 1, maxBatch: 50, backoffBaseMs: 100, backoffMaxMs: 5_000, ...options },
      { transact: (items, token) => this.#transact(items, token), clock: this.clock, random },
    );
  }

  /** The transaction that was sent last. */
  get last(): SentTransaction {
    const last = this.sent.at(-1);
    if (last === undefined) throw new Error('Nothing was sent');
    return last;
  }

  /** Lets everything happen that needs no time. */
  settle(): Promise<void> {
    return this.clock.advance(0);
  }

  #transact(items: TransactWriteItem[], token: string): Promise<Transacted> {
    return new Promise((resolve, reject) => {
      const names = items.map(nameOf);
      this.sent.push({
        items,
        token,
        names,
        commit: () => {
          resolve({ committed: true });
          return this.settle();
        },
        cancel: (faults) => {
          resolve({ committed: false, reasons: names.map((name) => faults[name] ?? { code: 'None' }) });
          return this.settle();
        },
        fail: (error) => {
          reject(error);
          return this.settle();
        },
      });
    });
  }
}

function nameOf(item: TransactWriteItem): string {
  const { Put, Update, Delete, ConditionCheck } = item;
  const key: Record<string, AttributeValue> | undefined =
    Put?.Item ?? Update?.Key ?? Delete?.Key ?? ConditionCheck?.Key;
  return key?.PK?.S ?? '';
}

/** A unit that writes items of these names. */
export function unitOf(names: readonly string[], limits: Partial<CommitUnit> = {}): CommitUnit {
  return {
    writes: names.map((name) => ({ Put: { TableName: 'table', Item: { PK: { S: name } } } })),
    itemNames: names,
    deadline: Number.POSITIVE_INFINITY,
    wanted: () => true,
    ...limits,
  };
}

/** What became of a promise so far. */
export interface Followed {
  outcome: CommitOutcome['outcome'] | 'waiting' | 'failed';
  reasons: readonly CancellationReason[];
  error: unknown;
}

export function follow(promise: Promise<CommitOutcome>): Followed {
  const followed: Followed = { outcome: 'waiting', reasons: [], error: undefined };
  promise.then(
    (result) => {
      followed.outcome = result.outcome;
      if (result.outcome === 'cancelled') followed.reasons = result.reasons;
    },
    (error: unknown) => {
      followed.outcome = 'failed';
      followed.error = error;
    },
  );
  return followed;
}

/** Errors as the SDK throws them, by what they say about the call. */
export const lost = () => Object.assign(new Error('no answer'), { name: 'TimeoutError' });
export const throttled = () => Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
export const invalid = () =>
  Object.assign(new Error('invalid'), { name: 'ValidationException', $metadata: { httpStatusCode: 400 } });
