import { onTestFinished } from 'vitest';
import type { BreakerState } from '../../src/csp/circuit-breaker.ts';
import { type CspClient, type CspClientOptions, createCspClient } from '../../src/csp/csp-client.ts';
import { CspError } from '../../src/csp/csp-error.ts';
import {
  createNiosxaasClient,
  type NiosxaasClient,
  type NiosxaasClientOptions,
} from '../../src/csp/niosxaas-client.ts';
import type { ProviderObserver } from '../../src/csp/provider-observer.ts';
import {
  type CspSimulator,
  type CspSimulatorOptions,
  startCspSimulator,
} from '../../src/local/csp-simulator.ts';
import { ManualClock } from './manual-clock.ts';

type ObservedCall = Parameters<NonNullable<ProviderObserver['onCall']>>[0];

/** Keeps what it is told. */
export class RecordingObserver implements ProviderObserver {
  readonly calls: ObservedCall[] = [];
  readonly breaker: BreakerState[] = [];

  onCall(call: ObservedCall): void {
    this.calls.push(call);
  }

  onBreaker(_name: string, state: BreakerState): void {
    this.breaker.push(state);
  }
}

export interface SimulatedCsp {
  readonly simulator: CspSimulator;
  readonly client: CspClient;
  /** Of the simulator and of the client. It stands still: a call ends in a time-out when the test says so. */
  readonly clock: ManualClock;
  readonly observer: RecordingObserver;
}

/** A simulator and a client of it, closed at the end of the test. */
export async function startSimulatedCsp(
  simulatorOptions: CspSimulatorOptions = {},
  clientOptions: Partial<CspClientOptions> = {},
): Promise<SimulatedCsp> {
  const clock = new ManualClock();
  const observer = new RecordingObserver();
  const simulator = await startSimulator({ clock, accounts: 3, ...simulatorOptions });
  const client = openClient({
    baseUrl: simulator.baseUrl,
    token: () => simulator.token,
    clock,
    observer,
    ...clientOptions,
  });
  return { simulator, client, clock, observer };
}

export async function startSimulator(options: CspSimulatorOptions): Promise<CspSimulator> {
  const simulator = await startCspSimulator(options);
  onTestFinished(() => simulator.close());
  return simulator;
}

/** With the times and the threshold of a default installation. */
export function openClient(
  options: Partial<CspClientOptions> & Pick<CspClientOptions, 'baseUrl' | 'clock'>,
): CspClient {
  const client = createCspClient({
    token: () => 'token-of-a-test',
    connectTimeoutMs: 5_000,
    callTimeoutMs: 15_000,
    breakerThreshold: 5,
    breakerOpenMs: 60_000,
    ...options,
  });
  onTestFinished(() => client.close());
  return client;
}

export function openNiosxaasClient(
  { simulator, clock, observer }: Pick<SimulatedCsp, 'simulator' | 'clock' | 'observer'>,
  options: Partial<NiosxaasClientOptions> = {},
): NiosxaasClient {
  const client = createNiosxaasClient({
    enabled: true,
    shadowMode: false,
    baseUrl: simulator.url,
    credentials: () => simulator.niosxaas,
    serviceName: '',
    connectTimeoutMs: 5_000,
    callTimeoutMs: 30_000,
    breakerThreshold: 5,
    breakerOpenMs: 60_000,
    clock,
    observer,
    ...options,
  });
  onTestFinished(() => client.close());
  return client;
}

/** The CspError that a call ends in. */
export async function failureOf(call: Promise<unknown>): Promise<CspError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof CspError) return error;
    throw error;
  }
  throw new Error('The call succeeded where it was to fail');
}
