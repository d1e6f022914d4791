import type { Logger } from 'pino';
import type { Dispatcher } from 'undici';
import { Deadline } from '../../../src/allocation/deadline.ts';
import type { OperatorMove } from '../../../src/allocation/operator-moves.ts';
import type { Config } from '../../../src/config.ts';
import { type Container, createContainer } from '../../../src/container.ts';
import { createCspClient } from '../../../src/csp/csp-client.ts';
import { CspError } from '../../../src/csp/csp-error.ts';
import { createNiosxaasClient } from '../../../src/csp/niosxaas-client.ts';
import { createMetrics } from '../../../src/observability/metrics.ts';
import type { Database } from '../../../src/store/database.ts';
import { databaseFault } from '../../../src/store/database-faults.ts';
import type { JobInput, JobName } from '../../../src/workers/job.ts';
import type { Answers } from '../checker/answers.ts';
import type { LeaseChecker } from '../checker/lease-checker.ts';
import type { SimulatedProcess } from './process.ts';
import type { Randomness } from './randomness.ts';
import type { Violations } from './violations.ts';

/** One registry for all: metrics are counted and looked at by nobody. */
const metrics = createMetrics();

export interface BrokerParts {
  readonly process: SimulatedProcess;
  readonly config: Config;
  readonly database: Database;
  readonly dispatcher: Dispatcher;
  readonly random: Randomness;
  readonly answers: Answers;
  /** Watches that a job has one runner; undefined in worlds whose time does not pass evenly. */
  readonly leases?: LeaseChecker;
  readonly violations: Violations;
  /** Runs that an operator forced past their brakes; added to here. */
  readonly forcedRuns: Set<string>;
}

/** What a process does beside answering. */
export interface BrokerRole {
  readonly jobs: boolean;
  /** Whether it shows others that it is there, every few seconds. */
  readonly neighbours: boolean;
}

export interface AllocateRequest {
  readonly track: string;
  readonly idempotencyKey?: string | undefined;
  readonly namePrefix?: string | undefined;
}

/** What a client sees of an answer. */
export type Reply =
  | { readonly status: 'ok'; readonly sandboxId: string; readonly replayed?: boolean }
  | { readonly status: 'refused'; readonly code: string };

/** The broker's own code in one process: everything of production but its HTTP routes, and the network below it. */
export class Broker {
  readonly process: SimulatedProcess;
  readonly #container: Container;
  readonly #parts: BrokerParts;

