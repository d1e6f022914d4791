import { type Figure, figure } from '../../lib/statistics.ts';
import { textTable } from '../../lib/text-table.ts';
import { measureLoad } from '../measure.ts';
import { atMost, type BenchContext, type Scenario } from '../scenario.ts';
import { TRACK_TOKEN } from '../stand.ts';

const CONCURRENCY = 16;

/** Allocation must cost the same in a large pool as in a small one. */
export const poolSize: Scenario = {
  name: 'pool-size',
  summary: 'p50 in pools of 1,000, 10,000 and 100,000 sandboxes',
  run: async (context) => {
    const { stand, settings, say } = context;
    const sizes = settings.quick ? [1_000, 3_000] : [1_000, 10_000, 100_000];
    const requests = settings.quick ? 200 : 500;
    const pools = [];
    for (const size of sizes) {
      say(`pool size: filling ${size}`);
      const table = await stand.createTable();
      const broker = await stand.startBroker(table);
      await table.fill(size);
      pools.push({ size, table, broker, p50: [] as number[] });
    }
    // In turn, so that whatever else the machine does meets all alike; the first round is for the compilers.
    for (let round = 0; round <= settings.rounds; round += 1) {
      for (const { size, table, broker, p50 } of pools) {
        await table.fill(size);
        const callers = { token: TRACK_TOKEN, run: `size${size}-r${round}` };
        const load = {
          kind: 'closed' as const,
          urls: [broker.url],
          callers,
          concurrency: CONCURRENCY,
          requests,
        };
        const { figures } = await measureLoad(stand, table, [broker], load);
        if (round > 0) p50.push(figures.latency.p50);
      }
    }
    for (const { broker, table } of pools) {
      await broker.stop();
      await table.drop();
    }
    const smallest = pools[0]?.p50 ?? [];
    const rows = pools.map(({ size, p50 }) => ({
      size,
      p50: figure(p50),
      ratio: figure(p50.map((value, round) => value / (smallest[round] as number))),
    }));
    const ratioAt = (size: number): Figure | undefined => rows.find((row) => row.size === size)?.ratio;
    return {
      figures: rows,
      targets: [largest(context, ratioAt(100_000))],
      report: textTable(
        ['pool', 'p50 ms', 'ratio to the smallest', 'spread'],
        rows.map(({ size, p50, ratio }) => [
          size,
          p50.median,
          ratio.median,
          `${ratio.min.toFixed(2)}-${ratio.max.toFixed(2)}`,
        ]),
      ),
    };
  },
};

function largest({ settings }: BenchContext, ratio: Figure | undefined) {
  const name = 'p50 at 100,000 rows, ratio to 1,000 rows';
  if (ratio !== undefined && !settings.quick) return atMost(name, ratio.median, 1.1);
  return { name, value: null, target: 'at most 1.1', holds: null, note: 'not measured by --quick' };
}
