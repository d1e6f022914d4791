import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { knee } from '../../lib/knee.ts';
import { linePlot } from '../../lib/line-plot.ts';
import { summarize } from '../../lib/statistics.ts';
import { textTable } from '../../lib/text-table.ts';
import { type BrokerFigures, measureLoad } from '../measure.ts';
import type { BenchContext, Scenario } from '../scenario.ts';
import { TRACK_TOKEN } from '../stand.ts';

const PLOT = fileURLToPath(new URL('../../../docs/plots/latency-against-load.svg', import.meta.url));
/** Of what callers who wait for their answers get through. */
const SHARES = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1];
const QUICK_SHARES = [0.1, 0.5, 0.9];
const POOL = 20_000;
const QUICK_POOL = 4_000;

interface Point {
  readonly offered: number;
  readonly served: number;
  readonly p50: number;
  readonly p99: number;
  readonly figures: BrokerFigures;
}

/** Students arrive when their lab starts, not when others have been served: latency at each load, and where it climbs. */
export const openLoop: Scenario = {
  name: 'open-loop',
  summary: 'latency against offered load, arrivals as a Poisson process',
  run: async (context) => {
    const { stand, settings, say } = context;
    const table = await stand.createTable();
    const broker = await stand.startBroker(table);
    const closed = {
      kind: 'closed' as const,
      urls: [broker.url],
      callers: { token: TRACK_TOKEN, run: 'capacity' },
      concurrency: 256,
      seconds: settings.quick ? 1 : 4,
    };
    await table.fill(settings.quick ? QUICK_POOL : POOL);
    const warm = await measureLoad(stand, table, [broker], closed);
    const capacity = context.known.brokerThroughput[256] ?? warm.figures.throughput;

    const points: Point[] = [];
    for (const share of settings.quick ? QUICK_SHARES : SHARES) {
      const offered = Math.round(capacity * share);
      say(`open loop: ${offered} arrivals a second`);
      await table.fill(settings.quick ? QUICK_POOL : POOL);
      const load = {
        kind: 'open' as const,
        urls: [broker.url],
        callers: { token: TRACK_TOKEN, run: `open-${share}` },
        ratePerSecond: offered,
        seconds: settings.quick ? 1 : 5,
      };
      const { figures, result } = await measureLoad(stand, table, [broker], load);
      const { p50, p99 } = summarize(result.latenciesMs);
      points.push({ offered, served: figures.throughput, p50, p99, figures });
    }
    await broker.stop();
    await table.drop();
    const bend = knee(points.map(({ offered, p99 }) => [offered, p99] as const));
    if (!settings.quick) draw(points, bend[0], context);
    return {
      figures: { capacity, knee: { offered: bend[0], p99: bend[1] }, points },
      targets: [],
      report: `${textTable(
        ['offered/s', 'served/s', 'p50 ms', 'p99 ms', 'errors', 'broker ms', 'db requests'],
        points.map(({ offered, served, p50, p99, figures }) => [
          offered,
          served,
          p50,
          p99,
          figures.errors,
          figures.processorMsPerAllocation.broker,
          figures.databaseRequestsPerAllocation,
        ]),
      )}\n\nThe knee is at ${bend[0]} arrivals a second.`,
    };
  },
};

function draw(points: readonly Point[], kneeAt: number, { say }: BenchContext): void {
  mkdirSync(fileURLToPath(new URL('.', `file://${PLOT}`)), { recursive: true });
  writeFileSync(
    PLOT,
    linePlot({
      title: 'Latency of an allocation against offered load (one broker, 2 cores for all)',
      xLabel: 'arrivals a second (Poisson)',
      yLabel: 'milliseconds',
      yScale: 'log',
      series: [
        { name: 'p50', points: points.map(({ offered, p50 }) => [offered, p50] as const) },
        { name: 'p99', points: points.map(({ offered, p99 }) => [offered, p99] as const) },
      ],
      mark: { x: kneeAt, label: `knee: ${kneeAt}/s` },
    }),
  );
  say(`drawn to ${PLOT}`);
}
