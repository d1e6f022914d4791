import type { Dispatcher } from 'undici';
import { z } from 'zod';
import type { Clock } from '../domain/clock.ts';
import { type BreakerState, CircuitBreaker } from './circuit-breaker.ts';
import { CspError } from './csp-error.ts';
import { readDeletion } from './deletion-answer.ts';
import { isRejectedToken, type NiosxaasCredentials, NiosxaasSession } from './niosxaas-session.ts';
import type { ProviderObserver } from './provider-observer.ts';
import { type CallOptions, ProviderTransport } from './provider-transport.ts';
import { readEveryPage } from './result-pages.ts';
import { redact } from './safe-excerpt.ts';

const SERVICES_PATH = '/api/universalinfra/v1/universalservices';

export interface NiosxaasClientOptions {
  readonly enabled: boolean;
  /** Lists, and deletes nothing. */
  readonly shadowMode: boolean;
  /** The origin: `https://csp.infoblox.com` in production. */
  readonly baseUrl: string;
  /** Asked at every use, so that rotated ones are used at once. */
  readonly credentials: () => NiosxaasCredentials;
  /** Services of exactly this name are deleted; all of them where it is empty. */
  readonly serviceName: string;
  readonly connectTimeoutMs: number;
  /** For one call from beginning to end. A clean-up makes three, and one more for each service. */
  readonly callTimeoutMs: number;
  readonly breakerThreshold: number;
  readonly breakerOpenMs: number;
  readonly clock: Clock;
  readonly observer?: ProviderObserver | undefined;
  /** Carries the requests instead of a connection pool; whoever made it closes it. */
  readonly dispatcher?: Dispatcher | undefined;
  readonly newRequestId?: (() => string) | undefined;
}

export interface NiosxaasService {
  readonly id: string;
  readonly name: string;
  readonly result: 'would_delete' | 'deleted' | 'already_gone' | 'failed';
}

/** What one clean-up did, fit to be kept as it is. Holds no credential. */
export interface NiosxaasCleanup {
  /**
   * `nothing`: no service of that name; `shadow`: there are some, and shadow mode left them; `failed`: a call
   * failed, and services may remain (those that went are counted).
   */
  readonly outcome: 'disabled' | 'shadow' | 'cleaned' | 'nothing' | 'failed';
  /** Services whose name matches. */
  readonly found: number;
  /** Gone after this clean-up, including those that were gone before their turn. */
  readonly deleted: number;
  readonly failed: number;
  readonly services: readonly NiosxaasService[];
  /** The first failure. */
  readonly error?: string;
}

export interface NiosxaasClient {
  /**
   * Removes the universal services of a tenant that is about to be deleted.
   *
   * Whatever the provider does is in the result, because no failure of this step may keep a sandbox from being
   * deleted. Throws only the reason of an aborted signal.
   */
  cleanUp(externalId: string, options?: CallOptions): Promise<NiosxaasCleanup>;
  breakerState(): BreakerState;
  close(): Promise<void>;
}

export function createNiosxaasClient(options: NiosxaasClientOptions): NiosxaasClient {
  const breaker = new CircuitBreaker({
    threshold: options.breakerThreshold,
    openMs: options.breakerOpenMs,
    clock: options.clock,
    onState: (state) => options.observer?.onBreaker?.('niosxaas', state),
  });
  const transport = new ProviderTransport({ ...options, breaker });
  const session = new NiosxaasSession(transport, options.credentials, options.clock);

  /** Calls with a tenant's token, and once more with a new one where it is rejected. */
  async function asTenant(externalId: string, callOptions: CallOptions) {
    let jwt = await session.enterTenant(externalId, callOptions);
    let renewed = false;
    return async <T>(
      send: (credential: { authorization: string; secrets: string[] }) => Promise<T>,
    ): Promise<T> => {
      const sendOnce = () => send({ authorization: `Bearer ${jwt}`, secrets: session.secrets(jwt) });
      try {
        return await sendOnce();
      } catch (error) {
        if (renewed || !isRejectedToken(error)) throw error;
        renewed = true;
        session.forget();
        jwt = await session.enterTenant(externalId, callOptions);
        return sendOnce();
      }
    };
  }

  async function cleanUp(
    externalId: string,
    callOptions: CallOptions & { readonly requestId: string },
  ): Promise<NiosxaasCleanup> {
    const call = await asTenant(externalId, callOptions);
    const rows = await call((credential) =>
      readEveryPage(transport, { ...callOptions, ...credential, call: 'niosxaas_list', path: SERVICES_PATH }),
    );
    const { matching, unreadable } = readServices(rows, options.serviceName);
    if (options.shadowMode) {
      const services = matching.map((service) => ({ ...service, result: 'would_delete' as const }));
      return summarize(matching.length === 0 ? 'nothing' : 'shadow', services, unreadable);
    }
    const services: NiosxaasService[] = [];
    let error: string | undefined;
    for (const service of matching) {
      try {
        const result = await call((credential) =>
          transport.send(
            {
              ...callOptions,
              ...credential,
              call: 'niosxaas_delete',
              method: 'DELETE',
              path: `${SERVICES_PATH}/${encodeURIComponent(service.id.split('/').at(-1) ?? '')}`,
            },
            readDeletion,
          ),
        );
        services.push({ ...service, result });
      } catch (failure) {
        if (!(failure instanceof CspError)) throw failure;
        error ??= failure.message;
        services.push({ ...service, result: 'failed' });
      }
    }
    return summarize(matching.length === 0 ? 'nothing' : 'cleaned', services, unreadable, error);
  }

  return {
    async cleanUp(externalId, { signal, requestId } = {}) {
      if (!options.enabled) return summarize('disabled', [], 0);
      signal?.throwIfAborted();
      const { email, password } = options.credentials();
      if (email === '' || password === '') {
        return summarize('failed', [], 0, 'NIOSXAAS_EMAIL and NIOSXAAS_PASSWORD are not both set');
      }
      try {
        return await cleanUp(externalId, { signal, requestId: transport.requestId(requestId) });
      } catch (failure) {
        signal?.throwIfAborted();
        const words = failure instanceof Error ? failure.message : String(failure);
        return summarize('failed', [], 0, redact(words, session.secrets()));
      }
    },
    breakerState: () => breaker.state(),
    close: () => transport.close(),
  };
}

const serviceSchema = z.object({ id: z.string().regex(/[^/.]$/), name: z.string() });

function readServices(rows: readonly unknown[], serviceName: string) {
  const matching: { id: string; name: string }[] = [];
  let unreadable = 0;
  for (const row of rows) {
    const service = serviceSchema.safeParse(row);
    if (!service.success) unreadable += 1;
    else if (serviceName === '' || service.data.name === serviceName) matching.push({ ...service.data });
  }
  return { matching, unreadable };
}

function summarize(
  outcome: NiosxaasCleanup['outcome'],
  services: readonly NiosxaasService[],
  unreadable: number,
  error?: string,
): NiosxaasCleanup {
  const deleted = services.filter(({ result }) => result === 'deleted' || result === 'already_gone').length;
  const failed = services.filter(({ result }) => result === 'failed').length;
  const words = error ?? (unreadable > 0 ? `${unreadable} services have no id or no name` : undefined);
  return {
    outcome: words === undefined ? outcome : 'failed',
    found: services.length,
    deleted,
    failed,
    services,
    ...(words === undefined ? {} : { error: words }),
  };
}
