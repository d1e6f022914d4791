import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { type Clock, type Random, systemClock } from '../domain/clock.ts';
import { addControls } from './csp-simulator/controls.ts';
import { addCspEndpoints } from './csp-simulator/csp-endpoints.ts';
import { exchanges } from './csp-simulator/exchange.ts';
import { FaultBoard } from './csp-simulator/fault-board.ts';
import { addNiosxaasEndpoints } from './csp-simulator/niosxaas-endpoints.ts';
import { RequestLog } from './csp-simulator/request-log.ts';
import { seededRandom } from './csp-simulator/seeded-random.ts';
import { type SimulatorSettings, settingsSchema } from './csp-simulator/settings.ts';
import { type SimulatedAccount, SimulatedAccounts } from './csp-simulator/simulated-accounts.ts';

export interface CspSimulatorOptions {
  /** 0, the default, for one that is free. */
  readonly port?: number;
  readonly host?: string;
  /** How many to make, or the accounts of an earlier run as `accounts.all()` gave them. */
  readonly accounts?: number | Iterable<SimulatedAccount>;
  /** Of delays, lingering, bursts and tokens. */
  readonly clock?: Clock;
  /** Of ids, probabilities and the spread of delays. */
  readonly random?: Random;
  readonly token?: string;
  readonly niosxaas?: { readonly email: string; readonly password: string };
  readonly settings?: Partial<SimulatorSettings>;
}

export interface CspSimulator {
  /** The origin; `NIOSXAAS_BASE_URL`. */
  readonly url: string;
  /** `CSP_BASE_URL`. */
  readonly baseUrl: string;
  readonly port: number;
  readonly token: string;
  readonly niosxaas: { readonly email: string; readonly password: string };
  readonly accounts: SimulatedAccounts;
  readonly faults: FaultBoard;
  readonly log: RequestLog;
  readonly settings: Readonly<SimulatorSettings>;
  /** Changes those that are named. @throws ZodError for one that is not valid */
  configure(changes: Partial<SimulatorSettings>): void;
  /** Ends the requests that hang, too. */
  close(): Promise<void>;
}

/** Starts a server that behaves as the CSP and its NIOSXaaS endpoints were seen to. */
export async function startCspSimulator(options: CspSimulatorOptions = {}): Promise<CspSimulator> {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? seededRandom(1);
  const token = options.token ?? 'simulated-csp-token';
  const niosxaas = options.niosxaas ?? { email: 'broker@simulator.invalid', password: 'simulated-password' };
  let settings = settingsSchema.parse(options.settings ?? {});
  const configure = (changes: Partial<SimulatorSettings>) => {
    settings = settingsSchema.parse({ ...settings, ...changes });
  };

  const accounts = new SimulatedAccounts(clock, random, () => settings);
  if (typeof options.accounts === 'number') accounts.create({ count: options.accounts });
  else accounts.add(options.accounts ?? []);
  const faults = new FaultBoard(clock, random);
  const log = new RequestLog();
  const closing = new AbortController();
  const exchange = exchanges({ clock, faults, log, closing: closing.signal });

  const server = Fastify({ forceCloseConnections: true, bodyLimit: 1024 * 1024 });
  // Whatever type curl gives a body by default: it is JSON here.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? null : JSON.parse(body.toString()));
    } catch {
      done(Object.assign(new Error('The body is not JSON'), { statusCode: 400 }));
    }
  });
  const shared = { accounts, settings: () => settings, clock, exchange };
  addCspEndpoints(server, { ...shared, token, random, closing: closing.signal });
  addNiosxaasEndpoints(server, { ...shared, credentials: niosxaas });
  addControls(server, { accounts, faults, log, settings: () => settings, configure, token });

  await server.listen({ port: options.port ?? 0, host: options.host ?? '127.0.0.1' });
  const { port, address, family } = server.server.address() as AddressInfo;
  const reachable = ['0.0.0.0', '::'].includes(address) ? '127.0.0.1' : address;
  const url = `http://${family === 'IPv6' && reachable !== '127.0.0.1' ? `[${reachable}]` : reachable}:${port}`;

  return {
    url,
    baseUrl: `${url}/v2`,
    port,
    token,
    niosxaas,
    accounts,
    faults,
    log,
    get settings() {
      return settings;
    },
    configure,
    close: async () => {
      closing.abort();
      await server.close();
    },
  };
}