  constructor(parts: BrokerParts) {
    this.process = parts.process;
    this.#parts = parts;
    const { process, config, database, random, dispatcher } = parts;
    const common = {
      clock: process,
      dispatcher,
      connectTimeoutMs: 5_000,
      breakerThreshold: config.CIRCUIT_BREAKER_THRESHOLD,
      breakerOpenMs: config.CIRCUIT_BREAKER_TIMEOUT_SEC * 1_000,
    };
    this.#container = createContainer(config, {
      clock: process,
      random: random.next,
      logger: loggerOf(process, parts.violations),
      database,
      metrics,
      provider: {
        csp: createCspClient({
          ...common,
          baseUrl: config.CSP_BASE_URL,
          token: () => 'token-of-a-simulation',
          callTimeoutMs: 20_000,
        }),
        niosxaas: createNiosxaasClient({
          ...common,
          enabled: false,
          shadowMode: true,
          baseUrl: config.NIOSXAAS_BASE_URL,
          credentials: () => ({ email: '', password: '' }),
          serviceName: '',
          callTimeoutMs: 20_000,
        }),
      },
    });
    if (parts.leases !== undefined) this.#watchRuns(parts.leases);
  }

  /** Every run is seen to begin and to end, whoever started it. */
  #watchRuns(leases: LeaseChecker): void {
    for (const job of this.#container.jobs.all) {
      const run = job.run.bind(job);
      job.run = async (context) => {
        const ended = leases.began(job.name, this.process, context);
        try {
          return await run(context);
        } finally {
          ended();
        }
      };
    }
  }

  /** As the process begins in production. @throws when the table cannot be asked: then it ends and is started again */
  async start({ jobs, neighbours }: BrokerRole): Promise<void> {
    await this.#container.adoption.refresh();
    if (neighbours) this.#container.neighbours.start();
    if (jobs) for (const worker of this.#container.workers) worker.start();
  }

  /** A stop that is waited for: runs end, leases are given back. */
  stop(): Promise<unknown> {
    return Promise.all([this.#container.stopJobs(), this.#container.neighbours.stop()]);
  }

  async allocate(request: AllocateRequest): Promise<Reply> {
    const { answers, config } = this.#parts;
    const asked = answers.asked(request.track, request.idempotencyKey, request.namePrefix);
    try {
      const allocation = await this.#container.allocator.allocate(
        request,
        new Deadline(this.process, config.REQUEST_DEADLINE_MS),
      );
      answers.allocated(asked, allocation);
      return { status: 'ok', sandboxId: allocation.sandboxId, replayed: allocation.replayed };
    } catch (error) {
      const code = answers.refused('an allocation', error);
      if (code === 'NO_SANDBOXES_AVAILABLE') answers.turnedAway(asked);
      return { status: 'refused', code };
    }
  }

  async release(sandboxId: string, track: string): Promise<Reply> {
    const { answers, config } = this.#parts;
    const asked = answers.asked(track, undefined);
    try {
      const deadline = new Deadline(this.process, config.REQUEST_DEADLINE_MS);
      const author = { actor: 'track', requestId: 'request-of-a-student' };
      await this.#container.releaser.release(sandboxId, track, author, deadline);
      answers.released(asked, sandboxId);
      return { status: 'ok', sandboxId };
    } catch (error) {
      const code = answers.refused('a release', error);
      if (code === 'NOT_SANDBOX_OWNER' || code === 'SANDBOX_NOT_FOUND')
        answers.disowned(asked, sandboxId, code);
      return { status: 'refused', code };
    }
  }

  /** An operator's word. Failures are the operator's to read. */
  async move(sandboxId: string, move: OperatorMove): Promise<void> {
    const author = { actor: 'admin', reason: 'a whim' };
    const deadline = new Deadline(this.process, 20_000);
    await this.#container.moves.move(sandboxId, move, author, deadline).catch(this.#expected);
  }

  async removeAll(status: 'stale' | 'deletion_failed'): Promise<void> {
    await this.#container.removal.removeAll(status, { actor: 'admin' }).catch(this.#expected);
  }

  /** @returns the id of the run, where one was started */
  async runJob(name: JobName, input: JobInput): Promise<string | undefined> {
    const { runner, jobs } = this.#container;
    try {
      const start = await runner.start(jobs.get(name), 'admin', input);
      if (!start.started) return undefined;
      if (input.force === true) this.#parts.forcedRuns.add(start.runId);
      await start.finished;
      return start.runId;
    } catch (error) {
      this.#expected(error);
      return undefined;
    }
  }

  async pauseJob(name: JobName, resume: boolean): Promise<void> {
    const { jobRows } = this.#container;
    await (resume ? jobRows.resume(name) : jobRows.pause(name, 'admin', 'a whim')).catch(this.#expected);
  }

  readonly #expected = (error: unknown): void => {
    if (databaseFault(error) === 'wrong') this.#parts.answers.refused("an operator's request", error);
  };
}

/** Hears of what a job could not cope with. Trouble with the table or the provider it is expected to have. */
function loggerOf(process: SimulatedProcess, violations: Violations): Logger {
  const nothing = () => {};
  const error = (fields: { err?: unknown }, text?: string) => {
    const { err } = fields;
    if (!process.alive || err instanceof CspError || databaseFault(err) !== 'wrong') return;
    const words = err instanceof Error ? (err.stack ?? err.message) : String(err);
    violations.add('defect', `${process.name} logged an error, "${text}": ${words}`);
  };
  const logger = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error, fatal: error };
  return { ...logger, child: () => logger } as unknown as Logger;
}
