import { z } from 'zod';

/** An account of the provider that belongs to the pool. */
export interface CspAccount {
  /** What the pool calls it. */
  readonly sandboxId: string;
  /** What the provider calls it, such as `identity/accounts/<uuid>`; its last segment names it in a delete. */
  readonly externalId: string;
  readonly name: string;
  /** Unix seconds. */
  readonly createdAt: number | null;
  readonly sfdcAccountId: string | null;
}

/** What decides whether a row concerns the pool at all. The tenant has accounts of other types and states. */
const membershipSchema = z.object({ account_type: z.string(), state: z.string() });

const accountSchema = z.object({
  id: z.string().trim().min(1),
  csp_id: z.union([z.number().int(), z.string().trim().min(1)]).nullish(),
  name: z.string().trim().min(1),
  created_at: z.string().nullish().catch(null),
  sfdc_account_id: z.string().nullish().catch(null),
});

/**
 * @returns the account; `elsewhere` for a row that does not concern the pool; `malformed` for one of which that
 *   cannot be said, or that lacks an id or a name
 */
export function readAccount(row: unknown): CspAccount | 'elsewhere' | 'malformed' {
  const membership = membershipSchema.safeParse(row);
  if (!membership.success) return 'malformed';
  if (membership.data.account_type !== 'sandbox' || membership.data.state !== 'active') return 'elsewhere';
  const account = accountSchema.safeParse(row);
  if (!account.success) return 'malformed';
  const { id, csp_id, name, created_at, sfdc_account_id } = account.data;
  return {
    sandboxId: csp_id === null || csp_id === undefined ? id : String(csp_id),
    externalId: id,
    name,
    createdAt: unixSecondsOf(created_at),
    sfdcAccountId: sfdc_account_id || null,
  };
}

function unixSecondsOf(timestamp: string | null | undefined): number | null {
  const milliseconds = Date.parse(timestamp ?? '');
  return Number.isNaN(milliseconds) ? null : Math.floor(milliseconds / 1000);
}

export interface CspListing {
  readonly accounts: readonly CspAccount[];
  /**
   * Rows that may belong to the pool and could not be read. A listing with such rows is a listing with holes:
   * what is in it may be added and updated, and nothing may be staled for not being in it.
   */
  readonly skipped: number;
}

/**
 * Splits the rows of a whole listing.
 *
 * A malformed row is counted, not an error: one account that the provider half knows would otherwise keep every
 * new sandbox out of the pool for as long as it lasts. It is not passed over either: its own sandbox would look
 * deleted and go stale. So `skipped` goes with the accounts and pulls the brake on staling alone, which is the
 * side on which waiting costs nothing.
 *
 * @returns null where there are rows and none can be read: then it is the shape that has changed
 */
export function readListing(rows: readonly unknown[]): CspListing | null {
  const accounts = new Map<string, CspAccount>();
  let malformed = 0;
  let skipped = 0;
  for (const row of rows) {
    const account = readAccount(row);
    if (account === 'elsewhere') continue;
    if (account === 'malformed') malformed += 1;
    // Two accounts under one id: which of them the pool holds cannot be told.
    else if (accounts.has(account.sandboxId)) skipped += 1;
    else accounts.set(account.sandboxId, account);
  }
  if (rows.length > 0 && malformed === rows.length) return null;
  return { accounts: [...accounts.values()], skipped: skipped + malformed };
}
