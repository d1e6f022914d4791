import type { CspError } from '../csp/csp-error.ts';
import type { Random } from '../domain/clock.ts';

/** Waits after a row's first, second, ... failure, in seconds; the last one repeats. Longer than a bad quarter of an hour. */
const WAITS = [5 * 60, 60 * 60, 4 * 60 * 60];
/** After a failure that spent no attempt: soon, since it says little. Seconds. */
const UNSPENT_WAIT = 5 * 60;

export interface RetryDecision {
  /** Attempts spent by now. */
  readonly attempts: number;
  /** Seconds until the next try. */
  readonly waitSeconds: number;
  /** The row is given up, for an operator to see. */
  readonly final: boolean;
}

/**
 * What a failed deletion costs its row.
 *
 * The last attempt is spent only when it is known to be the account that fails and not the provider: an outage
 * must never turn pending deletions into failed ones (I9), however long it lasts, while an account that alone
 * cannot be deleted must end where an operator sees it (I4).
 *
 * @param attempts spent before
 * @param byItself whether it is known to be this account alone that fails
 */
export function decideRetry(
  error: CspError,
  attempts: number,
  maxAttempts: number,
  byItself: boolean,
  random: Random,
): RetryDecision {
  // A refused credential is no fault of the row: it waits, so that it is not the first in every run.
  // Whatever its status: a gateway that answers for the provider says 400 or 409 to everything, too. Only what could
  // not be sent is the row's own fault by nature.
  const isOwnFault = byItself || error.kind === 'request';
  const spends = error.kind !== 'unauthorized' && (attempts + 1 < maxAttempts || isOwnFault);
  const spent = spends ? attempts + 1 : attempts;
  const wait = spends ? (WAITS[Math.min(attempts, WAITS.length - 1)] as number) : UNSPENT_WAIT;
  // Half of it fixed, half of it random: those that failed together do not come back together.
  const jittered = wait / 2 + (wait / 2) * random();
  return {
    attempts: spent,
    waitSeconds: Math.ceil(Math.max(jittered, error.retryAfterSeconds ?? 0)),
    final: spends && spent >= maxAttempts,
  };
}
