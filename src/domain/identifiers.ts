/**
 * The ids that callers choose: their own, the lab's, a name prefix, an idempotency key.
 * 1 to 256 characters of printable ASCII without spaces.
 */
export const IDENTIFIER_MAX_LENGTH = 256;
export const IDENTIFIER_PATTERN = /^[\x21-\x7e]{1,256}$/;

/** What a request id sent by a client must look like to be kept. */
export const REQUEST_ID_PATTERN = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * Who may hold one sandbox: a caller (`track`) and the `Idempotency-Key` that it sent, empty for none.
 *
 * A key that repeats the caller's id is the same as none. The previous broker stored the caller's id where
 * no key was sent, so its rows cannot tell the two apart, and one caller must not end with two sandboxes.
 */
export interface ClaimKey {
  readonly track: string;
  readonly idempotencyKey: string;
}

export function claimKeyOf(track: string, idempotencyKey: string | undefined): ClaimKey {
  return {
    track,
    idempotencyKey: idempotencyKey === undefined || idempotencyKey === track ? '' : idempotencyKey,
  };
}

/**
 * One string for a claim key, the same for two keys only if they are equal: ids hold no spaces, so the space
 * between them cannot be forged.
 */
export function claimKeyText(key: ClaimKey): string {
  return `${key.track} ${key.idempotencyKey}`;
}

/** What the sandbox row keeps as `idempotency_key`, in the previous broker's form. */
export function storedIdempotencyKey(key: ClaimKey): string {
  return key.idempotencyKey === '' ? key.track : key.idempotencyKey;
}
