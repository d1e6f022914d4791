import { readConfig } from '../../../src/config.ts';
import { Allocations } from '../checker/allocations.ts';
import { Answers } from '../checker/answers.ts';
import { LeaseChecker } from '../checker/lease-checker.ts';
import { MoveWitness } from '../checker/move-witness.ts';
import { sandboxItemKey } from '../checker/rows.ts';
import { TableChecker } from '../checker/table-checker.ts';
import { simulatedDatabase } from '../dynamodb/simulated-database.ts';
import { SimulatedDynamoDb } from '../dynamodb/simulated-dynamodb.ts';
import type { Change } from '../dynamodb/simulated-table.ts';
import { TABLE } from '../dynamodb/table-shape.ts';
import { Adopter } from './adopter.ts';
import { BrokerBerth } from './berth.ts';
import { Broker, type BrokerRole } from './broker.ts';
import { changeWords } from './change-words.ts';
import { FaultBoard, FaultSource } from './fault-board.ts';
import { Network } from './network.ts';
import { Operator } from './operator.ts';
import type { WorldPlan } from './plan.ts';
import { Pool } from './pool.ts';
import { PreviousBroker } from './previous-broker.ts';
import { EPOCH, SimulatedProcess } from './process.ts';
import { SimulatedProvider } from './provider.ts';
import { providerLink } from './provider-link.ts';
import { Randomness } from './randomness.ts';
import { Schedule } from './schedule.ts';
import { StoreLink } from './store-link.ts';
import { Story } from './story.ts';
import { Student } from './student.ts';
import { Violations } from './violations.ts';
import { Weather } from './weather.ts';

export interface WorldOptions {
  /** Tells what happens, in words. */
  readonly told?: boolean;
  /** The only faults that may happen. */
  readonly faults?: Iterable<string>;
  /** Whether it goes on after the eventful part; it does by default. */
  readonly mayHeal?: boolean;
}

/** What no world changes. Retries of the store's calls, deadlines and the rest are production's. */
export const ENVIRONMENT = {
  BROKER_API_TOKEN: 'track-token-of-the-simulation',
  BROKER_ADMIN_TOKEN: 'admin-token-of-the-simulation',
  DDB_TABLE_NAME: TABLE.tableName,
  CSP_API_TOKEN: 'csp-token-of-the-simulation',
  CSP_BASE_URL: 'http://provider.simulation/v2',
};

/** A table may be shown this much later than its index lags at most: two updates of one item wait for each other. */
const FREE_LONG_MS = 2_000;

/** A table, a provider, some brokers, and those who use them: everything that one seed decides. */
export class World {
  readonly plan: WorldPlan;
  readonly schedule = new Schedule();
  readonly violations = new Violations(this.schedule);
  readonly story: Story;
  readonly board: FaultBoard;
  readonly random: Randomness;
  readonly provider: SimulatedProvider;
  readonly store: SimulatedDynamoDb;
  readonly checker: TableChecker;
  readonly leases: LeaseChecker;
  readonly allocations = new Allocations();
  readonly berths: readonly BrokerBerth[];
  readonly pool: Pool;
  readonly adopter: Adopter;
  readonly answers: Answers;
  /** Sandboxes that somebody asked to be released. */
  readonly releaseAsked = new Set<string>();
  /** The eventful part is over. */
  isOver = false;
  /** Settings that healing changes. */
  environment: Record<string, string>;
  shards: readonly number[];
  role: BrokerRole;
  readonly #network: Network;
  readonly #previous: PreviousBroker | undefined;
  readonly #forcedRuns = new Set<string>();
  #lagFactor = 1;
  #writer: SimulatedProcess | undefined;

