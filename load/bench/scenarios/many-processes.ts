import { type Figure, figure, median } from '../../lib/statistics.ts';
import { textTable } from '../../lib/text-table.ts';
import { type BrokerFigures, measureLoad } from '../measure.ts';
import { atMost, type Scenario } from '../scenario.ts';
import { TRACK_TOKEN } from '../stand.ts';

const PROCESSES = [1, 2, 4];
const CONCURRENCY = 256;
/** By then all have heard of each other: they give a sign of life every ten seconds, more or less. */
const ACQUAINTANCE_MS = 13_000;
/** What a broker has read of an earlier pool is too old to be tried after this time. */
const FRESH_MS = 3_100;

/** Several brokers on one table, and a pool of twice what is asked for: how often do they get in each other's way? */
export const manyProcesses: Scenario = {
  name: 'many-processes',
  summary: '1, 2 and 4 brokers on one table, the pool twice the demand',
  run: async ({ stand, settings, say }) => {
    const demand = settings.quick ? 600 : 4_000;
    say('many processes: starting');
    const groups = await Promise.all(
      (settings.quick ? [1, 4] : PROCESSES).map(async (processes) => {
        const table = await stand.createTable();
        const brokers = await Promise.all(Array.from({ length: processes }, () => stand.startBroker(table)));
        return { processes, table, brokers, rounds: [] as BrokerFigures[], restedAt: performance.now() };
      }),
    );
    await pause(ACQUAINTANCE_MS);
    for (let round = 0; round <= settings.rounds; round += 1) {
      say(
        round === 0 ? 'many processes: warming up' : `many processes: round ${round} of ${settings.rounds}`,
      );
      for (const group of groups) {
        const { processes, table, brokers, rounds } = group;
        await table.fill(2 * demand);
        await pause(group.restedAt + FRESH_MS - performance.now());
        const load = {
          kind: 'closed' as const,
          urls: brokers.map(({ url }) => url),
          callers: { token: TRACK_TOKEN, run: `p${processes}-r${round}` },
          concurrency: CONCURRENCY,
          requests: demand,
        };
        const { figures } = await measureLoad(stand, table, brokers, load);
        // The first round is for their compilers.
        if (round > 0) rounds.push(figures);
        group.restedAt = performance.now();
      }
    }
    for (const { table, brokers } of groups) {
      await Promise.all(brokers.map((broker) => broker.stop()));
      await table.drop();
    }
    const rows = groups.map(({ processes, rounds }) => ({ processes, rounds }));
    const conflicts = (rounds: readonly BrokerFigures[]): Figure =>
      figure(rounds.map(({ conflictsPerAllocation }) => conflictsPerAllocation));
    const four = rows.find(({ processes }) => processes === 4)?.rounds ?? [];
    return {
      figures: rows.map((row) => ({ ...row, conflictsPerAllocation: conflicts(row.rounds) })),
      targets: [
        atMost('conflicts per allocation, 4 processes, pool twice the demand', conflicts(four).median, 0.02),
      ],
      report: textTable(
        ['processes', 'alloc/s', 'p50 ms', 'p99 ms', 'errors', 'db requests', 'conflicts', 'spread'],
        rows.map(({ processes, rounds }) => {
          const of = (pick: (figures: BrokerFigures) => number) => median(rounds.map(pick));
          const { min, max } = conflicts(rounds);
          return [
            String(processes),
            of(({ throughput }) => throughput),
            of(({ latency }) => latency.p50),
            of(({ latency }) => latency.p99),
            of(({ errors }) => errors),
            of(({ databaseRequestsPerAllocation }) => databaseRequestsPerAllocation),
            of(({ conflictsPerAllocation }) => conflictsPerAllocation),
            `${min.toFixed(4)}-${max.toFixed(4)}`,
          ];
        }),
      ),
    };
  },
};

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
