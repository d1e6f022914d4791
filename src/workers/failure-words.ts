import { CspError } from '../csp/csp-error.ts';
import { isDatabaseUnavailable } from '../store/database-faults.ts';

/**
 * Why a run failed, for the job's row, which operators read over HTTP: in our own words, since those of an SDK or of
 * the network may hold hosts and requests. The error itself is in the log.
 */
export function failureWords(error: unknown): string {
  if (error instanceof CspError) return error.message;
  if (isDatabaseUnavailable(error)) return 'the database was not to be had; the log says more';
  return 'something unexpected went wrong; the log says what';
}
