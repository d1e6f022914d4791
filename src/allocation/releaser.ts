import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { type Clock, fullJitter, type Random, unixSeconds } from '../domain/clock.ts';
import { BrokerError, serviceUnavailable } from '../domain/errors.ts';
import type { Ending } from '../domain/sandbox.ts';
import { type Author, eventWrite } from '../store/audit.ts';
import { endingOf } from '../store/audit-trail.ts';
import type { Database } from '../store/database.ts';
import { isDatabaseUnavailable } from '../store/database-faults.ts';
import { claimKey, sandboxKey } from '../store/keys.ts';
import { claimEndWrite, claimKeyOfRow, moveWrite, noClaimCheck } from '../store/move-writes.ts';
import type { PoolReader } from '../store/pool-reader.ts';
import type { StoredSandbox } from '../store/sandbox-row.ts';
import type { StatusShards } from '../store/status-shards.ts';
import { CONDITION_FAILED } from '../store/transact.ts';
import { Deadline } from './deadline.ts';
import { CommitDeadlineError, type CommitOutcome, type GroupCommit } from './group-commit.ts';

export interface ReleaserParts {
  readonly database: Database;
  readonly shards: StatusShards;
  readonly reader: PoolReader;
  readonly commits: GroupCommit;
  readonly clock: Clock;
  readonly random: Random;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
}

/** For one expired allocation to be ended, in milliseconds; a job's next run finds those that were not. */
const EXPIRY_DEADLINE_MS = 30_000;

/** An allocation that is over, and since when: Unix seconds. */
export type EndedAllocation = Pick<StoredSandbox, 'sandboxId' | 'deletionRequestedAt'>;

/**
 * Ends allocations: the sandbox goes to `pending_deletion` and its claim goes with it, in one transaction
 * (I10), and the audit trail says who did it.
 */
export class Releaser {
  readonly #parts: ReleaserParts;

  constructor(parts: ReleaserParts) {
    this.#parts = parts;
  }

  /**
   * The owner is done. Repeating it gives the same answer, also when the sandbox has been deleted meanwhile, for as
   * long as the audit trail tells of it.
   *
   * @throws BrokerError SANDBOX_NOT_FOUND, NOT_SANDBOX_OWNER, SERVICE_UNAVAILABLE
   */
  async release(
    sandboxId: string,
    track: string,
    author: Author,
    deadline: Deadline,
  ): Promise<EndedAllocation> {
    return deadline.orUnavailable(this.#release(sandboxId, track, author, deadline));
  }

  async #release(
    sandboxId: string,
    track: string,
    author: Author,
    deadline: Deadline,
  ): Promise<EndedAllocation> {
    try {
      for (;;) {
        const row = await this.#parts.reader.get(sandboxId);
        if (row === undefined) return await this.#endedBefore(sandboxId, track);
        if (row.allocatedToTrack !== track) throw notSandboxOwner();
        if (row.status === 'pending_deletion' || row.status === 'deletion_failed') return row;
        const ended = await this.end(row, 'release', author, deadline);
        if (ended !== undefined) return ended;
      }
    } catch (error) {
      if (error instanceof BrokerError) throw error;
      if (error instanceof CommitDeadlineError || isDatabaseUnavailable(error))
        throw serviceUnavailable(error);
      throw error;
    }
  }

  /** Cleanup may be faster than whoever repeats a release, and than this very call, if the answer to its commit was lost. */
  async #endedBefore(sandboxId: string, track: string): Promise<EndedAllocation> {
    const ending = await endingOf(this.#parts.database, sandboxId, track);
    if (ending === undefined) throw sandboxNotFound();
    return { sandboxId, deletionRequestedAt: ending.at };
  }

  /**
   * Ends an allocation whose time is over.
   *
   * @returns false when it is no longer the one that was read
   * @throws CommitDeadlineError, or what the database throws
   */
  async expire(row: StoredSandbox, author: Author): Promise<boolean> {
    const deadline = new Deadline(this.#parts.clock, EXPIRY_DEADLINE_MS);
    return (await this.end(row, 'expire', author, deadline)) !== undefined;
  }

  /**
   * Ends the allocation that was read.
   *
   * @returns the row as it is afterwards; undefined when it is no longer that allocation: read it again
   * @throws CommitDeadlineError, or what the database throws
   */
  async end(
    row: StoredSandbox,
    ending: Ending,
    author: Author,
    deadline: Deadline,
  ): Promise<StoredSandbox | undefined> {
    const { clock, random, backoffBaseMs, backoffMaxMs } = this.#parts;
    let hasClaim = claimKeyOfRow(row) !== undefined;
    for (let held = 0; ; held += 1) {
      const now = unixSeconds(clock);
      const outcome = await this.#submit(row, ending, author, now, hasClaim, deadline);
      if (outcome.outcome === 'committed') {
        return { ...row, status: 'pending_deletion', deletionRequestedAt: now, updatedAt: now };
      }
      const [ofSandbox, ofClaim] = outcome.reasons;
      if (ofSandbox?.code === CONDITION_FAILED) return undefined;
      if (ofClaim?.code === CONDITION_FAILED) {
        // The previous broker's allocations have no claim until they are adopted, and adoption may be under way.
        hasClaim = !hasClaim;
        continue;
      }
      await clock.sleep(fullJitter(held, backoffBaseMs, backoffMaxMs, random));
      if (!deadline.wanted()) throw new CommitDeadlineError('The deadline passed while others held the row');
    }
  }

  #submit(
    row: StoredSandbox,
    ending: Ending,
    author: Author,
    now: number,
    hasClaim: boolean,
    deadline: Deadline,
  ): Promise<CommitOutcome> {
    const { database, shards, commits, clock, random } = this.#parts;
    const key = claimKeyOfRow(row);
    const writes: TransactWriteItem[] = [
      moveWrite(database, shards, row, 'pending_deletion', now, {
        deletion_requested_at: { N: String(now) },
        deletion_retry_count: { N: '0' },
      }),
    ];
    const itemNames = [sandboxKey(row.sandboxId).PK];
    if (key !== undefined) {
      writes.push(
        hasClaim ? claimEndWrite(database, key, row.sandboxId) : noClaimCheck(database, key, row.sandboxId),
      );
      itemNames.push(claimKey(key).PK);
    }
    writes.push(eventWrite(database, row, ending, 'pending_deletion', author, clock, random));
    return commits.submit({ writes, itemNames, deadline: deadline.at, wanted: deadline.wanted });
  }
}

export function sandboxNotFound(): BrokerError {
  return new BrokerError('SANDBOX_NOT_FOUND', 'There is no such sandbox');
}

/** Says nothing about whose it is. */
export function notSandboxOwner(): BrokerError {
  return new BrokerError('NOT_SANDBOX_OWNER', 'The sandbox is not allocated to this caller');
}
