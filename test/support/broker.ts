import { onTestFinished } from 'vitest';
import { buildApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import type { Overrides } from '../../src/container/table-access.ts';
import { type Container, createContainer } from '../../src/container.ts';
import { type BrokerProcess, startBrokerProcess } from '../../src/local/broker-process.ts';
import { createLogger } from '../../src/observability/logger.ts';
import type { Environment } from './table.ts';
import { watchedLog } from './watched-log.ts';

export interface TestBroker {
  readonly url: string;
  readonly container: Container;
  /** What it has logged, a line each. */
  readonly log: string[];
  /** From now on it behaves as during a stop. */
  beginStop(): void;
  close(): Promise<void>;
}

/** A broker in this process, listening on a free port. */
export async function startBroker(environment: Environment, overrides: Overrides = {}): Promise<TestBroker> {
  const config = readConfig(environment);
  const log: string[] = [];
  const watch = watchedLog(environment);
  const logger = createLogger(
    { level: config.LOG_LEVEL, format: 'json' },
    {
      write: (line) => {
        log.push(line);
        watch(line);
      },
    },
  );
  const container = createContainer(config, { logger, ...overrides });
  let stopping = false;
  const app = await buildApp(container, { isStopping: () => stopping });
  await container.secrets.start();
  // One whose database does not answer in the time that the test sets asks again with its first allocation.
  await container.adoption.refresh().catch(() => false);
  await app.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 });
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('The broker has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    container,
    log,
    beginStop: () => {
      stopping = true;
    },
    close: async () => {
      await container.stopJobs();
      await app.close();
      await container.close();
    },
  };
}

/** `startBroker` for one test, at whose end it is closed. */
export async function brokerOfTest(environment: Environment, overrides: Overrides = {}): Promise<TestBroker> {
  const broker = await startBroker(environment, overrides);
  onTestFinished(() => broker.close());
  return broker;
}

/** A broker as production runs it, in a process of its own, ended with the test. */
export async function brokerProcessOfTest(environment: Environment): Promise<BrokerProcess> {
  const broker = await startBrokerProcess(
    { PATH: process.env.PATH, ...environment },
    watchedLog(environment),
  );
  onTestFinished(async () => {
    // One that was paused would never hear the other signal.
    broker.process.kill('SIGCONT');
    broker.process.kill('SIGKILL');
    await broker.ended;
  });
  return broker;
}
