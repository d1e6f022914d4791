import { type Engine, startEngine } from '../../src/local/engine.ts';
import type { BareOrder, BareResult } from '../bare/bare-loop.ts';
import type { Load, LoadResult } from '../generator/protocol.ts';
import { BenchTable } from '../lib/bench-table.ts';
import {
  type MeasuredBroker,
  type MeasuredBrokerOptions,
  startMeasuredBroker,
} from '../lib/measured-broker.ts';
import { WorkerProcess } from '../lib/worker-process.ts';

export const TRACK_TOKEN = 'track-token-of-the-bench';

const UNLIMITED = '100000000';

/** What every broker of the bench gets. Nothing that makes it faster: its limits only let one generator pass for many clients. */
const BROKER_ENVIRONMENT = {
  BROKER_API_TOKEN: TRACK_TOKEN,
  BROKER_ADMIN_TOKEN: 'admin-token-of-the-bench',
  RATE_LIMIT_PER_CREDENTIAL: UNLIMITED,
  RATE_LIMIT_PER_CALLER: UNLIMITED,
};

/** The engine of the run and every process beside it, all of which end with it. */
export class Stand {
  #engine: Engine | undefined;
  readonly endpoint: string;
  readonly generator: WorkerProcess<Load, LoadResult>;
  readonly bare: WorkerProcess<BareOrder, BareResult>;
  readonly #stops: (() => unknown)[] = [];

  private constructor(engine: Engine | undefined, endpoint: string) {
    this.#engine = engine;
    this.endpoint = endpoint;
    this.generator = new WorkerProcess(new URL('../generator/main.ts', import.meta.url));
    this.bare = new WorkerProcess(new URL('../bare/main.ts', import.meta.url));
  }

  static async open(): Promise<Stand> {
    const given = process.env.DDB_ENDPOINT_URL ?? '';
    if (given !== '') return new Stand(undefined, given);
    const engine = await startEngine();
    return new Stand(engine, engine.url);
  }

  /** Undefined where the run uses a database of somebody else's. */
  get engine(): Engine | undefined {
    return this.#engine;
  }

  /**
   * An empty engine in the place of the one so far. The embedded one gets slower with the calls that it has had (half as
   * slow again after ten thousand): so what is to be compared begins with a new one, or whoever makes more calls would
   * be slowed down for those who make few.
   */
  async renewEngine(): Promise<void> {
    if (this.#engine === undefined) return;
    const port = Number(new URL(this.#engine.url).port);
    await this.#engine.stop();
    this.#engine = await startEngine({ port });
  }

  /** @param endpoint another way to the engine, such as a delaying one */
  createTable(environment: Readonly<Record<string, string>> = {}): Promise<BenchTable> {
    return BenchTable.create({ ...BROKER_ENVIRONMENT, DDB_ENDPOINT_URL: this.endpoint, ...environment });
  }

  async startBroker(
    table: BenchTable,
    environment: Readonly<Record<string, string>> = {},
    options: MeasuredBrokerOptions = {},
  ): Promise<MeasuredBroker> {
    const broker = await startMeasuredBroker(
      { PATH: process.env.PATH, ...table.environment, ...environment },
      options,
    );
    this.#stops.push(() => broker.stop());
    return broker;
  }

  /** Ends with the stand. */
  onClose(stop: () => unknown): void {
    this.#stops.push(stop);
  }

  async close(): Promise<void> {
    this.generator.stop();
    this.bare.stop();
    for (const stop of this.#stops.reverse()) await stop();
    await this.#engine?.stop();
  }
}
