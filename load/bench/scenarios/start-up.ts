import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { figure } from '../../lib/statistics.ts';
import { textTable } from '../../lib/text-table.ts';
import { atMost, type Scenario } from '../scenario.ts';

/** What no broker on this runtime, this SDK and this framework can do without. */
const BASELINE = "await Promise.all([import('@aws-sdk/client-dynamodb'), import('fastify')])";

/** From the start of the process until it answers that it is ready. */
export const startUp: Scenario = {
  name: 'start-up',
  summary: 'from the start of the process to ready, beside Node that only loads the SDK and fastify',
  run: async ({ stand, settings, say }) => {
    say('start-up');
    const table = await stand.createTable();
    const rounds: { readyMs: number; uncachedMs: number; emptyMs: number; loadingMs: number }[] = [];
    const started = async (environment = {}) => {
      const broker = await stand.startBroker(table, environment);
      await broker.stop();
      return broker.readyAfterMs;
    };
    for (let round = 0; round <= settings.rounds; round += 1) {
      const emptyMs = await runNode(['-e', '0']);
      const loadingMs = await runNode(['--input-type=module', '-e', BASELINE]);
      const [readyMs, uncachedMs] = [await started(), await started({ NODE_DISABLE_COMPILE_CACHE: '1' })];
      // The first round is for the page cache, and for that of compiled code.
      if (round > 0) rounds.push({ readyMs, uncachedMs, emptyMs, loadingMs });
    }
    await table.drop();
    const ratio = figure(rounds.map(({ readyMs, loadingMs }) => readyMs / loadingMs));
    return {
      figures: { ratio, rounds },
      targets: [atMost('start to ready, ratio to Node loading the SDK and fastify', ratio.median, 1.5)],
      report: textTable(
        [
          'round',
          'ready ms',
          'without compile cache ms',
          'node -e 0 ms',
          'node with SDK and fastify ms',
          'ratio',
        ],
        rounds.map(({ readyMs, uncachedMs, emptyMs, loadingMs }, index) => [
          String(index + 1),
          readyMs,
          uncachedMs,
          emptyMs,
          loadingMs,
          readyMs / loadingMs,
        ]),
      ),
    };
  },
};

async function runNode(nodeArguments: readonly string[]): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, nodeArguments, { stdio: 'ignore', cwd: import.meta.dirname });
  await once(child, 'exit');
  return performance.now() - began;
}
