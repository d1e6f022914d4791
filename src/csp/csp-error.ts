/** Every call that goes to the provider, by the name that metrics and messages give it. */
export type CspCall =
  | 'list'
  | 'delete'
  | 'niosxaas_sign_in'
  | 'niosxaas_switch'
  | 'niosxaas_list'
  | 'niosxaas_delete';

export type CspErrorKind =
  /** No connection, or no whole answer, in the time allowed. */
  | 'timeout'
  /** The connection was refused, reset or cut. */
  | 'network'
  /** An answer whose status the call does not expect. */
  | 'status'
  /** A good status whose content is not what the call answers: HTML, cut JSON, no results, a page missing. */
  | 'content'
  /** 401 or 403: the credential is wrong, and no other row will fare better. */
  | 'unauthorized'
  /** 429. */
  | 'rate_limited'
  /** Not sent: the breaker is open. Says nothing about the row it was for. */
  | 'breaker_open'
  /** Not sent: the call cannot be made from what was given. */
  | 'request';

export interface CspErrorFields {
  readonly kind: CspErrorKind;
  readonly call: CspCall;
  /** What went wrong, in words that hold nothing of the credential. */
  readonly reason: string;
  /** The id that went with the request as `X-Request-ID`. */
  readonly requestId: string;
  readonly status?: number | undefined;
  readonly providerRequestId?: string | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly excerpt?: string | undefined;
}

/**
 * A call to the provider that failed: which call, with what status, for which request.
 *
 * It carries no `cause`: the errors of an HTTP library can hold the request, and with it the token, and loggers
 * print causes. What matters of one (its code) is in `reason`.
 */
export class CspError extends Error {
  readonly kind: CspErrorKind;
  readonly call: CspCall;
  readonly status: number | null;
  readonly requestId: string;
  /** What the provider called the request, if it said. */
  readonly providerRequestId: string | null;
  /** Whole seconds, counted from the answer; null where the provider named none. */
  readonly retryAfterSeconds: number | null;
  /** What the body said: a JSON message, the title of a page or its first words. */
  readonly excerpt: string | null;

  constructor(fields: CspErrorFields) {
    super(messageOf(fields));
    this.name = 'CspError';
    this.kind = fields.kind;
    this.call = fields.call;
    this.status = fields.status ?? null;
    this.requestId = fields.requestId;
    this.providerRequestId = fields.providerRequestId ?? null;
    this.retryAfterSeconds = fields.retryAfterSeconds ?? null;
    this.excerpt = fields.excerpt ?? null;
  }
}

/**
 * Whether an error says that the provider is unwell, which is what a breaker counts.
 *
 * A wrong credential (401, 403), a wrong request (other 4xx) and an account that is gone are answers of a provider
 * that is well. A redirect, or a success of another kind than the documented one, comes from something in front
 * of it.
 */
export function blamesProvider(error: CspError): boolean {
  switch (error.kind) {
    case 'timeout':
    case 'network':
    case 'content':
    case 'rate_limited':
      return true;
    case 'status':
      return error.status === null || error.status < 400 || error.status === 408 || error.status >= 500;
    case 'unauthorized':
    case 'breaker_open':
    case 'request':
      return false;
  }
}

function messageOf(fields: CspErrorFields): string {
  const ids =
    fields.providerRequestId === undefined || fields.providerRequestId === fields.requestId
      ? `request ${fields.requestId}`
      : `request ${fields.requestId}, the provider's ${fields.providerRequestId}`;
  const said = fields.excerpt === undefined ? '' : `: ${fields.excerpt}`;
  return `CSP ${fields.call} ${fields.reason} (${ids})${said}`;
}
