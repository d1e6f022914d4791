import type { CspAccount, CspListing } from '../csp/csp-account.ts';
import type { StoredSandbox } from '../store/sandbox-row.ts';

export interface Matched {
  readonly account: CspAccount;
  readonly row: StoredSandbox | undefined;
}

/**
 * Finds each account's row, by the provider's own id too: an account whose `csp_id` a listing omits, and one that gets
 * one later, would otherwise be a second sandbox (I1). One without `csp_id` that has no row, in a pool whose rows go by
 * theirs, cannot be told from one that was used and deleted under its `csp_id`: it is not taken in.
 *
 * @returns the accounts that are to be taken in, with their rows; how many were not readable so
 */
export function matchListing(
  { accounts, skipped }: CspListing,
  pool: ReadonlyMap<string, StoredSandbox>,
): { accounts: Matched[]; unreadable: number } {
  const rows = [...pool.values()];
  const byExternalId = new Map(rows.map((row) => [row.externalId, row]));
  const goesByCspId = rows.some((row) => row.sandboxId !== row.externalId);
  const all = accounts.map((account) => ({
    account,
    row: pool.get(account.sandboxId) ?? byExternalId.get(account.externalId),
  }));
  const known = all.filter(
    ({ account, row }) => row !== undefined || !goesByCspId || account.sandboxId !== account.externalId,
  );
  return { accounts: known, unreadable: skipped + all.length - known.length };
}
