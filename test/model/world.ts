import { setTimeout as realTime } from 'node:timers/promises';
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import type { Random } from '../../src/domain/clock.ts';
import { seededRandom } from '../../src/local/csp-simulator/seeded-random.ts';
import { type CspSimulator, startCspSimulator } from '../../src/local/csp-simulator.ts';
import { GatedBroker, type Reply } from '../crash/gated-broker.ts';
import { whileTimePasses } from '../crash/passing-time.ts';
import { contradictionIn } from '../history/checker.ts';
import { type Call, readAnswer, tellContradiction } from '../history/history.ts';
import { asAdmin, asTrack } from '../support/client.ts';
import { violations } from '../support/invariants.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { makeTable, type TestTable } from '../support/table.ts';
import { Alone, type Request } from './actions/action.ts';
import { Cleanup, Expiry, Sync } from './actions/jobs.ts';
import { HeldJobs } from './held-jobs.ts';
import { LeaseWatch } from './lease-watch.ts';
import { type Move, TableHistory } from './legal-moves.ts';
import {
  expectThat,
  GRACE_MINUTES,
  LAB_HOURS,
  MAX_ATTEMPTS,
  MAX_STALE_PERCENT,
  PoolModel,
  UnexpectedError,
} from './pool-model.ts';
import { type Snapshot, snapshotOf } from './snapshot.ts';

export interface Settings {
  readonly pool: number;
  readonly shards: number;
  /** How far each broker's wall clock is off, in seconds; as many brokers as numbers. */
  readonly skews: readonly number[];
  readonly cleanupConcurrency: number;
  /** In how many listings a deleted account is still shown. */
  readonly linger: number;
  readonly seed: number;
}

const REQUEST_DEADLINE_MS = 60_000;

/** A whole installation in one process, on the real engine, and the model of what it should hold. */
export class World {
  readonly model = new PoolModel();
  readonly time: ManualClock;
  readonly simulator: CspSimulator;
  readonly brokers: GatedBroker[] = [];
  readonly random: Random;
  readonly calls: Call[] = [];
  /** What a broker was stopped in the middle of. */
  readonly suspended = new Map<
    GatedBroker,
    { readonly request: Request; readonly reply: Promise<unknown> }
  >();
  /** Jobs that operators hold back. */
  readonly paused = new Set<string>();
  /** Jobs whose lease a broker may hold that does not go on. */
  readonly heldJobs = new HeldJobs();
  readonly leases: LeaseWatch;
  /** Provider accounts that outsiders took away, with what they were. */
  readonly withdrawn = new Map<string, ReturnType<CspSimulator['accounts']['all']>[number]>();
  /** Until when the provider's breakers may keep the jobs from it; model milliseconds. */
  unwellUntil = 0;
  readonly #settings: Settings;
  readonly #table: TestTable;
  readonly #history = new TableHistory();
  #before: Snapshot = snapshotOf([]);
  #looks: ((seen: Snapshot) => void)[] = [];
  #ticks = 0;
  #brokersStarted = 0;
  steps = 0;

  private constructor(
    settings: Settings,
    table: TestTable,
    time: ManualClock,
    simulator: CspSimulator,
    random: Random,
  ) {
    this.#settings = settings;
    this.#table = table;
    this.time = time;
    this.simulator = simulator;
    this.random = random;
    this.leases = new LeaseWatch(table.config.JOB_LEASE_SEC * 1000);
  }

