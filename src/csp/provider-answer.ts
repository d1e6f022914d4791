import type { CspCall, CspErrorKind } from './csp-error.ts';
import { CspError } from './csp-error.ts';
import { parseRetryAfter } from './retry-after.ts';
import { redact, safeExcerpt } from './safe-excerpt.ts';

export interface ProviderAnswerFields {
  readonly call: CspCall;
  readonly requestId: string;
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
  /** What must not appear in an error, whatever the body repeats. */
  readonly secrets: readonly string[];
  /** Unix milliseconds at which the answer came, from which a date in `Retry-After` is counted. */
  readonly now: number;
}

/** Where providers and what stands before them put the id of a request. */
const REQUEST_ID_HEADERS = ['x-request-id', 'request-id', 'x-amzn-requestid'];

/** An answer that arrived whole, whatever its status, and the errors that can be made of it. */
export class ProviderAnswer {
  readonly status: number;
  readonly body: string;
  readonly #fields: ProviderAnswerFields;

  constructor(fields: ProviderAnswerFields) {
    this.status = fields.status;
    this.body = fields.body;
    this.#fields = fields;
  }

  /** Whether it is a page for people: from a gateway or a maintenance host, not from the API. */
  isHtml(): boolean {
    return /\bhtml\b/i.test(this.#contentType()) || /^\s*<(!doctype|html)/i.test(this.body);
  }

  /** @throws CspError `content` where the answer does not say that it is JSON, or is not */
  json(): unknown {
    const contentType = this.#contentType();
    if (!/^application\/(json|[\w.-]+\+json)\s*(;|$)/i.test(contentType)) {
      throw this.contentError(`answered ${this.status} with ${describeType(contentType)} where JSON was due`);
    }
    try {
      return JSON.parse(this.body);
    } catch {
      // Without the body's words: what was cut off is somebody's listing.
      throw this.#error('content', `answered ${this.status} with JSON that does not parse`, undefined);
    }
  }

  /** The answer is not one that the call knows: 401, 403, 429 or any other status. */
  statusError(): CspError {
    const kind =
      this.status === 401 || this.status === 403
        ? 'unauthorized'
        : this.status === 429
          ? 'rate_limited'
          : 'status';
    return this.#error(kind, `answered ${this.status}`, this.#excerpt());
  }

  /** The status is good and the content is not. */
  contentError(reason: string): CspError {
    return this.#error('content', reason, this.isHtml() ? this.#excerpt() : undefined);
  }

  #error(kind: CspErrorKind, reason: string, excerpt: string | undefined): CspError {
    return new CspError({
      kind,
      call: this.#fields.call,
      reason,
      requestId: this.#fields.requestId,
      status: this.status,
      providerRequestId: this.#providerRequestId(),
      retryAfterSeconds: parseRetryAfter(this.#header('retry-after'), this.#fields.now),
      excerpt,
    });
  }

  #excerpt(): string | undefined {
    return safeExcerpt(this.body, this.#fields.secrets);
  }

  #providerRequestId(): string | undefined {
    for (const name of REQUEST_ID_HEADERS) {
      const value = this.#header(name);
      if (value !== undefined && /^[\x21-\x7e]{1,128}$/.test(value))
        return redact(value, this.#fields.secrets);
    }
    return undefined;
  }

  #contentType(): string {
    return this.#header('content-type') ?? '';
  }

  #header(name: string): string | undefined {
    const value = this.#fields.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }
}

/** The media type alone: parameters and whatever else stands in the header are the sender's own words. */
function describeType(contentType: string): string {
  const type = /^[\w.+-]+\/[\w.+-]+/.exec(contentType)?.[0];
  return type === undefined ? 'no content type' : type.slice(0, 60);
}
