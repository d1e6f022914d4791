import type { BareResult } from '../../bare/bare-loop.ts';
import type { BenchTable } from '../../lib/bench-table.ts';
import { processorMs } from '../../lib/process-figures.ts';
import { type Figure, figure, median, summarize } from '../../lib/statistics.ts';
import { textTable } from '../../lib/text-table.ts';
import { type BrokerFigures, measureLoad } from '../measure.ts';
import {
  atLeast,
  atMost,
  type BenchContext,
  type BenchSettings,
  type Scenario,
  type ScenarioResult,
  type Target,
} from '../scenario.ts';
import { TRACK_TOKEN } from '../stand.ts';

const CONCURRENCIES = [1, 16, 64, 256, 1_000];
const BURST = 1_000;
/** More than any loop uses up in a few seconds, so that none meets a dry pool. */
const POOL = 12_000;
const QUICK_POOL = 4_000;
/** Allocations in one transaction at most (100 items). */
const MAX_GROUP = 50;
const LANES_TRIED = [1, 2, 3, 4];
const USUALLY_BEST_LANES = 2;

interface BareFigures {
  readonly throughput: number;
  readonly p50: number;
  readonly p99: number;
  readonly processorMsPerAllocation: { readonly loop: number; readonly engine: number };
  readonly callsPerAllocation: number;
}

interface Row {
  readonly broker: BrokerFigures[];
  readonly floor: BareFigures[];
  readonly ceiling: BareFigures[];
}

/**
 * Callers who wait for their answer, beside the two loops that bound what can be had, in turn within each round: so
 * whatever else the machine does meets all three alike, and figures are quoted as ratios.
 */
export const closedLoop: Scenario = {
  name: 'closed-loop',
  summary: 'throughput, latency and processor time at 1 to 1,000 concurrent, and a burst of 1,000',
  run: async (context) => {
    const { stand, settings, say } = context;
    const brokerTable = await stand.createTable();
    const bareTable = await stand.createTable();
    const broker = await stand.startBroker(brokerTable);
    await warmUp(context, brokerTable, bareTable, broker.url);
    const lanes = await bestLanes(context, bareTable);

    const rows = new Map<number, Row>(CONCURRENCIES.map((c) => [c, { broker: [], floor: [], ceiling: [] }]));
    const bursts: BrokerFigures[] = [];
    for (let round = 1; round <= settings.rounds; round += 1) {
      say(`closed loop: round ${round} of ${settings.rounds}`);
      for (const [concurrency, row] of rows) {
        const run = `r${round}-c${concurrency}`;
        if (!settings.quick) {
          await stand.renewEngine();
          await brokerTable.recreate();
          await bareTable.recreate();
        }
        await brokerTable.fill(poolOf(settings));
        const callers = { token: TRACK_TOKEN, run };
        const load = {
          kind: 'closed' as const,
          urls: [broker.url],
          callers,
          concurrency,
          seconds: settings.seconds,
        };
        row.broker.push((await measureLoad(stand, brokerTable, [broker], load)).figures);
        const best = lanes.get(concurrency) as number;
        row.ceiling.push(
          await bareLoop(context, bareTable, `ceiling-${run}`, best, groupOf(concurrency, best)),
        );
        // Last: it makes the most calls by far, each of which makes the engine slower.
        row.floor.push(await bareLoop(context, bareTable, `floor-${run}`, concurrency, 1));
      }
      await brokerTable.fill(poolOf(settings));
      const burst = {
        kind: 'burst' as const,
        urls: [broker.url],
        callers: { token: TRACK_TOKEN, run: `r${round}-burst` },
        requests: BURST,
        newConnections: true,
      };
      bursts.push((await measureLoad(stand, brokerTable, [broker], burst)).figures);
    }
    await broker.stop();
    await brokerTable.drop();
    await bareTable.drop();
    for (const [concurrency, row] of rows) {
      context.known.floorThroughput[concurrency] = median(row.floor.map(({ throughput }) => throughput));
      context.known.brokerThroughput[concurrency] = median(row.broker.map(({ throughput }) => throughput));
    }
    return result(rows, bursts, lanes);
  },
};

function poolOf({ quick }: BenchSettings): number {
  return quick ? QUICK_POOL : POOL;
}

function groupOf(concurrency: number, lanes: number): number {
  return Math.max(1, Math.min(MAX_GROUP, Math.floor(concurrency / lanes)));
}

