import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ProxyMissingError, requireProxy } from '../support/load-balancer.ts';
import type { Installation } from './installation.ts';
import { play } from './play.ts';
import { dayText, type GameDay, reportText, violationsOf } from './report.ts';
import { chooseScenarios, findScenarios, UsageError } from './scenario.ts';

const HELP = `npm run test:gameday -- [scenario]... [options]

A class arrives at several broker processes behind a real proxy (haproxy), on the embedded engine and the CSP simulator,
while things are done to them. Then the table, the provider's log and everything that the students were told are checked.
All scenarios without a name. One is a file in test/gameday/scenarios; adding one is adding a file.

  --list         name the scenarios, and run nothing
  --hours N      repeat them until so much time has passed, each once at least; or
  --minutes N
  --seed S       of arrivals, choices and faults (1); a repetition takes the next one
  --brokers N    processes                          (3)
  --students N   of the class                       (1000)
  --report FILE  where the report goes, too         (test/gameday/results/report.md)
  --help         this text

Needs npm ci and haproxy (apt-get install -y haproxy). Exits with 0, with 1 on any violation, with 2 if it cannot run.
`;

const RESULTS = fileURLToPath(new URL('./results/report.md', import.meta.url));
const CANNOT_RUN = 2;
const INTERRUPTED = 130;

let running: Installation | undefined;
/** Between the order to start an installation and its being there, when there is nothing yet to be ended. */
let starting = false;
let interrupted = false;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: 'boolean', default: false },
      hours: { type: 'string' },
      minutes: { type: 'string' },
      seed: { type: 'string', default: '1' },
      brokers: { type: 'string', default: '3' },
      students: { type: 'string', default: '1000' },
      report: { type: 'string', default: RESULTS },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const scenarios = chooseScenarios(await findScenarios(), positionals);
  if (values.list) {
    process.stdout.write(scenarios.map(({ name, summary }) => `${name}: ${summary}\n`).join(''));
    return 0;
  }
  const minutes =
    60 * numberOf('hours', values.hours ?? '0', 0) + numberOf('minutes', values.minutes ?? '0', 0);
  const brokers = numberOf('brokers', values.brokers, 1);
  const students = numberOf('students', values.students, 1);
  const firstSeed = numberOf('seed', values.seed, 0);
  requireProxy();

  const end = performance.now() + minutes * 60_000;
  const days: GameDay[] = [];
  for (let round = 0; round === 0 || performance.now() < end; round += 1) {
    for (const scenario of scenarios) {
      if (round > 0 && performance.now() >= end) break;
      starting = true;
      const day = await play(scenario, {
        seed: firstSeed + round,
        brokers,
        students,
        onProgress: (text) => process.stderr.write(`${scenario.name}: ${text}\n`),
        onInstallation: (installation) => {
          running = installation;
          starting = false;
          if (interrupted) process.exit(INTERRUPTED);
        },
      });
      days.push(day);
      process.stderr.write(`${scenario.name}: ${violationsOf(day).length} violations\n`);
      // After each, so that a run that is cut short leaves what it found.
      mkdirSync(dirname(values.report), { recursive: true });
      writeFileSync(values.report, reportText(days));
      process.stdout.write(`${dayText(day)}\n\n`);
    }
  }
  if (days.length > 1) process.stdout.write(`${reportText(days).split('\n## ')[0]}\n`);
  return days.some((day) => violationsOf(day).length > 0) ? 1 : 0;
}

/** @throws UsageError for anything but a number that is at least so large */
function numberOf(option: string, text: string, least: number): number {
  const number = Number(text);
  if (!Number.isFinite(number) || number < least)
    throw new UsageError(`--${option} must be a number of at least ${least}`);
  return number;
}

// What was started must not outlive this process.
process.on('exit', () => running?.killAll());
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted = true;
    if (!starting) process.exit(INTERRUPTED);
  });
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const isKnown = error instanceof ProxyMissingError || error instanceof UsageError;
    const text = error instanceof Error ? (isKnown ? error.message : error.stack) : String(error);
    process.stderr.write(`${text}\n`);
    process.exitCode = CANNOT_RUN;
  },
);
