import { resolve } from 'node:path';
import { brokerProgram } from '../../lib/broker-program.ts';
import { figure } from '../../lib/statistics.ts';
import { textTable } from '../../lib/text-table.ts';
import { type BrokerFigures, measureLoad } from '../measure.ts';
import type { Scenario } from '../scenario.ts';
import { TRACK_TOKEN } from '../stand.ts';

const CONCURRENCIES = [1, 64, 1_000];
const POOL = 20_000;

/** A change before and after, in one run: two checkouts, each with a table of its own on one engine, in turn. */
export const compare: Scenario = {
  name: 'compare',
  summary: 'the broker of this checkout against that of another one',
  run: async ({ stand, settings, say }) => {
    const programs = {
      here: brokerProgram(),
      there: brokerProgram(resolve(settings.otherCheckout as string)),
    };
    const sides = await Promise.all(
      Object.entries(programs).map(async ([name, program]) => {
        const table = await stand.createTable();
        return { name, table, broker: await stand.startBroker(table, {}, { program }) };
      }),
    );
    const rows = CONCURRENCIES.map((concurrency) => ({
      concurrency,
      here: [] as BrokerFigures[],
      there: [] as BrokerFigures[],
    }));
    for (let round = 0; round <= settings.rounds; round += 1) {
      say(round === 0 ? 'compare: warming up' : `compare: round ${round} of ${settings.rounds}`);
      for (const row of rows) {
        // Whoever goes second finds another machine; so they take turns at that too.
        for (const { name, table, broker } of round % 2 === 0 ? sides : [...sides].reverse()) {
          await table.fill(POOL);
          const load = {
            kind: 'closed' as const,
            urls: [broker.url],
            callers: { token: TRACK_TOKEN, run: `r${round}-c${row.concurrency}` },
            concurrency: row.concurrency,
            seconds: settings.seconds,
          };
          const { figures } = await measureLoad(stand, table, [broker], load);
          if (round > 0) row[name as 'here' | 'there'].push(figures);
        }
      }
      for (const { table } of sides) await table.recreate();
    }
    const compared = rows.map((row) => {
      const ratio = (pick: (figures: BrokerFigures) => number) =>
        figure(row.here.map((here, index) => pick(here) / pick(row.there[index] as BrokerFigures)));
      const here = (pick: (figures: BrokerFigures) => number) => figure(row.here.map(pick)).median;
      return {
        ...row,
        throughput: ratio(({ throughput }) => throughput),
        p50: ratio(({ latency }) => latency.p50),
        brokerMs: ratio(({ processorMsPerAllocation }) => processorMsPerAllocation.broker),
        engineMs: ratio(({ processorMsPerAllocation }) => processorMsPerAllocation.engine),
        brokerMsHere: here(({ processorMsPerAllocation }) => processorMsPerAllocation.broker),
      };
    });
    return {
      figures: compared,
      targets: [],
      report: textTable(
        ['concurrency', 'throughput', 'p50', 'broker ms', 'spread', 'engine ms', 'broker ms here'],
        compared.map((row) => [
          String(row.concurrency),
          row.throughput.median,
          row.p50.median,
          row.brokerMs.median,
          `${row.brokerMs.min.toFixed(2)}-${row.brokerMs.max.toFixed(2)}`,
          row.engineMs.median,
          row.brokerMsHere,
        ]),
      ),
    };
  },
};
