/**
 * The longest wait that a `Retry-After` is believed for, in seconds. A maintenance page that names tomorrow must
 * not keep deletions waiting until then.
 */
export const RETRY_AFTER_MAX_SECONDS = 3600;

/**
 * Reads a `Retry-After` header in either of its forms (RFC 9110, 10.2.3): seconds, or an HTTP date.
 *
 * @param now Unix milliseconds, from which a date is counted
 * @returns whole seconds, rounded up, between 0 and `RETRY_AFTER_MAX_SECONDS`; undefined if it says nothing
 */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  const value = header?.trim();
  if (value === undefined || value === '') return undefined;
  if (/^\d+$/.test(value)) return Math.min(Number(value), RETRY_AFTER_MAX_SECONDS);
  // Date.parse takes much that is not an HTTP date, such as '-5' or '1.5', and asctime's form as local time.
  if (!/^[A-Z][a-z]{2,8}, .* GMT$/.test(value)) return undefined;
  const at = Date.parse(value);
  if (Number.isNaN(at)) return undefined;
  return Math.min(Math.max(0, Math.ceil((at - now) / 1000)), RETRY_AFTER_MAX_SECONDS);
}
