import { readConfig } from '../../../src/config.ts';
import { violations as violationsOf } from '../../support/invariants.ts';
import { Allocations } from '../checker/allocations.ts';
import { Answers } from '../checker/answers.ts';
import { MoveWitness } from '../checker/move-witness.ts';
import { TableChecker } from '../checker/table-checker.ts';
import { unmarshallItem } from '../dynamodb/attribute-values.ts';
import { simulatedDatabase } from '../dynamodb/simulated-database.ts';
import { SimulatedDynamoDb } from '../dynamodb/simulated-dynamodb.ts';
import { TABLE } from '../dynamodb/table-shape.ts';
import { Broker, type Reply } from '../world/broker.ts';
import { changeWords } from '../world/change-words.ts';
import { FaultBoard, FaultSource } from '../world/fault-board.ts';
import { Pool } from '../world/pool.ts';
import { EPOCH, SimulatedProcess } from '../world/process.ts';
import { SimulatedProvider } from '../world/provider.ts';
import { providerLink } from '../world/provider-link.ts';
import { Randomness } from '../world/randomness.ts';
import { Story } from '../world/story.ts';
import { Violations } from '../world/violations.ts';
import { ENVIRONMENT } from '../world/world.ts';
import type { Choices } from './choices.ts';
import { ExploringLink } from './exploring-link.ts';
import { ExploringSchedule } from './exploring-schedule.ts';

const LAB_HOURS = 1;

const CONFIG = readConfig({
  ...ENVIRONMENT,
  LAB_DURATION_HOURS: String(LAB_HOURS),
  GRACE_PERIOD_MINUTES: '0',
  K_CANDIDATES: '2',
  BACKOFF_BASE_MS: '10',
  BACKOFF_MAX_MS: '20',
  COMMIT_MAX_IN_FLIGHT: '1',
});

export interface SmallWorldOptions {
  readonly sandboxes: number;
  readonly faults: boolean;
  readonly told: boolean;
  readonly timersWait: boolean;
}

/** Two brokers and a few sandboxes, whose every schedule can be walked through. */
export class SmallWorld {
  readonly schedule: ExploringSchedule;
  readonly violations: Violations;
  readonly story: Story;
  readonly brokers: readonly Broker[];
  readonly provider: SimulatedProvider;
  readonly store: SimulatedDynamoDb;
  /** Client processes, which never die. */
  readonly client: SimulatedProcess;
  /** Sandboxes that somebody asked to be released. */
  readonly #releaseAsked = new Set<string>();
  #writer: SimulatedProcess | undefined;
  #indexBehind = false;

  constructor(choices: Choices, options: SmallWorldOptions) {
    const schedule = new ExploringSchedule(choices, options.timersWait);
    this.schedule = schedule;
    this.violations = new Violations(schedule);
    this.story = new Story(options.told, () => schedule.now);
    this.client = new SimulatedProcess('client', schedule);
    const random = new Randomness('small world');
    const calm = new FaultSource(new FaultBoard(), 'provider', random, {});
    this.provider = new SimulatedProvider(schedule, random, calm, this.story);
    const allocations = new Allocations();
    this.store = new SimulatedDynamoDb(TABLE, {
      now: () => schedule.now,
      // What is behind is behind by all that no query has seen yet.
      lagMs: () => (this.#writer === undefined ? 0 : 1),
      indexTime: () => (this.#indexBehind ? 0 : Number.POSITIVE_INFINITY),
      pageRows: () => 1_000,
      processed: (items) => items,
      onCommit: (changes) => {
        if (this.story.told && this.#writer !== undefined)
          for (const change of changes) this.story.tell('table', changeWords(change));
        checker.committed(changes);
      },
    });
    const forcedRuns = new Set<string>();
    const witness = new MoveWitness({
      provider: this.provider,
      now: () => EPOCH + schedule.now,
      elapsed: () => schedule.now,
      clocksDisagreeMs: 1_000,
      gracePeriodMs: 0,
      releaseAsked: this.#releaseAsked,
      forcedRuns,
    });
    const checker: TableChecker = new TableChecker(this.store.table, allocations, this.violations, {
      step: () => schedule.steps,
      time: () => schedule.now,
      byPreviousBroker: () => this.#writer === undefined,
      onMove: (sandboxId, told, before) => witness.judge(sandboxId, told, before),
    });
    const answers = new Answers(
      allocations,
      this.violations,
      () => ({ step: schedule.steps, time: schedule.now }),
      () => undefined,
    );
    const pool = new Pool(this.provider, new Randomness('pool'));
    pool.fill(this.store.table, {
      sandboxes: options.sandboxes,
      students: 0,
      previousRows: 0,
      previousRuns: false,
      shards: [1],
    });
    this.brokers = ['broker-1', 'broker-2'].map((name) => {
      const process = new SimulatedProcess(name, schedule);
      const link = new ExploringLink({
        timeline: schedule,
        store: this.store,
        process,
        choices,
        story: this.story,
        timeoutMs: CONFIG.DDB_TIMEOUT_REQUEST_MS,
        faults: options.faults,
        onExecution: (writer) => {
          this.#writer = writer;
        },
        setIndexBehind: (behind) => {
          this.#indexBehind = behind;
        },
      });
      return new Broker({
        process,
        config: CONFIG,
        database: simulatedDatabase(TABLE, link),
        dispatcher: providerLink(schedule, process, this.provider, random),
        random: new Randomness(name),
        answers,
        violations: this.violations,
        forcedRuns,
      });
    });
  }

  /** A request and its answer; undefined when the broker died. */
  ask(broker: 0 | 1, what: string, serve: (broker: Broker) => Promise<Reply>): Promise<Reply | undefined> {
    const to = this.brokers[broker] as Broker;
    return new Promise((resolve) => {
      const answer = (reply: Reply | undefined) => {
        this.story.tell('client', `${what}: ${reply === undefined ? 'nothing' : JSON.stringify(reply)}`);
        this.schedule.after(0, this.client, 'response', () => resolve(reply));
      };
      // Whoever hears nothing goes on in the end.
      this.schedule.after(20_000, this.client, 'patience', () => resolve(undefined));
      this.schedule.after(
        0,
        to.process,
        'request',
        () => {
          this.story.tell('client', `${what} at ${to.process.name}`);
          void serve(to).then(answer);
        },
        () => answer(undefined),
      );
    });
  }

  allocate(broker: 0 | 1, track: string): Promise<Reply | undefined> {
    return this.ask(broker, `allocate ${track}`, (to) => to.allocate({ track }));
  }

  release(broker: 0 | 1, track: string, sandboxId: string): Promise<Reply | undefined> {
    this.#releaseAsked.add(sandboxId);
    return this.ask(broker, `release ${sandboxId}`, (to) => to.release(sandboxId, track));
  }

  /** What the table shows at the end that must not be. */
  judgeEnd(): void {
    const items = [...this.store.table.entries()].map(([, item]) => unmarshallItem(item));
    for (const text of violationsOf(items)) this.violations.add(text.slice(0, text.indexOf(':')), text);
  }
}