  static async open(engineUrl: string, settings: Settings): Promise<World> {
    const random = seededRandom(settings.seed);
    // From now on, so that nothing is past its time to live for the engine.
    const time = new ManualClock(Date.now());
    const simulator = await startCspSimulator({
      accounts: settings.pool,
      clock: time,
      random,
      settings: { linger_listings: settings.linger },
    });
    const table = await makeTable({
      endpoint: engineUrl,
      overrides: { clock: time, random },
      environment: {
        CSP_API_TOKEN: simulator.token,
        STATUS_SHARDS: String(settings.shards),
        LAB_DURATION_HOURS: String(LAB_HOURS),
        GRACE_PERIOD_MINUTES: String(GRACE_MINUTES),
        DELETION_RETRY_MAX_ATTEMPTS: String(MAX_ATTEMPTS),
        SYNC_MAX_STALE_PERCENT: String(MAX_STALE_PERCENT),
        CLEANUP_BATCH_DELAY_SEC: '0',
        CLEANUP_CONCURRENCY: String(settings.cleanupConcurrency),
        REQUEST_DEADLINE_MS: String(REQUEST_DEADLINE_MS),
        RATE_LIMIT_FAILED_AUTH: '1000000',
      },
    });
    const world = new World(settings, table, time, simulator, random);
    for (const index of settings.skews.keys()) world.brokers.push(await world.#startBroker(index));
    await new Alone(new Sync(0)).take(world);
    return world;
  }

  async #startBroker(index: number): Promise<GatedBroker> {
    this.#brokersStarted += 1;
    return GatedBroker.start(`broker ${index}`, {
      config: this.#table.config,
      database: this.#table.database,
      time: this.time,
      skewMs: (this.#settings.skews[index] ?? 0) * 1000,
      random: this.random,
      simulator: this.simulator,
    });
  }

  /** The true time, whatever the brokers' clocks say. Unix seconds. */
  get now(): number {
    return Math.floor(this.time.now() / 1000);
  }

  /** The broker of a command: any number stands for one. Undefined when it is stopped. */
  broker(number: number): GatedBroker | undefined {
    const broker = this.brokers[number % this.brokers.length] as GatedBroker;
    return broker.gate.isClosed ? undefined : broker;
  }

  indexOf(number: number): number {
    return number % this.brokers.length;
  }

  /** Ends a broker where it stands, and starts another in its place. */
  async replace(number: number): Promise<void> {
    const index = this.indexOf(number);
    await this.brokers[index]?.gate.quiet();
    await this.brokers[index]?.close();
    this.brokers[index] = await this.#startBroker(index);
  }

  /** A sandbox for a caller's command: any number stands for one, even numbers for one that it holds or held. */
  sandboxNear(number: number, track: string): string {
    return this.#choose(number, (sandboxId) => this.model.trackOf(sandboxId) === track);
  }

  /** A sandbox for an operator's command: even numbers stand for one in a state that the command is for. */
  sandboxIn(statuses: readonly string[], number: number): string {
    return this.#choose(number, (sandboxId) =>
      statuses.includes(this.model.rows.get(sandboxId)?.status ?? ''),
    );
  }

