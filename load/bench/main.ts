import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { EngineMissingError } from '../../src/local/engine.ts';
import { withParts } from '../lib/document-parts.ts';
import { machineTimes } from '../lib/process-figures.ts';
import { textTable } from '../lib/text-table.ts';
import type { BenchContext, BenchSettings, Scenario, ScenarioResult, Target } from './scenario.ts';
import { closedLoop } from './scenarios/closed-loop.ts';
import { compare } from './scenarios/compare.ts';
import { manyProcesses } from './scenarios/many-processes.ts';
import { nearlyEmpty } from './scenarios/nearly-empty.ts';
import { openLoop } from './scenarios/open-loop.ts';
import { poolSize } from './scenarios/pool-size.ts';
import { prefix } from './scenarios/prefix.ts';
import { profile } from './scenarios/profile.ts';
import { retryStorm } from './scenarios/retry-storm.ts';
import { soak } from './scenarios/soak.ts';
import { startUp } from './scenarios/start-up.ts';
import { sweep } from './scenarios/sweep.ts';
import { Stand } from './stand.ts';

/** In the order in which they run: later ones go by the figures of the first. */
const SCENARIOS: readonly Scenario[] = [
  closedLoop,
  openLoop,
  manyProcesses,
  nearlyEmpty,
  prefix,
  poolSize,
  retryStorm,
  startUp,
  soak,
];

const HELP = `npm run bench -- [options]

Measures the broker beside two loops without one (the floor: a transaction for each allocation; the ceiling: the best
grouping there is), on one engine, in turn. Prints tables, and writes everything to a file. Wants a machine with 2
cores that has nothing else to do, for about 25 minutes.

  --quick           within a minute: fewer rounds, smaller loads, no soak
  --only A,B        these scenarios alone; the file keeps what it has of the others
  --rounds N        rounds, of which the median counts                       (5; quick 2)
  --seconds S       of each closed loop in each round                        (3; quick 0.4)
  --soak N          allocations of the soak                                  (500000)
  --sweep           instead: groups and transactions in flight, with 0, 5 and 20 ms on the wire
  --profile         instead: where the processor time of an allocation goes
  --compare DIR     instead: the broker of this checkout against that of another one, in turn
  --out FILE        where to write                                           (load/results/bench.json)
  --write           put the tables into docs/performance.md
  --help            this text

Scenarios:
${SCENARIOS.map(({ name, summary }) => `  ${name.padEnd(17)} ${summary}`).join('\n')}

DDB_ENDPOINT_URL names another engine than the embedded one.
`;

