import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../src/local/csp-simulator/seeded-random.ts';
import { Recorder } from '../history/recorder.ts';
import { dueForDeletion, isSandbox, statusOf } from '../support/table-rows.ts';
import { check } from './checks.ts';
import { type Installation, type Item, startInstallation } from './installation.ts';
import { recoveries, type Struck } from './recovery.ts';
import type { GameDay } from './report.ts';
import type { Fault, Scenario } from './scenario.ts';
import { runClass, TRY_MS } from './students.ts';
import { summarize } from './summary.ts';

export interface PlayOptions {
  readonly seed: number;
  readonly brokers: number;
  readonly students: number;
  readonly onProgress: (text: string) => void;
  /** Told of what is running, so that it can be ended when this process is. */
  readonly onInstallation: (installation: Installation | undefined) => void;
}

/** In which a fault must be done, or taken back: a start takes seconds, more on a busy machine. */
const STRIKE_LIMIT_MS = 120_000;
/** In which all must come to rest when the last fault is over. */
const SETTLE_MS = 120_000;
const LOOK_EVERY_MS = 1_000;
/** Two of its kind: a listing that is not true must have been followed by one that is. */
const LAST_SYNC_MS = 5_000;

/** One scenario from its start to its verdict. */
export async function play(scenario: Scenario, options: PlayOptions): Promise<GameDay> {
  const random = seededRandom(options.seed);
  const { brokers, students, onProgress } = options;
  const faults =
    typeof scenario.faults === 'function' ? scenario.faults({ random, brokers }) : scenario.faults;
  const installation = await startInstallation({
    brokers,
    pool: Math.ceil(students * (scenario.poolPerStudent ?? 1.2)),
    environment: scenario.environment ?? {},
    random: seededRandom(options.seed + 1),
  });
  options.onInstallation(installation);
  let stopped = false;
  try {
    const recorder = new Recorder(TRY_MS);
    const initialPool = installation.csp.accounts
      .all()
      .map(({ csp_id, name }) => ({ sandboxId: String(csp_id), name }));
    const began = recorder.now();
    const epoch = Date.now() - began;
    const watch = new Watch(installation);
    const problems: string[] = [];
    const strikes = faults.map((fault) => strike(fault, installation, recorder, began, problems, onProgress));
    const visits = await runClass({
      students,
      arrivalSeconds: scenario.arrivalSeconds ?? 20,
      neverRelease: scenario.neverRelease ?? 0.1,
      recorder,
      target: { name: 'the proxy', url: installation.url },
      random,
    });
    const classOver = recorder.now();
    const struck = (await Promise.all(strikes)).filter((each) => each !== undefined);
    const quietFrom = Math.max(classOver, ...struck.map(({ to }) => to));
    onProgress('the class is over, and all faults are; settling');
    const restless = await settle(installation, scenario);
    const settledAfter = (recorder.now() - quietFrom) / 1000;
    await watch.stop();
    const late = await installation.fleet.stop();
    stopped = true;
    const items = await installation.table.items();

    const checks = check({
      scenario,
      installation,
      items,
      calls: recorder.calls,
      visits,
      poolSince: began,
      initialPool,
      epoch,
      mostStale: watch.mostStale,
    });
    return {
      name: scenario.name,
      summary: scenario.summary,
      seed: options.seed,
      brokers,
      students,
      seconds: (recorder.now() - began) / 1000,
      began,
      recoveries: recoveries(struck, {
        calls: recorder.calls,
        deletions: installation.csp.log.of('delete'),
        epoch,
      }),
      seen: summarize(recorder.calls, visits),
      end: { ...countsOf(items), settledAfter, deletedAtProvider: deletedAt(installation) },
      logged: [...installation.fleet.errors],
      checks: [
        ...checks,
        { name: 'every fault was done and taken back', violations: problems },
        { name: 'everything came to rest', violations: restless },
        {
          name: 'every broker stopped when it was asked to',
          violations: late.map((name) => `${name} had to be killed`),
        },
      ],
    };
  } finally {
    if (stopped) await installation.stop();
    else await installation.stop().catch(() => installation.killAll());
    options.onInstallation(undefined);
  }
}

async function strike(
  { what, from, to, strike: begin }: Fault,
  installation: Installation,
  recorder: Recorder,
  began: number,
  problems: string[],
  onProgress: (text: string) => void,
): Promise<Struck | undefined> {
  const until = (seconds: number) => sleep(Math.max(0, began + seconds * 1000 - recorder.now()));
  try {
    await until(from);
    const struckAt = recorder.now();
    onProgress(`${from} s: ${what}`);
    const lift = await within(STRIKE_LIMIT_MS, begin(installation), 'it could not be done');
    await until(to);
    await within(STRIKE_LIMIT_MS, lift(), 'it could not be taken back');
    const lifted = recorder.now();
    onProgress(`${Math.round((lifted - began) / 1000)} s: over: ${what}`);
    return { what, from: struckAt, to: lifted };
  } catch (error) {
    problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

async function within<Result>(
  milliseconds: number,
  work: Result | Promise<Result>,
  otherwise: string,
): Promise<Result> {
  const limit = new AbortController();
  const late = sleep(milliseconds, undefined, { signal: limit.signal, ref: false }).then(() => {
    throw new Error(`${otherwise} within ${milliseconds / 1000} s`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    limit.abort();
  }
}

/** Waits until nothing is left to be done. @returns what is left when time is over */
async function settle(installation: Installation, scenario: Scenario): Promise<string[]> {
  const begun = performance.now();
  for (;;) {
    await sleep(LOOK_EVERY_MS);
    const rows = (await installation.table.items()).filter(isSandbox);
    const due = rows.filter((row) => dueForDeletion(row, Date.now() / 1000)).length;
    const stale = rows.filter((row) => statusOf(row) === 'stale').length;
    const allocated =
      scenario.expireAfterSeconds === undefined
        ? 0
        : rows.filter((row) => statusOf(row) === 'allocated').length;
    const waited = performance.now() - begun;
    if (due + stale + allocated === 0 && waited > LAST_SYNC_MS) return [];
    if (waited > SETTLE_MS)
      return [
        `after ${SETTLE_MS / 1000} s ${due} deletions are due, ${stale} rows stale, ${allocated} not expired`,
      ];
  }
}

/** Looks at the table again and again while faults last. */
class Watch {
  mostStale = 0;
  #goesOn = true;
  readonly #watching: Promise<void>;

  constructor({ table }: Installation) {
    this.#watching = (async () => {
      while (this.#goesOn) {
        await sleep(LOOK_EVERY_MS);
        // The database may stand still just now.
        const items = await table.items().catch(() => []);
        const stale = items.filter((item) => isSandbox(item) && statusOf(item) === 'stale').length;
        this.mostStale = Math.max(this.mostStale, stale);
      }
    })();
  }

  stop(): Promise<void> {
    this.#goesOn = false;
    return this.#watching;
  }
}

function countsOf(items: readonly Item[]): { statuses: Record<string, number>; waiting: number } {
  const rows = items.filter(isSandbox);
  const statuses = Object.fromEntries(
    [...Map.groupBy(rows, statusOf)].map(([status, { length }]) => [status, length]),
  );
  return { statuses, waiting: statuses.pending_deletion ?? 0 };
}

function deletedAt({ csp }: Installation): number {
  return csp.log.of('delete').filter(({ status }) => status === 204).length;
}
