import type { JobNotes } from '../store/job-rows.ts';

const NOBODY = '';
/** No sandbox has this id. */
const SEVERAL = '*';

/**
 * So long an account must have failed alone before it is held to be its own fault, in seconds: outages of a quarter
 * of an hour are on record.
 */
const LONG_ALONE = 3_600;

/**
 * So many accounts that are still listed may be said to be gone (404) between two true deletions: one that was
 * deleted behind a lost answer is listed for a while. More than that is something that knows of no account.
 */
const MAX_GONE_AND_LISTED = 2;

/** Accounts that are watched at once. One that falls out of the list is watched from its next failure on. */
const MAX_WATCHED = 100;

/**
 * What deletions of late say: is it the provider that is unwell, or one account that cannot be deleted?
 *
 * Only deletions are signs: in the incident on record listings came while no deletion succeeded. And one sign is
 * none: an outage begins between somebody's success and somebody's failure, too. So an account is held to be its
 * own fault when it failed, others were deleted, and it failed again; or when nobody else was there to be deleted,
 * for long.
 *
 * It travels from run to run in the job's memory, because rows that have failed come back in different runs.
 */
export class DeletionSigns {
  #lastSuccessAt: number;
  /** Those that have failed their last attempt after others had been deleted. */
  readonly #watched: Set<string>;
  /** The only one that has failed since anyone's last success; one that fails on while others go stays it. */
  #suspect: string;
  #suspectSince: number;
  /** Accounts that were believed to be gone, and were still listed, since the provider deleted any. */
  #goneAndListed: number;

  /** @param now Unix seconds, by the clock of the process whose run this is */
  constructor(memory: JobNotes, now: number) {
    // A process whose clock is ahead may have remembered a time that has not come yet: every failure of an outage
    // would look as if somebody had been deleted since the one before.
    this.#lastSuccessAt = Math.min(Number(memory.last_deletion_at ?? 0), now);
    this.#watched = new Set(textOf(memory.watched_deletions).split(' ').filter(Boolean));
    this.#suspect = textOf(memory.deletion_suspect);
    this.#suspectSince = Number(memory.deletion_suspect_since ?? Infinity);
    this.#goneAndListed = Number(memory.gone_and_listed ?? 0);
  }

  /** @param now Unix seconds */
  succeeded(sandboxId: string, now: number): void {
    this.#lastSuccessAt = now;
    this.#watched.delete(sandboxId);
    if (this.#suspect === SEVERAL || this.#suspect === sandboxId) this.#suspect = NOBODY;
  }

  /**
   * @param previous when it failed before, or was released. Unix seconds
   * @param isLast whether it was its last attempt
   * @returns whether others were deleted between each of its last failures
   */
  failed(sandboxId: string, previous: number, isLast: boolean, now: number): boolean {
    if (this.#suspect === NOBODY) {
      this.#suspect = sandboxId;
      this.#suspectSince = now;
    } else if (this.#suspect !== sandboxId) {
      this.#suspect = SEVERAL;
    }
    if (!isLast || this.#lastSuccessAt <= previous) return false;
    if (this.#watched.has(sandboxId)) return true;
    this.#watched.add(sandboxId);
    return false;
  }

  /** The provider deleted an account at this call, so it is one that knows accounts. */
  carriedOut(): void {
    this.#goneAndListed = 0;
  }

  /** Whether an account that the provider says is gone, and lists, may be believed to be gone. */
  believesGoneAndListed(): boolean {
    if (this.#goneAndListed >= MAX_GONE_AND_LISTED) return false;
    this.#goneAndListed += 1;
    return true;
  }

  /** It has failed for long, and nobody else has meanwhile. */
  failsAlone(sandboxId: string, now: number): boolean {
    return this.#suspect === sandboxId && now - this.#suspectSince >= LONG_ALONE;
  }

  /** It is not tried any more: whoever fails next is looked at anew. */
  gaveUp(sandboxId: string): void {
    this.#watched.delete(sandboxId);
    if (this.#suspect === sandboxId) this.#suspect = NOBODY;
  }

  get memory(): JobNotes {
    return {
      last_deletion_at: this.#lastSuccessAt,
      watched_deletions: [...this.#watched].slice(-MAX_WATCHED).join(' '),
      deletion_suspect: this.#suspect,
      gone_and_listed: this.#goneAndListed,
      deletion_suspect_since: this.#suspect === NOBODY ? null : this.#suspectSince,
    };
  }
}

function textOf(value: JobNotes[string] | undefined): string {
  return typeof value === 'string' ? value : '';
}
