import type { Move } from '../../src/domain/sandbox.ts';
import { type CspSimulator, startCspSimulator } from '../../src/local/csp-simulator.ts';
import { asAdmin, asTrack } from '../support/client.ts';
import { violations } from '../support/invariants.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type Environment, makeTable, type TestTable } from '../support/table.ts';
import { isSandbox } from '../support/table-rows.ts';
import { GatedBroker, type Reply } from './gated-broker.ts';
import { whileTimePasses } from './passing-time.ts';

type Row = Record<string, unknown>;

/** A table, a provider and brokers that can be ended at any of their calls. */
export class CrashInstallation {
  readonly time: ManualClock;
  readonly table: TestTable;
  readonly provider: CspSimulator;
  readonly #brokers: GatedBroker[] = [];

  private constructor(time: ManualClock, table: TestTable, provider: CspSimulator) {
    this.time = time;
    this.table = table;
    this.provider = provider;
  }

  static async open(
    engineUrl: string,
    options: { adopted?: boolean; environment?: Environment } = {},
  ): Promise<CrashInstallation> {
    const time = new ManualClock(Date.now());
    const provider = await startCspSimulator({ clock: time });
    const table = await makeTable({
      ...(options.adopted === undefined ? {} : { adopted: options.adopted }),
      endpoint: engineUrl,
      overrides: { clock: time },
      environment: {
        CSP_API_TOKEN: provider.token,
        NIOSXAAS_EMAIL: provider.niosxaas.email,
        NIOSXAAS_PASSWORD: provider.niosxaas.password,
        CLEANUP_CONCURRENCY: '1',
        CLEANUP_BATCH_DELAY_SEC: '0',
        ...options.environment,
      },
    });
    return new CrashInstallation(time, table, provider);
  }

  async broker(): Promise<GatedBroker> {
    const broker = await GatedBroker.start(`broker ${this.#brokers.length}`, {
      config: this.table.config,
      database: this.table.database,
      time: this.time,
      skewMs: 0,
      random: () => 0.5,
      simulator: this.provider,
    });
    this.#brokers.push(broker);
    return broker;
  }

  waitFor<Result>(work: Promise<Result>): Promise<Result> {
    return whileTimePasses(
      this.time,
      this.#brokers.map(({ gate }) => gate),
      work,
    );
  }

  allocate(broker: GatedBroker, track: string): Promise<Reply> {
    return this.waitFor(broker.call('POST', '/allocate', asTrack(track)));
  }

  release(broker: GatedBroker, track: string, sandboxId: string): Promise<Reply> {
    return this.waitFor(broker.call('POST', `/sandboxes/${sandboxId}/mark-for-deletion`, asTrack(track)));
  }

  /** Runs a job; where a process died with its lease, as soon as that is over. */
  async run(broker: GatedBroker, job: string): Promise<Reply['body']> {
    for (let tries = 0; tries < 3; tries += 1) {
      const { status, body } = await this.waitFor(broker.call('POST', `/admin/jobs/${job}/run`, asAdmin()));
      if (status === 200) return body.run;
      if (status !== 202) throw new Error(`The job ${job} was answered ${status}: ${JSON.stringify(body)}`);
      await this.time.advance(31_000);
    }
    throw new Error(`The job ${job} runs for ever elsewhere`);
  }

  async rows(status?: string): Promise<Row[]> {
    const rows = (await this.table.items()).filter(isSandbox);
    return status === undefined ? rows : rows.filter((row) => row.status === status);
  }

  async count(kind: 'CLAIM#' | 'TOMB#'): Promise<number> {
    return (await this.table.items()).filter(({ PK }) => String(PK).startsWith(kind)).length;
  }

  /** How many events tell of the move. */
  async told(move: Move): Promise<number> {
    return (await this.table.items()).filter((item) => item.move === move).length;
  }

  async violations(): Promise<string[]> {
    return violations(await this.table.items());
  }

  async close(): Promise<void> {
    await Promise.all(this.#brokers.map((broker) => broker.close()));
    await this.provider.close();
    await this.table.drop();
  }
}
