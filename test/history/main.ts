import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Engine, startEngine } from '../../src/local/engine.ts';
import { contradictionIn } from './checker.ts';
import { runConcurrently } from './concurrent-run.ts';
import type { Call } from './history.ts';
import { tellInFull } from './table-at-end.ts';

const HELP = `Many clients at several broker processes on one table, whose database fails at the wire and whose brokers are
killed; then decides whether everything that the clients were told can be explained, and prints the shortest
counter-example if not.

  npm run test:history -- [--seconds N] [--brokers N] [--clients N] [--pool N] [--seed S]

  --seconds N   how long (60)
  --brokers N   broker processes (3)
  --clients N   clients at once (32)
  --pool N      sandboxes (4000)
  --seed S      of the clients' choices and of the faults; the times are the machine's (the time, if not given)
  --kill N      seconds between two kills of a broker, 0 for none (5)
  --lag N       milliseconds that the indexes are behind (0)
  --no-faults   leave the database alone
  --save FILE   write the history there, as JSON
  --help

Needs nothing but npm ci. With DDB_ENDPOINT_URL it runs against that engine instead of the embedded one.`;

const { values } = parseArgs({
  allowNegative: true,
  options: {
    seconds: { type: 'string', default: '60' },
    brokers: { type: 'string', default: '3' },
    clients: { type: 'string', default: '32' },
    pool: { type: 'string', default: '4000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    kill: { type: 'string', default: '5' },
    lag: { type: 'string', default: '0' },
    faults: { type: 'boolean', default: true },
    save: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const endpoint = process.env.DDB_ENDPOINT_URL;
  const engine: Engine | undefined = endpoint === undefined ? await startEngine() : undefined;
  try {
    const run = await runConcurrently({
      engineUrl: engine?.url ?? (endpoint as string),
      seconds: Number(values.seconds),
      brokers: Number(values.brokers),
      clients: Number(values.clients),
      pool: Number(values.pool),
      seed: Number(values.seed),
      killEverySeconds: Number(values.kill) || undefined,
      faults: values.faults,
      indexLagMs: Number(values.lag),
      onProgress: (text) => process.stderr.write(`${text}\n`),
    });
    if (values.save !== undefined) writeFileSync(values.save, JSON.stringify(run.history, null, 1));
    const contradiction = contradictionIn(run.history);
    for (const violation of run.violations) process.stdout.write(`${violation}\n`);
    if (contradiction !== undefined)
      process.stdout.write(`${tellInFull(contradiction, run.history, run.items)}\n`);
    process.stdout.write(
      `${run.history.calls.length} calls (${tellOutcomes(run.history.calls)}), ${run.kills} brokers killed, ${run.faultsStruck} faults, seed ${values.seed}: ${contradiction === undefined && run.violations.length === 0 ? 'explained' : 'NOT explained'}\n`,
    );
    return contradiction === undefined && run.violations.length === 0 ? 0 : 1;
  } finally {
    await engine?.stop();
  }
}

function tellOutcomes(calls: readonly Call[]): string {
  const counts = Map.groupBy(calls, ({ answer }) =>
    answer.is === 'allocated' ? (answer.created ? 'new' : 'again') : answer.is,
  );
  return [...counts].map(([name, { length }]) => `${length} ${name}`).join(', ');
}

process.exitCode = await main();
