import { RARE_PREFIX } from '../../lib/bench-sandboxes.ts';
import { figure } from '../../lib/statistics.ts';
import { textTable } from '../../lib/text-table.ts';
import { measureLoad } from '../measure.ts';
import { atMost, type Scenario } from '../scenario.ts';
import { TRACK_TOKEN } from '../stand.ts';

const CONCURRENCY = 16;
const POOL = 20_000;
/** Of the 200 that match. */
const REQUESTS = 150;

/** A name prefix is no key of any index; it must not cost much all the same. */
export const prefix: Scenario = {
  name: 'prefix',
  summary: 'requests for a name prefix that 1 % of the pool has',
  run: async ({ stand, settings, say }) => {
    const pool = settings.quick ? 2_000 : POOL;
    const requests = settings.quick ? 15 : REQUESTS;
    const table = await stand.createTable();
    const broker = await stand.startBroker(table);
    const ratios: number[] = [];
    const rounds: { with: number; without: number; refused: number }[] = [];
    for (let round = 0; round <= settings.rounds; round += 1) {
      say(`prefix: round ${round} of ${settings.rounds}`);
      await table.recreate();
      await table.fill(pool);
      const p50Of = async (run: string, namePrefix: string | undefined) => {
        const callers = { token: TRACK_TOKEN, run: `${run}-r${round}`, namePrefix };
        const load = {
          kind: 'closed' as const,
          urls: [broker.url],
          callers,
          concurrency: CONCURRENCY,
          requests,
        };
        const { figures } = await measureLoad(stand, table, [broker], load);
        return { p50: figures.latency.p50, refused: requests - figures.allocations };
      };
      const without = await p50Of('any', undefined);
      const rare = await p50Of('rare', RARE_PREFIX);
      // The first round is for the compilers.
      if (round === 0) continue;
      ratios.push(rare.p50 / without.p50);
      rounds.push({ with: rare.p50, without: without.p50, refused: rare.refused });
    }
    await broker.stop();
    await table.drop();
    const ratio = figure(ratios);
    const refused = Math.max(...rounds.map((round) => round.refused));
    return {
      figures: { pool, requests, ratio, rounds },
      targets: [
        atMost(
          'prefix matching 1 % of 20,000 rows, p50 against no prefix',
          ratio.median,
          1.5,
          settings.quick ? `measured by --quick on ${pool} rows` : undefined,
        ),
        atMost('prefix: requests refused although sandboxes matched', refused, 0),
      ],
      report: textTable(
        ['round', 'p50 ms with prefix', 'p50 ms without', 'ratio'],
        rounds.map((round, index) => [String(index + 1), round.with, round.without, ratios[index] as number]),
      ),
    };
  },
};
