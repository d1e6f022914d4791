import { textTable } from '../../lib/text-table.ts';
import { measureLoad } from '../measure.ts';
import { atMost, type Scenario } from '../scenario.ts';
import { TRACK_TOKEN } from '../stand.ts';

const CONCURRENCY = 256;
const STEP = 10_000;
/** The memory that later readings are held against: after everything has been allocated that is going to be kept. */
const BASE_ALLOCATIONS = 50_000;

/** Memory and speed over half a million allocations of one process. */
export const soak: Scenario = {
  name: 'soak',
  summary: 'memory after 500,000 allocations against after 50,000',
  run: async ({ stand, settings, say }) => {
    const name = `memory after ${settings.soakAllocations} allocations against after ${BASE_ALLOCATIONS}`;
    if (settings.quick) {
      const left = { name, value: null, target: 'at most 1.1', holds: null, note: 'not measured by --quick' };
      return { figures: null, targets: [left], report: 'Left out by --quick.' };
    }
    const table = await stand.createTable();
    const broker = await stand.startBroker(table);
    const steps: { allocations: number; memoryMb: number; throughput: number; errors: number }[] = [];
    for (let allocations = 0; allocations < settings.soakAllocations; ) {
      // The engine keeps everything in memory: what is used up is thrown away.
      if (allocations > 0 && allocations % (5 * STEP) === 0) await table.recreate();
      await table.fill(STEP + 1_000);
      const callers = { token: TRACK_TOKEN, run: `soak-${allocations}` };
      const load = {
        kind: 'closed' as const,
        urls: [broker.url],
        callers,
        concurrency: CONCURRENCY,
        requests: STEP,
      };
      const { figures } = await measureLoad(stand, table, [broker], load);
      allocations += STEP;
      const { throughput, errors, memoryMb } = figures;
      steps.push({ allocations, memoryMb: memoryMb.broker, throughput, errors });
      if (allocations % (5 * STEP) === 0)
        say(`soak: ${allocations} allocations, ${memoryMb.broker.toFixed(0)} MB`);
    }
    await broker.stop();
    await table.drop();
    // The mean of five readings each: a single one falls before or after a collection.
    const around = (allocations: number) => {
      const near = steps.filter((step) => Math.abs(step.allocations - allocations) <= 2 * STEP);
      return near.reduce((sum, step) => sum + step.memoryMb, 0) / near.length;
    };
    const ratio = around(settings.soakAllocations) / around(BASE_ALLOCATIONS);
    return {
      figures: { ratio, steps },
      targets: [atMost(name, ratio, 1.1)],
      report: textTable(
        ['allocations', 'MB', 'alloc/s', 'errors'],
        steps
          .filter((step) => step.allocations % (5 * STEP) === 0)
          .map(({ allocations, memoryMb, throughput, errors }) => [
            allocations,
            memoryMb,
            throughput,
            errors,
          ]),
      ),
    };
  },
};