/** Compilers, connections and buffers, until they are as they will be. */
async function warmUp(
  context: BenchContext,
  brokerTable: BenchTable,
  bareTable: BenchTable,
  url: string,
): Promise<void> {
  const { stand, settings, say } = context;
  say('closed loop: warming up');
  const seconds = settings.quick ? 1 : 4;
  for (const concurrency of [64, 1]) {
    await brokerTable.fill(poolOf(settings));
    const callers = { token: TRACK_TOKEN, run: `warm-${concurrency}` };
    const load = { kind: 'closed' as const, urls: [url], callers, concurrency, seconds };
    brokerTable.used((await stand.generator.run(load)).served.length);
  }
  for (const group of [1, 32]) await bare(context, bareTable, `warm-${group}`, 2, group, seconds / 2);
}

/** How many transactions under way at once the engine takes best, for each number of callers. */
async function bestLanes(context: BenchContext, table: BenchTable): Promise<Map<number, number>> {
  const best = new Map(CONCURRENCIES.map((c) => [c, Math.min(c, USUALLY_BEST_LANES)] as const));
  if (context.settings.quick) return best;
  context.say('closed loop: looking for the best grouping');
  for (const concurrency of CONCURRENCIES) {
    let fastest = 0;
    for (const lanes of LANES_TRIED.filter((count) => count <= concurrency)) {
      const group = groupOf(concurrency, lanes);
      const { result } = await bare(context, table, `lanes-${concurrency}`, lanes, group, 1);
      const throughput = result.allocations / result.elapsedMs;
      if (throughput > fastest) {
        fastest = throughput;
        best.set(concurrency, lanes);
      }
    }
  }
  return best;
}

async function bare(
  { stand, settings }: BenchContext,
  table: BenchTable,
  run: string,
  lanes: number,
  group: number,
  seconds: number,
): Promise<{ result: BareResult; engineMs: number }> {
  const first = await table.fill(poolOf(settings));
  const engine = () => (stand.engine === undefined ? Number.NaN : processorMs(stand.engine.pid));
  const before = engine();
  const result = await stand.bare.run({
    environment: table.environment,
    run: `${run}-${first}`,
    first,
    count: table.available,
    seconds,
    lanes,
    group,
  });
  table.used(result.allocations);
  return { result, engineMs: engine() - before };
}

async function bareLoop(
  context: BenchContext,
  table: BenchTable,
  run: string,
  lanes: number,
  group: number,
): Promise<BareFigures> {
  const { result, engineMs } = await bare(context, table, run, lanes, group, context.settings.seconds);
  const { p50, p99 } = summarize(result.latenciesMs);
  return {
    throughput: (result.allocations / result.elapsedMs) * 1000,
    p50,
    p99,
    processorMsPerAllocation: {
      loop: result.processorMs / result.allocations,
      engine: engineMs / result.allocations,
    },
    callsPerAllocation: result.calls / result.allocations,
  };
}

/** A ratio within each round, and then the median: what disturbed a round disturbed both sides of it. */
function ratios<Above, Below>(
  above: readonly Above[],
  below: readonly Below[],
  ofAbove: (figures: Above) => number,
  ofBelow: (figures: Below) => number,
): Figure {
  return figure(above.map((figures, round) => ofAbove(figures) / ofBelow(below[round] as Below)));
}

function result(
  rows: ReadonlyMap<number, Row>,
  bursts: readonly BrokerFigures[],
  lanes: ReadonlyMap<number, number>,
): ScenarioResult {
  const summaries = [...rows].map(([concurrency, row]) => ({
    concurrency,
    ceilingLanes: lanes.get(concurrency),
    throughputToFloor: ratios(row.broker, row.floor, throughputOf, throughputOf),
    throughputToCeiling: ratios(row.broker, row.ceiling, throughputOf, throughputOf),
    p50ToFloor: ratios(
      row.broker,
      row.floor,
      ({ latency }) => latency.p50,
      ({ p50 }) => p50,
    ),
    processorToFloor: ratios(
      row.broker,
      row.floor,
      (figures) => figures.processorMsPerAllocation.broker,
      (figures) => figures.processorMsPerAllocation.loop,
    ),
    requestsPerAllocation: figure(row.broker.map((figures) => figures.databaseRequestsPerAllocation)),
    broker: row.broker,
    floor: row.floor,
    ceiling: row.ceiling,
  }));
  const floorAtBurst = median(rows.get(BURST)?.floor.map(throughputOf) ?? []);
  return {
    figures: { rows: summaries, bursts },
    targets: [...targetsOf(summaries), ...burstTargets(bursts, floorAtBurst)],
    report: `${report(rows, bursts)}\n\n${ratioReport(summaries)}`,
  };
}

const throughputOf = ({ throughput }: { throughput: number }) => throughput;

type Summary = {
  concurrency: number;
  throughputToFloor: Figure;
  throughputToCeiling: Figure;
  p50ToFloor: Figure;
  processorToFloor: Figure;
  requestsPerAllocation: Figure;
};

