import { figure, summarize } from '../../lib/statistics.ts';
import { textTable } from '../../lib/text-table.ts';
import { latenciesOf, measureLoad } from '../measure.ts';
import { atMost, type Scenario } from '../scenario.ts';
import { TRACK_TOKEN } from '../stand.ts';

const CONCURRENCY = 256;

interface Round {
  readonly plain: number;
  readonly storm: number;
  readonly replays: number;
  readonly wrong: number;
}

/**
 * Half of the requests repeat an allocation that another process made, so the one that is asked cannot know it: their
 * transactions are cancelled, and with them those of the new students who share one. "The same load" is as many callers
 * at once, sending as many requests in all.
 */
export const retryStorm: Scenario = {
  name: 'retry-storm',
  summary: 'half of the requests repeat allocations that another process made',
  run: async ({ stand, settings, say }) => {
    const requests = settings.quick ? 300 : 4_000;
    const pool = 4 * requests;
    const table = await stand.createTable();
    const first = await stand.startBroker(table);
    const second = await stand.startBroker(table);
    const rounds: Round[] = [];
    for (let round = 0; round <= settings.rounds; round += 1) {
      say(`retry storm: round ${round} of ${settings.rounds}`);
      await table.fill(pool);
      const load = (run: string, urls: string[], count: number, replays?: readonly string[]) => ({
        kind: 'closed' as const,
        urls,
        callers: { token: TRACK_TOKEN, run: `${run}-r${round}`, replays },
        concurrency: CONCURRENCY,
        requests: count,
      });
      const earlier = await measureLoad(stand, table, [first], load('earlier', [first.url], requests / 2));
      const plain = await measureLoad(stand, table, [second], load('plain', [second.url], requests));
      const replays = earlier.result.served;
      const storm = await measureLoad(stand, table, [second], load('storm', [second.url], requests, replays));
      // The first round is for the compilers.
      if (round === 0) continue;
      rounds.push({
        plain: plain.figures.latency.p99,
        storm: storm.figures.latency.p99,
        replays: summarize(latenciesOf(storm.result, 200)).p99,
        wrong: storm.figures.errors + requests / 2 - (storm.figures.answers[200] ?? 0),
      });
    }
    await first.stop();
    await second.stop();
    await table.drop();
    const ratio = figure(rounds.map(({ plain, storm }) => storm / plain));
    return {
      figures: { requests, concurrency: CONCURRENCY, ratio, rounds },
      targets: [
        atMost("retry storm: new students' p99 against the same load without replays", ratio.median, 2),
        atMost('retry storm: wrong answers, worst round', Math.max(...rounds.map(({ wrong }) => wrong)), 0),
      ],
      report: textTable(
        ['round', 'new p99 ms', 'new p99 ms in the storm', 'replay p99 ms', 'ratio'],
        rounds.map(({ plain, storm, replays }, index) => [
          String(index + 1),
          plain,
          storm,
          replays,
          storm / plain,
        ]),
      ),
    };
  },
};
