import { randomUUID } from 'node:crypto';
import type { Dispatcher } from 'undici';
import type { Clock } from '../domain/clock.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import { connectionError } from './connection-error.ts';
import { blamesProvider, type CspCall, CspError } from './csp-error.ts';
import { ProviderAnswer } from './provider-answer.ts';
import type { CallOutcome, ProviderObserver } from './provider-observer.ts';

/**
 * The largest body that is read. A listing of 20,000 accounts has about 6 MB; a body without an end must not
 * fill the memory until the time is over.
 */
const BODY_MAX_BYTES = 64 * 1024 * 1024;

export interface ProviderTransportOptions {
  /** Origin and base path, such as `https://csp.infoblox.com/v2`. */
  readonly baseUrl: string;
  /** For the TCP and TLS handshakes. Milliseconds. */
  readonly connectTimeoutMs: number;
  /** From the beginning of a call to the last byte of its answer. Milliseconds. */
  readonly callTimeoutMs: number;
  readonly breaker: CircuitBreaker;
  readonly clock: Clock;
  readonly observer?: ProviderObserver | undefined;
  /** Carries the requests instead of a connection pool; whoever made it closes it. */
  readonly dispatcher?: Dispatcher | undefined;
  /** Makes the id of a call that was given none. */
  readonly newRequestId?: (() => string) | undefined;
}

/** What a caller says of a call. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Sent as `X-Request-ID`; made here where it is missing. */
  readonly requestId?: string | undefined;
}

export interface ProviderCall extends CallOptions {
  readonly call: CspCall;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Path and query below the base URL. */
  readonly path: string;
  /** The value of `Authorization`. */
  readonly authorization?: string | undefined;
  readonly json?: unknown;
  /** What must not appear in an error, whatever the answer repeats. */
  readonly secrets: readonly string[];
}

/**
 * One HTTP call to the provider: through the breaker, within its time, told to the observer, and answered by a
 * value or by a CspError. It never tries twice: a row keeps its attempts and their pace, and a second layer of
 * retries below it would multiply both.
 */
export class ProviderTransport {
  readonly origin: string;
  readonly basePath: string;
  readonly #options: ProviderTransportOptions;
  #dispatcher: Promise<Dispatcher> | undefined;

  constructor(options: ProviderTransportOptions) {
    const base = new URL(options.baseUrl);
    this.origin = base.origin;
    this.basePath = base.pathname.replace(/\/+$/, '');
    this.#options = options;
  }

  /** @param requestId kept where it is given, so that the calls of one run can be told by it */
  requestId(requestId: string | undefined): string {
    return requestId ?? (this.#options.newRequestId ?? randomUUID)();
  }

  /**
   * @param read makes the result of an answer, or throws the CspError that it deserves; runs before the breaker
   *   judges, so that a page of HTML counts like a 500
   * @throws CspError, or the reason of the caller's signal where that ended the call
   */
  async send<T>(call: ProviderCall, read: (answer: ProviderAnswer) => T): Promise<T> {
    call.signal?.throwIfAborted();
    const { breaker, clock } = this.#options;
    const requestId = this.requestId(call.requestId);
    const permit = breaker.enter();
    if (permit === null) {
      this.#tell(call, 'breaker_open', 0, null);
      throw new CspError({
        kind: 'breaker_open',
        call: call.call,
        reason: 'was not sent: the provider is unwell',
        requestId,
        retryAfterSeconds: Math.ceil(breaker.millisecondsUntilProbe() / 1000),
      });
    }
    const began = clock.monotonic();
    const seconds = () => (clock.monotonic() - began) / 1000;
    try {
      const answer = await this.#exchange(call, requestId);
      const result = read(answer);
      permit.succeeded();
      this.#tell(call, 'success', seconds(), answer.status);
      return result;
    } catch (error) {
      if (!(error instanceof CspError)) {
        permit.withdrawn();
        this.#tell(call, 'aborted', seconds(), null);
        throw error;
      }
      if (blamesProvider(error)) permit.failed(saidToStayAwayMs(error));
      else if (error.status === null) permit.withdrawn();
      else permit.succeeded();
      this.#tell(call, error.kind, seconds(), error.status);
      throw error;
    }
  }

  /** Ends what is under way. Whoever wants calls to finish awaits them first. */
  async close(): Promise<void> {
    if (this.#options.dispatcher === undefined) await (await this.#dispatcher)?.destroy();
  }

  /** With the first call, not before: loading the HTTP client takes a tenth of the time that a broker needs to start. */
  #connections(): Promise<Dispatcher> {
    const { dispatcher, connectTimeoutMs } = this.#options;
    this.#dispatcher ??= dispatcher
      ? Promise.resolve(dispatcher)
      : import('undici').then(
          ({ Pool }) =>
            new Pool(this.origin, {
              connectTimeout: connectTimeoutMs,
              // The deadline of the call covers both, on a clock that a test can hold.
              headersTimeout: 0,
              bodyTimeout: 0,
              maxResponseSize: BODY_MAX_BYTES,
              // What the simulator speaks, so that the tests run what production runs.
              allowH2: false,
            }),
        );
    return this.#dispatcher;
  }

  async #exchange(call: ProviderCall, requestId: string): Promise<ProviderAnswer> {
    const { clock, callTimeoutMs } = this.#options;
    const deadline = new AbortController();
    const cancelDeadline = clock.after(callTimeoutMs, () => deadline.abort());
    try {
      const connections = await this.#connections();
      const { statusCode, headers, body } = await connections.request({
        origin: this.origin,
        path: this.basePath + call.path,
        method: call.method,
        headers: {
          accept: 'application/json',
          'x-request-id': requestId,
          ...(call.authorization === undefined ? {} : { authorization: call.authorization }),
          ...(call.json === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: call.json === undefined ? null : JSON.stringify(call.json),
        signal: AbortSignal.any(call.signal ? [call.signal, deadline.signal] : [deadline.signal]),
      });
      return new ProviderAnswer({
        call: call.call,
        requestId,
        status: statusCode,
        headers,
        body: await body.text(),
        secrets: call.secrets,
        now: clock.now(),
      });
    } catch (error) {
      if (deadline.signal.aborted) {
        throw new CspError({
          kind: 'timeout',
          call: call.call,
          reason: `had no whole answer within ${callTimeoutMs} ms`,
          requestId,
        });
      }
      call.signal?.throwIfAborted();
      throw connectionError(call.call, requestId, error);
    } finally {
      cancelDeadline();
    }
  }

  #tell(call: ProviderCall, outcome: CallOutcome, seconds: number, status: number | null): void {
    this.#options.observer?.onCall?.({ call: call.call, outcome, seconds, status });
  }
}

/** 429 and 503 speak for the whole service; a `Retry-After` on another answer may be about one account. */
function saidToStayAwayMs(error: CspError): number | undefined {
  if (error.status !== 429 && error.status !== 503) return undefined;
  return error.retryAfterSeconds ? error.retryAfterSeconds * 1000 : undefined;
}