  #choose(number: number, fits: (sandboxId: string) => boolean): string {
    const known = [...this.model.rows.keys(), ...this.model.tombstones].sort();
    const fitting = number % 2 === 0 ? known.filter(fits) : [];
    const from = fitting.length > 0 ? fitting : known;
    return from[Math.floor(number / 2) % Math.max(1, from.length)] ?? 'no-such-sandbox';
  }

  /** Something to look at when the table is read next; what else the command did is then as it may. */
  expectTableAfter(look: (seen: Snapshot) => void): void {
    this.#looks.push(look);
  }

  /** A call of a track route, remembered with its times. */
  async asTrack(
    broker: GatedBroker,
    call: Pick<Call, 'kind' | 'track' | 'idempotencyKey' | 'namePrefix' | 'sandboxId'>,
    lab?: string,
  ): Promise<Reply> {
    const headers = asTrack(call.track, {
      ...(call.idempotencyKey === undefined ? {} : { 'idempotency-key': call.idempotencyKey }),
      ...(call.namePrefix === undefined ? {} : { 'x-sandbox-name-prefix': call.namePrefix }),
      ...(lab === undefined ? {} : { 'x-instruqt-track-id': lab }),
    });
    const sentAt = this.#tick();
    const pending: Call = {
      ...call,
      via: broker.name,
      sentAt,
      answeredAt: Number.POSITIVE_INFINITY,
      answer: { is: 'unknown', why: 'not answered' },
    };
    const place = this.calls.push(pending) - 1;
    const path = {
      allocate: '/allocate',
      release: `/sandboxes/${call.sandboxId}/mark-for-deletion`,
      read: `/sandboxes/${call.sandboxId}`,
    }[call.kind];
    const reply = await broker.call(call.kind === 'read' ? 'GET' : 'POST', path, headers);
    const answer = readAnswer(call.kind, reply.status, reply.body);
    this.calls[place] = { ...pending, answeredAt: this.#tick(), answer };
    return reply;
  }

  asAdmin(
    broker: GatedBroker,
    method: 'GET' | 'POST',
    path: string,
    body?: Record<string, unknown>,
  ): Promise<Reply> {
    return broker.call(method, `/admin${path}`, asAdmin(), body);
  }

  #tick(): number {
    this.#ticks += 1;
    return this.#ticks;
  }

  /**
   * Waits for something that a broker does; its short waits (backoff and the like) pass on the way.
   *
   * Nothing else moves the clock, so a run of a job that waits for its next tick or sign of life does not get it.
   */
  whileTimePasses<Result>(work: Promise<Result>): Promise<Result> {
    return whileTimePasses(
      this.time,
      this.brokers.map(({ gate }) => gate),
      work,
    );
  }

  /** Resolves when a broker has nothing under way any more, whoever waits for it or not. */
  async untilIdle(broker: GatedBroker): Promise<void> {
    for (let idle = 0; idle < 5; idle = broker.gate.inFlight === 0 ? idle + 1 : 0) await realTime(2);
  }

  async snapshot(): Promise<Snapshot> {
    return snapshotOf(await this.#table.items());
  }

  /** Reads the table, and holds it against every invariant; against the model too, unless it takes the table over. */
  async check(moves: readonly Move[], outcome: 'as the model says' | 'whatever is legal'): Promise<void> {
    this.steps += 1;
    const after = await this.snapshot();
    this.leases.look(after, this.time.now());
    const wrong = [
      ...violations(after.items),
      ...this.#history.compare(this.#before, after, new Set(moves)),
      ...this.#wronglyDeleted(after),
    ];
    const looks = this.#looks.splice(0);
    if (outcome === 'as the model says' && looks.length === 0) wrong.push(...this.model.differences(after));
    expectThat(wrong.length === 0, wrong.join('\n'));
    for (const look of looks) look(after);
    this.model.takeOver(after, this.now);
    this.#before = after;
    this.checkAnswers(after);
  }

  /** Whether what all callers were told so far can be explained, and the table bears it out. */
  checkAnswers(table: Snapshot): void {
    const contradiction = contradictionIn({
      calls: this.calls,
      othersEndAllocations: true,
      cleanupRuns: true,
      finalRows: [...table.rows.values()],
    });
    if (contradiction !== undefined) throw new UnexpectedError(tellContradiction(contradiction));
  }

  /** I4 and I5 at the provider: what the broker has deleted there, nobody may hold or get. */
  #wronglyDeleted(after: Snapshot): string[] {
    const deleted = new Set(this.simulator.log.of('delete').map(({ path }) => path.split('/').at(-1)));
    return [...after.rows.values()]
      .filter(({ status }) => !['pending_deletion', 'deletion_failed'].includes(status))
      .filter(({ externalId }) => deleted.has(externalId.split('/').at(-1)))
      .map(
        ({ sandboxId, status }) => `I5: sandbox ${sandboxId} is ${status}, and was deleted at the provider`,
      );
  }

  /**
   * Everything that stands in the way is taken away, and the jobs run for as long as deletions are repeated: then
   * nothing that was ever allocated may be left, here or at the provider (I4).
   */
  async drain(): Promise<void> {
    for (const [index, each] of this.brokers.entries()) {
      if (this.suspended.has(each)) await this.replace(index);
    }
    const [broker] = this.brokers as [GatedBroker];
    for (const job of this.paused) await this.asAdmin(broker, 'POST', `/jobs/${job}/resume`);
    this.paused.clear();
    this.simulator.faults.clear();
    for (let round = 0; round < 8 && this.#left.length > 0; round += 1) {
      await this.time.advance(5 * 3_600_000);
      // A listing that does not know the pool, as an empty one, is believed at an operator's word alone (I9).
      const operator = this.model.knowsPool(this.listed) ? [] : [new Sync(0, [], true)];
      for (const job of [...operator, new Expiry(0), new Cleanup(0)]) {
        // A lease that somebody died with is taken only after having been seen unchanged for its time.
        for (let tries = 0; tries < 2; tries += 1) {
          await new Alone(job).take(this);
          if (!this.heldJobs.has(job.job)) break;
          await this.time.advance(31_000);
        }
      }
    }
    const left = this.#left.map(({ sandboxId, status }) => `${sandboxId} is ${status}`);
    expectThat(left.length === 0, `I4: for days nothing stood in the way, and ${left.join(', ')}`);
  }

  /** The sandboxes that the provider has. */
  get listed(): string[] {
    return this.simulator.accounts.all().map(({ csp_id }) => String(csp_id));
  }

  /** What was allocated, and has not come to its end. */
  get #left() {
    return this.model.of('allocated', 'pending_deletion');
  }

  async close(): Promise<void> {
    await Promise.all(this.brokers.map((broker) => broker.close()));
    await this.simulator.close();
    await this.#table.database.client.send(
      new DeleteTableCommand({ TableName: this.#table.database.tableName }),
    );
    this.#table.database.close();
  }
}
