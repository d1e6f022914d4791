/** So few may always go stale: a small pool would otherwise brake at every change. */
const ALWAYS_ALLOWED = 5;

export interface ListingComparison {
  /** Rows of the pool that are not on their way to their deletion. */
  readonly rows: number;
  /** Accounts in the listing. */
  readonly listed: number;
  /** Rows of the listing that could not be read. */
  readonly unreadable: number;
  /** Available rows of the pool. */
  readonly available: number;
  /** Those of them that the listing lacks. */
  readonly missing: number;
  readonly maxStalePercent: number;
}

/**
 * Whether a listing is to be believed when it says that sandboxes are gone (I9): an empty or a short one more
 * likely means that the provider is unwell. Nothing is lost by waiting for the next.
 *
 * @returns why it is not believed, or null
 */
export function staleBrake({
  rows,
  listed,
  unreadable,
  available,
  missing,
  maxStalePercent,
}: ListingComparison): string | null {
  // Also where nothing is available that it could stale: whoever removes stale rows goes by what is believed here.
  if (listed === 0 && rows > 0) return 'the listing is empty';
  if (missing === 0) return null;
  if (unreadable > 0) return `${unreadable} rows of the listing could not be read`;
  if (missing > ALWAYS_ALLOWED && missing * 100 > available * maxStalePercent) {
    return `the listing lacks ${missing} of ${available} available sandboxes, more than ${maxStalePercent} %`;
  }
  return null;
}