const DOCUMENT = fileURLToPath(new URL('../../docs/performance.md', import.meta.url));
const RESULTS = fileURLToPath(new URL('../results/', import.meta.url));
/** A machine that is busier than this before it begins gives no figures worth keeping. */
const QUIET_IDLE_SHARE = 0.9;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      soak: { type: 'string', default: '500000' },
      sweep: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      compare: { type: 'string' },
      out: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const settings: BenchSettings = {
    quick: values.quick,
    rounds: positive('--rounds', values.rounds ?? (values.quick ? '2' : '5')),
    seconds: positive('--seconds', values.seconds ?? (values.quick ? '0.4' : '3')),
    soakAllocations: positive('--soak', values.soak),
    otherCheckout: values.compare,
  };
  const scenarios = chosen(values);
  const fallback = values.profile
    ? 'profile.json'
    : values.sweep
      ? 'sweep.json'
      : values.compare === undefined
        ? 'bench.json'
        : 'compare.json';
  const out = values.out ?? `${RESULTS}${fallback}`;

  const say = (text: string) => process.stderr.write(`${new Date().toISOString().slice(11, 19)}  ${text}\n`);
  const idleBefore = await idleShare();
  if (idleBefore < QUIET_IDLE_SHARE)
    say(`this machine is ${Math.round((1 - idleBefore) * 100)} % busy already: figures will say little`);
  const began = new Date();
  const stand = await Stand.open();
  const context: BenchContext = {
    stand,
    settings,
    say,
    known: { floorThroughput: {}, brokerThroughput: {} },
  };
  const results: Record<string, ScenarioResult> = {};
  try {
    for (const scenario of scenarios) {
      results[scenario.name] = await scenario.run(context);
      process.stdout.write(
        `\n${scenario.name}: ${scenario.summary}\n\n${results[scenario.name]?.report}\n\n`,
      );
    }
  } finally {
    await stand.close();
  }
  const run = {
    began: began.toISOString(),
    tookSeconds: Math.round((Date.now() - began.getTime()) / 1000),
    machine: machine(idleBefore),
    settings,
    targets: Object.entries(results).flatMap(([scenario, result]) =>
      result.targets.map((target) => ({ scenario, ...target })),
    ),
    scenarios: Object.fromEntries(Object.entries(results).map(([name, { figures }]) => [name, figures])),
  };
  const all = values.only !== undefined && existsSync(out) ? joined(readResults(out), run) : run;
  if (all.targets.length > 0) process.stdout.write(`\n${targetTable(all.targets)}\n`);
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify(all, null, 1)}\n`);
  say(`written to ${out}`);
  if (!values.write) return;
  const parts = Object.entries(results).map(([name, { report }]) => [name, asText(report)] as const);
  writeFileSync(
    DOCUMENT,
    withParts(readFileSync(DOCUMENT, 'utf8'), {
      ...Object.fromEntries(parts),
      ...(all.targets.length > 0 ? { targets: asText(targetTable(all.targets)) } : {}),
    }),
  );
  say(`written to ${DOCUMENT}`);
}

interface Run {
  readonly targets: readonly (Target & { readonly scenario: string })[];
  readonly scenarios: Readonly<Record<string, unknown>>;
}

function readResults(file: string): Run {
  return JSON.parse(readFileSync(file, 'utf8')) as Run;
}

/** A run of some scenarios in the place of what an earlier one has of them. */
function joined<Later extends Run>(earlier: Run, later: Later): Later {
  const order = SCENARIOS.map(({ name }) => name);
  const kept = earlier.targets.filter(({ scenario }) => !(scenario in later.scenarios));
  return {
    ...later,
    targets: [...kept, ...later.targets].sort(
      (left, right) => order.indexOf(left.scenario) - order.indexOf(right.scenario),
    ),
    scenarios: { ...earlier.scenarios, ...later.scenarios },
  };
}

function asText(report: string): string {
  return `\`\`\`text\n${report.trim()}\n\`\`\``;
}

function chosen(values: {
  profile: boolean;
  sweep: boolean;
  compare?: string | undefined;
  only?: string | undefined;
}): readonly Scenario[] {
  if (values.profile) return [profile];
  if (values.sweep) return [sweep];
  if (values.compare !== undefined) return [compare];
  if (values.only === undefined) return SCENARIOS;
  return values.only.split(',').map((name) => {
    const scenario = SCENARIOS.find((each) => each.name === name);
    if (scenario === undefined) throw new UsageError(`There is no scenario "${name}"`);
    return scenario;
  });
}

function targetTable(targets: readonly Target[]): string {
  return textTable(
    ['target', 'figure', 'wanted', ''],
    targets.map(({ name, value, target, holds, note }) => [
      name,
      value === null ? '-' : value.toPrecision(3),
      target,
      `${holds === null ? 'not measured' : holds ? 'holds' : 'MISSED'}${note === undefined ? '' : ` (${note})`}`,
    ]),
  );
}

async function idleShare(): Promise<number> {
  const before = machineTimes();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const after = machineTimes();
  const idle = after.idleMs - before.idleMs;
  return idle / (idle + after.busyMs - before.busyMs);
}

function machine(idleShareBefore: number) {
  return {
    processor: cpus()[0]?.model.trim(),
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    engine: process.env.DDB_ENDPOINT_URL ?? 'embedded',
    idleShareBefore: Number(idleShareBefore.toFixed(2)),
  };
}

function positive(name: string, text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new UsageError(`${name} must be a number above 0, not "${text}"`);
  return number;
}

class UsageError extends Error {}

main().catch((error: unknown) => {
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error);
  if (isUsage) process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
  else if (error instanceof EngineMissingError) process.stderr.write(`${error.message}\n`);
  else process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
