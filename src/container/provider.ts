import type { Config } from '../config.ts';
import { type CspClient, createCspClient } from '../csp/csp-client.ts';
import { createNiosxaasClient, type NiosxaasClient } from '../csp/niosxaas-client.ts';
import type { Clock } from '../domain/clock.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Secrets } from './secrets.ts';

export interface Provider {
  /** Undefined without a token: then nothing can be asked of the provider. */
  readonly csp: CspClient | undefined;
  readonly niosxaas: NiosxaasClient;
}

/** The clients of the provider's APIs, as configured. */
export function openProvider(config: Config, clock: Clock, metrics: Metrics, secrets: Secrets): Provider {
  const common = {
    connectTimeoutMs: config.CSP_TIMEOUT_CONNECT_SEC * 1000,
    breakerThreshold: config.CIRCUIT_BREAKER_THRESHOLD,
    breakerOpenMs: config.CIRCUIT_BREAKER_TIMEOUT_SEC * 1000,
    clock,
    observer: metrics.providerObserver,
  };
  const token = secrets.cspToken;
  return {
    csp:
      token === undefined
        ? undefined
        : createCspClient({
            ...common,
            baseUrl: config.CSP_BASE_URL,
            token,
            callTimeoutMs: (config.CSP_TIMEOUT_CONNECT_SEC + config.CSP_TIMEOUT_READ_SEC) * 1000,
          }),
    niosxaas: createNiosxaasClient({
      ...common,
      enabled: config.NIOSXAAS_ENABLED,
      shadowMode: config.NIOSXAAS_SHADOW_MODE,
      baseUrl: config.NIOSXAAS_BASE_URL,
      credentials: () => ({ email: config.NIOSXAAS_EMAIL ?? '', password: secrets.niosxaasPassword() }),
      serviceName: config.NIOSXAAS_SERVICE_NAME,
      callTimeoutMs: config.NIOSXAAS_TIMEOUT_SEC * 1000,
    }),
  };
}
