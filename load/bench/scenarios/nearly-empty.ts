import { median } from '../../lib/statistics.ts';
import { textTable } from '../../lib/text-table.ts';
import { type BrokerFigures, lastAnswerMs, measureLoad } from '../measure.ts';
import { atMost, type Scenario } from '../scenario.ts';
import { TRACK_TOKEN } from '../stand.ts';

const REQUESTS = 1_000;
const LEFT = [100, 10, 1];

interface Round {
  readonly figures: BrokerFigures;
  readonly lastServedMs: number;
  readonly lastRefusedMs: number;
  /** All requests to the database: pages of the index, claims looked up, transactions. */
  readonly requests: number;
}

/** More students than sandboxes: exactly as many are served as there are, and the others hear so soon and cheaply. */
export const nearlyEmpty: Scenario = {
  name: 'nearly-empty',
  summary: '100, 10 and 1 sandboxes left for 1,000 requests, one broker and four',
  run: async ({ stand, settings, say }) => {
    const rows: { processes: number; left: number; rounds: Round[] }[] = [];
    for (const processes of settings.quick ? [1] : [1, 4]) {
      say(`nearly empty pools: ${processes} process${processes === 1 ? '' : 'es'}`);
      const table = await stand.createTable();
      const brokers = await Promise.all(Array.from({ length: processes }, () => stand.startBroker(table)));
      const urls = brokers.map(({ url }) => url);
      await table.fill(processes * (settings.quick ? 300 : 2_000));
      const warm = { token: TRACK_TOKEN, run: 'warm' };
      const requests = table.available;
      await measureLoad(stand, table, brokers, {
        kind: 'closed',
        urls,
        callers: warm,
        concurrency: 64,
        requests,
      });
      for (const left of LEFT) {
        const rounds: Round[] = [];
        for (let round = 0; round < (settings.quick ? 1 : settings.rounds); round += 1) {
          await table.fill(left);
          // Emptiness is remembered for half a second.
          await new Promise((resolve) => setTimeout(resolve, 1_000));
          const callers = { token: TRACK_TOKEN, run: `left${left}-r${round}` };
          const load = { kind: 'burst' as const, urls, callers, requests: REQUESTS, newConnections: false };
          const { figures, result } = await measureLoad(stand, table, brokers, load);
          rounds.push({
            figures,
            lastServedMs: lastAnswerMs(result, 201),
            lastRefusedMs: lastAnswerMs(result, 409),
            requests: Object.values(figures.databaseRequests).reduce((sum, count) => sum + count, 0),
          });
        }
        rows.push({ processes, left, rounds });
      }
      await Promise.all(brokers.map((broker) => broker.stop()));
      await table.drop();
    }
    const hundred = rows.find(({ processes, left }) => processes === 1 && left === 100)?.rounds ?? [];
    const wrong = rows.flatMap(({ left, rounds }) =>
      rounds.map(({ figures }) => figures.errors + Math.abs(figures.allocations - left)),
    );
    return {
      figures: rows,
      targets: [
        // From the last allocation on: before it nobody can know that there is none left.
        atMost(
          '1,000 requests for 100 sandboxes: time of the refusals, ratio to that of the allocations',
          median(
            hundred.map(({ lastRefusedMs, lastServedMs }) => (lastRefusedMs - lastServedMs) / lastServedMs),
          ),
          1,
        ),
        atMost(
          '1,000 requests for 100 sandboxes: requests to the database',
          median(hundred.map(({ requests }) => requests)),
          50,
        ),
        atMost('nearly empty pools: answers that were wrong, worst round', Math.max(...wrong), 0),
      ],
      report: textTable(
        [
          'processes',
          'left',
          'served',
          'refused',
          'last served ms',
          'last refused ms',
          'db requests',
          'conflicts',
        ],
        rows.map(({ processes, left, rounds }) => {
          const of = (pick: (round: Round) => number) => median(rounds.map(pick));
          return [
            String(processes),
            left,
            of(({ figures }) => figures.allocations),
            of(({ figures }) => figures.answers[409] ?? 0),
            of(({ lastServedMs }) => lastServedMs),
            of(({ lastRefusedMs }) => lastRefusedMs),
            of(({ requests }) => requests),
            of(({ figures }) => figures.conflictsPerAllocation),
          ];
        }),
      ),
    };
  },
};
