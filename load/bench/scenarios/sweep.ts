import { startDelayingProxy } from '../../lib/delaying-proxy.ts';
import { median } from '../../lib/statistics.ts';
import { textTable } from '../../lib/text-table.ts';
import { measureLoad } from '../measure.ts';
import type { Scenario } from '../scenario.ts';
import { TRACK_TOKEN } from '../stand.ts';

const DELAYS_MS = [0, 5, 20];
const IN_FLIGHT = [1, 2, 4, 8];
const BATCHES = [10, 25, 50];
const CONCURRENCIES = [64, 1_000];
const POOL = 20_000;

interface Setting {
  readonly delayMs: number;
  readonly inFlight: number;
  readonly batch: number;
  readonly concurrency: number;
  readonly rounds: { throughput: number; p50: number; p99: number; requests: number }[];
}

/** What COMMIT_MAX_IN_FLIGHT and COMMIT_MAX_BATCH should be, near the database and a region's usual way from it. */
export const sweep: Scenario = {
  name: 'sweep',
  summary: 'groups and transactions in flight, with 0, 5 and 20 ms on the wire',
  run: async ({ stand, settings, say }) => {
    const all: Setting[] = [];
    for (const delayMs of DELAYS_MS) {
      const proxy = delayMs === 0 ? undefined : await startDelayingProxy(stand.endpoint, delayMs);
      const table = await stand.createTable();
      const wire = proxy === undefined ? {} : { DDB_ENDPOINT_URL: proxy.url };
      const settingsTried = IN_FLIGHT.flatMap((inFlight) => BATCHES.map((batch) => ({ inFlight, batch })));
      const mine = settingsTried.flatMap((each) =>
        CONCURRENCIES.map((concurrency): Setting => ({ delayMs, ...each, concurrency, rounds: [] })),
      );
      for (let round = 0; round < settings.rounds; round += 1) {
        await table.recreate();
        for (const { inFlight, batch } of settingsTried) {
          say(`sweep: ${delayMs} ms, ${inFlight} in flight, groups of ${batch}, round ${round + 1}`);
          const broker = await stand.startBroker(table, {
            ...wire,
            COMMIT_MAX_IN_FLIGHT: String(inFlight),
            COMMIT_MAX_BATCH: String(batch),
          });
          const measure = async (run: string, concurrency: number, seconds: number) => {
            await table.fill(POOL);
            const callers = { token: TRACK_TOKEN, run: `${run}-${delayMs}-${inFlight}-${batch}-${round}` };
            const load = { kind: 'closed' as const, urls: [broker.url], callers, concurrency, seconds };
            return (await measureLoad(stand, table, [broker], load)).figures;
          };
          await measure('warm', 256, settings.seconds);
          for (const setting of mine) {
            if (setting.inFlight !== inFlight || setting.batch !== batch) continue;
            const figures = await measure(`c${setting.concurrency}`, setting.concurrency, settings.seconds);
            setting.rounds.push({
              throughput: figures.throughput,
              p50: figures.latency.p50,
              p99: figures.latency.p99,
              requests: figures.databaseRequestsPerAllocation,
            });
          }
          await broker.stop();
        }
      }
      all.push(...mine);
      await table.drop();
      await proxy?.close();
    }
    return {
      figures: all,
      targets: [],
      report: textTable(
        ['wire ms', 'in flight', 'group', 'concurrency', 'alloc/s', 'p50 ms', 'p99 ms', 'db requests'],
        all.map(({ delayMs, inFlight, batch, concurrency, rounds }) => [
          delayMs,
          inFlight,
          batch,
          concurrency,
          median(rounds.map(({ throughput }) => throughput)),
          median(rounds.map(({ p50 }) => p50)),
          median(rounds.map(({ p99 }) => p99)),
          median(rounds.map(({ requests }) => requests)),
        ]),
      ),
    };
  },
};
