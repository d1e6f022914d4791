import type { FastifyInstance } from 'fastify';
import { buildApp } from '../../src/app.ts';
import type { Config } from '../../src/config.ts';
import { createContainer } from '../../src/container.ts';
import type { Clock, Random } from '../../src/domain/clock.ts';
import type { CspSimulator } from '../../src/local/csp-simulator.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import type { Database } from '../../src/store/database.ts';
import { Gate } from './gate.ts';
import { ProcessClock } from './process-clock.ts';
import { startProviderGate } from './provider-gate.ts';

export interface Reply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  readonly body: any;
}

/** The series of a process: thousands of brokers come and go in this one. */
const metrics = createMetrics();
const logger = createLogger({ level: 'silent', format: 'json' });

/** A whole broker, but in this process, and behind a gate. */
export class GatedBroker {
  readonly name: string;
  readonly clock: ProcessClock;
  readonly gate: Gate;
  readonly #app: FastifyInstance;
  readonly #close: () => Promise<void>;

  private constructor(
    name: string,
    clock: ProcessClock,
    gate: Gate,
    app: FastifyInstance,
    close: () => Promise<void>,
  ) {
    this.name = name;
    this.clock = clock;
    this.gate = gate;
    this.#app = app;
    this.#close = close;
  }

  static async start(
    name: string,
    parts: {
      config: Config;
      database: Database;
      time: Clock;
      skewMs: number;
      random: Random;
      simulator: CspSimulator;
    },
  ): Promise<GatedBroker> {
    const gate = new Gate();
    const clock = new ProcessClock(parts.time, parts.skewMs);
    const provider = await startProviderGate(gate, parts.simulator.url);
    const config = {
      ...parts.config,
      CSP_BASE_URL: `${provider.url}/v2`,
      NIOSXAAS_BASE_URL: provider.url,
    };
    const database = gate.guard(parts.database);
    const container = createContainer(config, { clock, random: parts.random, database, logger, metrics });
    await container.adoption.refresh();
    const app = await buildApp(container, { isStopping: () => false });
    await app.ready();
    return new GatedBroker(name, clock, gate, app, async () => {
      clock.end();
      await app.close();
      await container.close();
      provider.close();
    });
  }

  get now(): number {
    return Math.floor(this.clock.now() / 1000);
  }

  async call(
    method: 'GET' | 'POST',
    path: string,
    headers: Record<string, string>,
    body?: Record<string, unknown>,
  ): Promise<Reply> {
    const reply = await this.#app.inject({
      method,
      url: `/v1${path}`,
      headers,
      ...(body === undefined ? {} : { payload: body }),
    });
    return { status: reply.statusCode, body: reply.body === '' ? undefined : reply.json() };
  }

  /** It does nothing any more, and is forgotten as it stands. */
  close(): Promise<void> {
    return this.#close();
  }
}