  constructor(plan: WorldPlan, options: WorldOptions = {}) {
    this.plan = plan;
    this.environment = { ...ENVIRONMENT, ...plan.environment };
    this.shards = plan.shards;
    this.role = { jobs: plan.jobs, neighbours: true };
    const { schedule, violations } = this;
    this.story = new Story(options.told === true, () => schedule.now);
    this.board = new FaultBoard(options.faults);
    this.random = new Randomness(`world ${plan.seed}`);
    const providerFaults = new FaultSource(
      this.board,
      'provider',
      this.random.stream('provider faults'),
      plan.providerFaults,
    );
    this.provider = new SimulatedProvider(
      schedule,
      this.random.stream('provider'),
      providerFaults,
      this.story,
    );
    this.pool = new Pool(this.provider, this.random.stream('pool'));
    this.store = this.#makeStore();
    const gracePeriodMs = Number(plan.environment.GRACE_PERIOD_MINUTES) * 60_000;
    const witness = new MoveWitness({
      provider: this.provider,
      now: () => EPOCH + schedule.now,
      elapsed: () => schedule.now,
      clocksDisagreeMs: 2 * plan.skewMs + 1_000,
      gracePeriodMs,
      releaseAsked: this.releaseAsked,
      forcedRuns: this.#forcedRuns,
    });
    this.checker = new TableChecker(this.store.table, this.allocations, violations, {
      step: () => schedule.steps,
      time: () => schedule.now,
      byPreviousBroker: () => this.#writer === undefined || this.#writer === this.#previous?.process,
      onMove: (sandboxId, told, before) => witness.judge(sandboxId, told, before),
    });
    this.leases = new LeaseChecker(violations, {
      time: () => schedule.now,
      leaseMs: Number(plan.environment.JOB_LEASE_SEC) * 1_000,
    });
    this.answers = new Answers(
      this.allocations,
      violations,
      () => ({ step: schedule.steps, time: schedule.now }),
      (asked) => this.#freeSince(asked.time, asked.namePrefix),
    );
    this.pool.fill(this.store.table, plan);
    this.#network = new Network({
      schedule,
      random: this.random.stream('network'),
      faults: new FaultSource(
        this.board,
        'network',
        this.random.stream('network faults'),
        plan.networkFaults,
      ),
      story: this.story,
    });
    if (plan.previousRuns) {
      const process = new SimulatedProcess('previous', schedule);
      const database = this.#connect('previous', process, true);
      this.#previous = new PreviousBroker(process, database, this.random.stream('previous'));
    }
    this.berths = Array.from({ length: plan.brokers }, (_, index) => this.#makeBerth(index));
    this.adopter = this.#makeAdopter();
    this.#populate();
  }

  /** A database of one more process. @param calm whether nothing goes wrong between the two */
  #connect(name: string, process: SimulatedProcess, calm = false) {
    const { schedule, store, story, board, random, plan } = this;
    const faults = new FaultSource(
      board,
      name,
      random.stream(`${name} store faults`),
      calm ? {} : plan.storeFaults,
    );
    return simulatedDatabase(
      TABLE,
      new StoreLink({
        schedule,
        store,
        process,
        random: random.stream(`${name} store`),
        faults,
        story,
        timeoutMs: readConfig(this.environment).DDB_TIMEOUT_REQUEST_MS,
        onExecution: (writer) => {
          this.#writer = writer;
        },
      }),
    );
  }

  #makeStore(): SimulatedDynamoDb {
    const { plan, schedule, board } = this;
    const random = this.random.stream('store');
    return new SimulatedDynamoDb(TABLE, {
      now: () => schedule.now,
      lagMs: () => {
        // The beginning of a world is known to all.
        if (this.#writer === undefined) return 0;
        const usual = random.next() * 20;
        if (!board.on || random.chance(0.7)) return usual;
        return random.spread(1, plan.lagMs) * this.#lagFactor;
      },
      pageRows: () => plan.pageRows,
      processed: (items) => (board.on && random.chance(0.03) ? random.integer(1, items) : items),
      onCommit: (changes) => this.#committed(changes),
    });
  }

  #committed(changes: readonly Change[]): void {
    for (const { key } of changes) this.schedule.note(key);
    if (this.story.told && this.#writer !== undefined) {
      for (const change of changes) this.story.tell('table', changeWords(change));
    }
    this.checker.committed(changes);
    this.leases.committed(changes);
  }

  #makeBerth(index: number): BrokerBerth {
    const name = `broker-${index + 1}`;
    const random = this.random.stream(name);
    let incarnation = 0;
    const open = (process: SimulatedProcess) => {
      incarnation += 1;
      const shards = this.shards[index % this.shards.length] ?? 1;
      return new Broker({
        process,
        config: readConfig({ ...this.environment, STATUS_SHARDS: String(shards) }),
        database: this.#connect(incarnation === 1 ? name : `${name}.${incarnation}`, process),
        dispatcher: providerLink(this.schedule, process, this.provider, random.stream('provider')),
        random,
        answers: this.answers,
        leases: this.leases,
        violations: this.violations,
        forcedRuns: this.#forcedRuns,
      });
    };
    const berth = new BrokerBerth(name, this.schedule, this.story, open, () => this.role);
    if (index > 0) berth.process.aheadMs = random.between(-this.plan.skewMs, this.plan.skewMs);
    return berth;
  }

  #makeAdopter(): Adopter {
    let tries = 0;
    const random = this.random.stream('adopter');
    return new Adopter({
      config: readConfig(this.environment),
      schedule: this.schedule,
      random,
      story: this.story,
      open: () => {
        tries += 1;
        const process = new SimulatedProcess('adopter', this.schedule);
        return { process, database: this.#connect(`adopter-${tries}`, process) };
      },
      mayComplete: () => this.#previous?.hasStopped ?? true,
      onDefect: (text) => this.violations.add('defect', `adoption failed: ${text}`),
    });
  }

  #populate(): void {
    const { plan, schedule, random } = this;
    const isOver = () => this.isOver;
    const anyBroker = (choice: Randomness) => (choice.pick(this.berths) as BrokerBerth).broker;
    for (let index = 0; index < plan.students; index += 1) {
      const process = new SimulatedProcess(`student-${index + 1}`, schedule);
      const student = new Student(index, {
        plan,
        process,
        random: random.stream(process.name),
        network: this.#network,
        anyBroker,
        previousRelease: () => (this.isOver ? undefined : this.#previous?.release),
        onReleaseAsked: (sandboxId) => this.releaseAsked.add(sandboxId),
        isOver,
      });
      schedule.after(0, process, 'live', () => void student.live());
    }
    for (let index = 0; index < plan.operators; index += 1) {
      const process = new SimulatedProcess(`operator-${index + 1}`, schedule);
      const operator = new Operator({
        process,
        random: random.stream(process.name),
        network: this.#network,
        anyBroker,
        anySandbox: (choice) => choice.pick(this.pool.sandboxIds),
        onReleaseAsked: (sandboxId) => this.releaseAsked.add(sandboxId),
        isOver,
      });
      schedule.after(0, process, 'live', () => void operator.live());
    }
    const previous = this.#previous;
    if (previous !== undefined) schedule.after(0, previous.process, 'live', () => void previous.live(isOver));
    if (plan.previousRows > 0 || plan.previousRuns) this.adopter.begin(random.spread(100, 1_000_000));
    this.#supply(random.stream('supply'));
    new Weather({
      plan,
      schedule,
      random: random.stream('weather'),
      board: this.board,
      story: this.story,
      provider: this.provider,
      berths: this.berths,
      addAccounts: (count) => void this.pool.addAccounts(count),
      setLag: (factor) => {
        this.#lagFactor = factor;
      },
      isOver,
    }).begin();
  }

  /** Keeps the pool from running dry for good: at times with rows, at times with accounts for sync to find. */
  #supply(random: Randomness): void {
    const { plan, schedule, pool, checker, store } = this;
    const process = new SimulatedProcess('supplier', schedule);
    schedule.after(plan.supplyMs, process, 'supply', () => {
      if (this.isOver) return;
      const missing = random.integer(0, plan.sandboxes) - checker.availableAt.size;
      this.#writer = process;
      if (missing > 0 && random.chance(0.3)) pool.addAccounts(missing);
      else if (missing > 0)
        pool.seed(store.table, missing, plan.shards[0] ?? 1, Math.floor(process.now() / 1_000));
      this.#supply(random);
    });
  }

  /**
   * A sandbox that every index has shown as free since long before a request came, and shows still. Brokers that
   * disagree about the shards do not see all that is free, and none does while the database refuses calls.
   */
  #freeSince(time: number, namePrefix: string | undefined): string | undefined {
    if (this.shards.length > 1) return undefined;
    const seen = this.checker.availableAt;
    for (const [sandboxId, since] of seen) {
      const row = this.store.table.get(sandboxItemKey(sandboxId));
      if (namePrefix !== undefined && row?.name?.S?.startsWith(namePrefix) !== true) continue;
      if (since + 2 * this.plan.lagMs * 5 + FREE_LONG_MS < time) return sandboxId;
    }
    return undefined;
  }
}
