import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { type Clock, fullJitter, type Random, unixSeconds } from '../domain/clock.ts';
import { BrokerError, serviceUnavailable } from '../domain/errors.ts';
import { MOVES, mayMove, type SandboxStatus, wasHeld } from '../domain/sandbox.ts';
import { type Author, eventWrite } from '../store/audit.ts';
import type { Database } from '../store/database.ts';
import { moveWrite, removeWrite, type Values } from '../store/move-writes.ts';
import type { PoolReader } from '../store/pool-reader.ts';
import type { StoredSandbox } from '../store/sandbox-row.ts';
import type { StatusShards } from '../store/status-shards.ts';
import { noTombstoneChecks, tombstoneWrites } from '../store/tombstones.ts';
import { CONDITION_FAILED, transactPatiently } from '../store/transact.ts';
import type { Deadline } from './deadline.ts';
import { CommitDeadlineError } from './group-commit.ts';
import { type Releaser, sandboxNotFound } from './releaser.ts';

/** What an operator may do to one row. `release` ends an allocation; the others concern rows that nobody holds. */
export const OPERATOR_MOVES = ['retry_deletion', 'quarantine', 'restore', 'release'] as const;
export type OperatorMove = (typeof OPERATOR_MOVES)[number];

export interface OperatorMovesParts {
  readonly database: Database;
  readonly shards: StatusShards;
  readonly reader: PoolReader;
  readonly releaser: Releaser;
  readonly clock: Clock;
  readonly random: Random;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
}

/** How often a row is read again when it was moved by somebody else in between. */
const MAX_ATTEMPTS = 5;

/** Moves rows at an operator's word, each on the condition that the row is as it was read, each with its trace. */
export class OperatorMoves {
  readonly #parts: OperatorMovesParts;

  constructor(parts: OperatorMovesParts) {
    this.#parts = parts;
  }

  /**
   * @returns the row as it is afterwards
   * @throws BrokerError SANDBOX_NOT_FOUND; ILLEGAL_MOVE when its state does not allow the move, or would bring a
   *   used sandbox back into the pool; SERVICE_UNAVAILABLE at the deadline, when nobody knows whether it was moved
   */
  async move(
    sandboxId: string,
    move: OperatorMove,
    author: Author,
    deadline: Deadline,
  ): Promise<StoredSandbox> {
    return deadline.orUnavailable(this.#move(sandboxId, move, author, deadline));
  }

  async #move(
    sandboxId: string,
    move: OperatorMove,
    author: Author,
    deadline: Deadline,
  ): Promise<StoredSandbox> {
    const { reader, clock, random, backoffBaseMs, backoffMaxMs } = this.#parts;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const row = await reader.get(sandboxId);
      if (row === undefined) throw sandboxNotFound();
      if (!mayMove(move, row)) throw illegalMove(move, row.status);
      if (move === 'restore' && wasHeld(row)) throw usedBefore();
      const moved =
        move === 'release'
          ? await this.#release(row, author, deadline)
          : await this.#moveUnheld(row, move, author);
      if (moved !== undefined) return moved;
      await clock.sleep(fullJitter(attempt, backoffBaseMs, backoffMaxMs, random));
    }
    throw serviceUnavailable(new Error(`Row ${sandboxId} changed under each of ${MAX_ATTEMPTS} attempts`));
  }

  /**
   * Removes a row from the pool, not the account at the provider. A tombstone stays, so that sync does not take
   * the account for a new one.
   *
   * @returns whether it was removed; false when it was no longer as read, or is stale and was held: its account is to be
   *   deleted first (I4)
   */
  async remove(row: StoredSandbox, author: Author): Promise<boolean> {
    const { database, clock, random } = this.#parts;
    if (row.status === 'stale' && wasHeld(row)) return false;
    return this.#write([
      removeWrite(database, row),
      ...tombstoneWrites(database, row, unixSeconds(clock)),
      eventWrite(database, row, 'remove', 'removed', author, clock, random),
    ]);
  }

  async #release(row: StoredSandbox, author: Author, deadline: Deadline) {
    try {
      return await this.#parts.releaser.end(row, 'release', author, deadline);
    } catch (error) {
      throw error instanceof CommitDeadlineError ? serviceUnavailable(error) : error;
    }
  }

  async #moveUnheld(
    row: StoredSandbox,
    move: Exclude<OperatorMove, 'release'>,
    author: Author,
  ): Promise<StoredSandbox | undefined> {
    const { database, shards, clock, random } = this.#parts;
    const now = unixSeconds(clock);
    const to = MOVES[move].to;
    const reason: Values = author.reason === undefined ? {} : { status_reason: { S: author.reason } };
    const changes: Record<typeof move, { set: Values; remove: string[] }> = {
      // The attempts begin anew, and at once.
      retry_deletion: {
        set: { ...reason, deletion_retry_count: { N: '0' }, next_attempt_at: { N: '0' } },
        remove: ['deletion_error'],
      },
      quarantine: { set: reason, remove: ['stale_since'] },
      restore: { set: {}, remove: ['status_reason', 'stale_since'] },
    };
    const { set, remove } = changes[move];
    const writes = [
      moveWrite(database, shards, row, to, now, set, remove),
      eventWrite(database, row, move, to, author, clock, random),
    ];
    const ofTombstones = writes.length;
    if (move === 'restore') writes.push(...noTombstoneChecks(database, row));
    const result = await transactPatiently(database, writes, this.#parts);
    if (result.committed) return this.#parts.reader.get(row.sandboxId);
    if (result.reasons.slice(ofTombstones).some(({ code }) => code === CONDITION_FAILED)) throw usedBefore();
    return undefined;
  }

  /** @returns false when the row was no longer as it was read */
  async #write(writes: TransactWriteItem[]): Promise<boolean> {
    return (await transactPatiently(this.#parts.database, writes, this.#parts)).committed;
  }
}

function usedBefore(): BrokerError {
  return new BrokerError(
    'ILLEGAL_MOVE',
    'The sandbox was used or removed before; it never becomes available again',
  );
}

function illegalMove(move: OperatorMove, status: SandboxStatus): BrokerError {
  const from = MOVES[move].from.join(' or ');
  return new BrokerError('ILLEGAL_MOVE', `The sandbox is ${status}; "${move}" needs it to be ${from}`);
}
