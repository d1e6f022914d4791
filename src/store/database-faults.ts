/**
 * What a failed call says about whether it took effect, which decides what may be done next:
 *
 * - `refused`: it did not run and will not; the database asks for fewer calls (throttling, conflicts).
 * - `unsettled`: nobody knows whether it ran (a time-out, a reset, a 5xx, a transaction still under way) or
 *   the database cannot be reached. Only the same call under the same token may follow.
 * - `wrong`: the call itself is at fault (validation, permissions, a missing table); repeating it is useless.
 */
export type DatabaseFault = 'refused' | 'unsettled' | 'wrong';

const REFUSED = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'ThrottledException',
  'RequestLimitExceeded',
  'TransactionConflictException',
  'LimitExceededException',
]);

const UNSETTLED = new Set([
  'TimeoutError',
  'AbortError',
  'RequestTimeout',
  'RequestTimeoutException',
  'InternalServerError',
  'InternalServerErrorException',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'TransactionInProgressException',
  'ReplicatedWriteConflictException',
]);

/** @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html */
export function databaseFault(error: unknown): DatabaseFault {
  if (!(error instanceof Error)) return 'wrong';
  if (REFUSED.has(error.name)) return 'refused';
  if (UNSETTLED.has(error.name)) return 'unsettled';
  const { code, $metadata } = error as { code?: unknown; $metadata?: { httpStatusCode?: number } };
  // Node's own errors of the network (ECONNREFUSED, ECONNRESET, EPIPE, ENOTFOUND, EAI_AGAIN, ...).
  if (typeof code === 'string' && /^E[A-Z_]+$/.test(code) && !code.startsWith('ERR_')) return 'unsettled';
  const status = $metadata?.httpStatusCode;
  if (status !== undefined) return status >= 500 ? 'unsettled' : 'wrong';
  // An answer that could not be parsed: the connection broke in the middle of it.
  return error instanceof SyntaxError || /socket hang up|aborted|premature/i.test(error.message)
    ? 'unsettled'
    : 'wrong';
}

/** True when the caller should hear that the database is not to be had just now, rather than of a defect. */
export function isDatabaseUnavailable(error: unknown): boolean {
  return databaseFault(error) !== 'wrong';
}