function targetsOf(summaries: readonly Summary[]): Target[] {
  const at = (concurrency: number) =>
    summaries.find((summary) => summary.concurrency === concurrency) as Summary;
  return [
    atLeast('throughput at 64, ratio to the floor', at(64).throughputToFloor.median, 1.5),
    atLeast('throughput at 256, ratio to the floor', at(256).throughputToFloor.median, 1.5),
    atLeast('throughput at 1,000, ratio to the floor', at(1_000).throughputToFloor.median, 1.7),
    atLeast('throughput at 1,000, ratio to the ceiling', at(1_000).throughputToCeiling.median, 0.8),
    atMost("p50 at 1, ratio to the floor's", at(1).p50ToFloor.median, 1.5),
    ...[64, 256, 1_000].map((concurrency) =>
      atMost(
        `processor time of the broker per allocation at ${concurrency}, ratio to the floor's`,
        at(concurrency).processorToFloor.median,
        0.35,
      ),
    ),
    atMost('database requests per allocation at 1', at(1).requestsPerAllocation.median, 1.1),
    atMost('database requests per allocation at 64', at(64).requestsPerAllocation.median, 0.15),
    atMost('database requests per allocation at 1,000', at(1_000).requestsPerAllocation.median, 0.06),
  ];
}

function burstTargets(bursts: readonly BrokerFigures[], floorThroughput: number): Target[] {
  const wrong = Math.max(...bursts.map(({ errors, allocations }) => errors + (BURST - allocations)));
  const p99 = median(bursts.map(({ latency }) => latency.p99));
  const bound = (BURST / floorThroughput) * 1000;
  return [
    atMost('burst of 1,000: requests not answered with a sandbox, worst round', wrong, 0),
    atMost('burst of 1,000: p99 as a share of 1,000 / floor throughput', p99 / bound, 1),
  ];
}

function report(rows: ReadonlyMap<number, Row>, bursts: readonly BrokerFigures[]): string {
  const brokerLine = (name: string, rounds: readonly BrokerFigures[]) => {
    const of = (pick: (figures: BrokerFigures) => number) => median(rounds.map(pick));
    return [
      name,
      of(throughputOf),
      of(({ latency }) => latency.p50),
      of(({ latency }) => latency.p90),
      of(({ latency }) => latency.p99),
      of(({ latency }) => latency.max),
      of(({ errors }) => errors),
      of(({ processorMsPerAllocation }) => processorMsPerAllocation.broker),
      of(({ processorMsPerAllocation }) => processorMsPerAllocation.engine),
      of(({ processorMsPerAllocation }) => processorMsPerAllocation.generator),
      of(({ databaseRequestsPerAllocation }) => databaseRequestsPerAllocation),
      of(({ conflictsPerAllocation }) => conflictsPerAllocation),
      of(({ memoryMb }) => memoryMb.broker),
    ];
  };
  const bareLine = (name: string, rounds: readonly BareFigures[]) => {
    const of = (pick: (figures: BareFigures) => number) => median(rounds.map(pick));
    return [
      name,
      of(throughputOf),
      of(({ p50 }) => p50),
      Number.NaN,
      of(({ p99 }) => p99),
      Number.NaN,
      0,
      of(({ processorMsPerAllocation }) => processorMsPerAllocation.loop),
      of(({ processorMsPerAllocation }) => processorMsPerAllocation.engine),
      Number.NaN,
      of(({ callsPerAllocation }) => callsPerAllocation),
      Number.NaN,
      Number.NaN,
    ];
  };
  return textTable(
    [
      'concurrency',
      'alloc/s',
      'p50 ms',
      'p90 ms',
      'p99 ms',
      'max ms',
      'errors',
      'broker ms',
      'engine ms',
      'generator ms',
      'db requests',
      'conflicts',
      'MB',
    ],
    [
      ...[...rows].flatMap(([concurrency, row]) => [
        brokerLine(`${concurrency} broker`, row.broker),
        bareLine(`${concurrency} floor`, row.floor),
        bareLine(`${concurrency} ceiling`, row.ceiling),
      ]),
      brokerLine('burst of 1,000', bursts),
    ],
  );
}

function ratioReport(summaries: readonly Summary[]): string {
  const spread = ({ median: middle, min, max }: Figure) =>
    `${middle.toFixed(2)} (${min.toFixed(2)}-${max.toFixed(2)})`;
  return textTable(
    ['concurrency', 'throughput/floor', 'throughput/ceiling', 'p50/floor', 'processor/floor'],
    summaries.map((summary) => [
      String(summary.concurrency),
      spread(summary.throughputToFloor),
      spread(summary.throughputToCeiling),
      spread(summary.p50ToFloor),
      spread(summary.processorToFloor),
    ]),
  );
}
