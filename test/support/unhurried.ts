/**
 * For tests of what happens and not of how fast: on a machine that does ten things at once a request may take long,
 * and is answered all the same.
 */
export const UNHURRIED = {
  REQUEST_DEADLINE_MS: '60000',
  DDB_TIMEOUT_CONNECT_MS: '30000',
  DDB_TIMEOUT_REQUEST_MS: '30000',
};
