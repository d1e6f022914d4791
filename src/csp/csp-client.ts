import type { Dispatcher } from 'undici';
import type { Clock } from '../domain/clock.ts';
import { type BreakerState, CircuitBreaker } from './circuit-breaker.ts';
import { type CspListing, readListing } from './csp-account.ts';
import { CspError } from './csp-error.ts';
import { readDeletion } from './deletion-answer.ts';
import type { ProviderObserver } from './provider-observer.ts';
import { type CallOptions, ProviderTransport } from './provider-transport.ts';
import { readEveryPage } from './result-pages.ts';

export interface CspClientOptions {
  /** `https://csp.infoblox.com/v2` in production. */
  readonly baseUrl: string;
  /** Asked at every call, so that a rotated token is used at once. */
  readonly token: () => string;
  readonly connectTimeoutMs: number;
  /** For one call from beginning to end; each page of a listing is a call. A delete takes 5 to 10 s. */
  readonly callTimeoutMs: number;
  /** Consecutive failures that open the breaker, of lists and deletes together. */
  readonly breakerThreshold: number;
  readonly breakerOpenMs: number;
  readonly clock: Clock;
  readonly observer?: ProviderObserver | undefined;
  /** Carries the requests instead of a connection pool; whoever made it closes it. */
  readonly dispatcher?: Dispatcher | undefined;
  readonly newRequestId?: (() => string) | undefined;
}

/** The tenant that owns the sandboxes. Every method throws CspError, or the reason of an aborted signal. */
export interface CspClient {
  /** Every active sandbox account: the whole listing, or an error. */
  listSandboxes(options?: CallOptions): Promise<CspListing>;
  /** @param externalId the provider's id of the account, such as `identity/accounts/<uuid>` */
  deleteAccount(externalId: string, options?: CallOptions): Promise<'deleted' | 'already_gone'>;
  breakerState(): BreakerState;
  /** Ends calls that are under way; await them first. */
  close(): Promise<void>;
}

export function createCspClient(options: CspClientOptions): CspClient {
  const breaker = new CircuitBreaker({
    threshold: options.breakerThreshold,
    openMs: options.breakerOpenMs,
    clock: options.clock,
    onState: (state) => options.observer?.onBreaker?.('csp', state),
  });
  const transport = new ProviderTransport({ ...options, breaker });

  function credential(): { authorization: string; secrets: string[] } {
    const token = options.token();
    return { authorization: `Token ${token}`, secrets: [token] };
  }

  return {
    async listSandboxes({ signal, requestId: given } = {}) {
      const requestId = transport.requestId(given);
      const rows = await readEveryPage(transport, {
        call: 'list',
        path: '/current_user/accounts',
        ...credential(),
        signal,
        requestId,
      });
      const listing = readListing(rows);
      if (listing === null) {
        const reason = `has a listing of ${rows.length} rows none of which is an account`;
        throw new CspError({ kind: 'content', call: 'list', reason, requestId });
      }
      return listing;
    },

    async deleteAccount(externalId, { signal, requestId: given } = {}) {
      const requestId = transport.requestId(given);
      const segment = externalId.split('/').at(-1) ?? '';
      // '.' and '..' survive encoding and would make the path name every account, or none.
      if (segment === '' || segment === '.' || segment === '..') {
        const reason = 'was not sent: the external id does not end in the name of an account';
        throw new CspError({ kind: 'request', call: 'delete', reason, requestId });
      }
      return transport.send(
        {
          call: 'delete',
          method: 'DELETE',
          path: `/sandbox/accounts/${encodeURIComponent(segment)}`,
          ...credential(),
          signal,
          requestId,
        },
        readDeletion,
      );
    },

    breakerState: () => breaker.state(),
    close: () => transport.close(),
  };
}
