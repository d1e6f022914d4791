import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Verdict, verdictOf, wordsOfFirstFailure } from './verdict.ts';

const HELP = `Puts each deliberate bug of test/bugs/bugs.json into a copy of the repository, one at a time, and runs the checks
that should find it, until one does. The copy without a bug must pass all of them.

  npm run test:bugs -- [--only NAME]... [--no-control] [--list]

  --only NAME    this bug, and others named so; all by default
  --no-control   leave out the run without a bug
  --list         name the bugs, and run nothing
  --help

A check has caught a bug when one of its tests failed. One that is not over in its time, or ends without a failed
test (a file that cannot be loaded), has decided nothing, and the bug counts as not caught.

Exits with 0 when every bug was caught and the control run passed. Needs git and npm ci; takes some minutes.`;

interface Bug {
  /** Of its patch, too. */
  readonly name: string;
  readonly what: string;
  /** Commands that should fail, in the order in which they are tried. */
  readonly checks: readonly string[];
}

interface Manifest {
  /** For one check. */
  readonly timeLimitSeconds: number;
  readonly bugs: readonly Bug[];
}

interface Outcome {
  readonly bug: string;
  /** Undefined for a bug that got away, or of which nothing is known. */
  readonly caughtBy: string | undefined;
  /** Checks that decided nothing, and why. */
  readonly undecided: readonly string[];
  readonly seconds: number;
}

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const { values } = parseArgs({
  allowNegative: true,
  options: {
    only: { type: 'string', multiple: true, default: [] },
    control: { type: 'boolean', default: true },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

process.exitCode = await main();

async function main(): Promise<number> {
  const manifest: Manifest = JSON.parse(readFileSync(join(HERE, 'bugs.json'), 'utf8'));
  const bugs = manifest.bugs.filter(({ name }) => values.only.length === 0 || values.only.includes(name));
  if (values.help || values.list) {
    process.stdout.write(
      values.help ? `${HELP}\n` : bugs.map(({ name, what }) => `${name}: ${what}\n`).join(''),
    );
    return 0;
  }
  const unknown = values.only.filter((name) => !manifest.bugs.some((bug) => bug.name === name));
  if (unknown.length > 0) throw new Error(`There is no bug named ${unknown.join(', ')}; see --list`);

  const copy = copyRepository();
  try {
    const outcomes: Outcome[] = [];
    for (const bug of bugs) {
      apply(copy, bug.name);
      const outcome = await hunt(copy, bug, manifest.timeLimitSeconds);
      apply(copy, bug.name, '--reverse');
      outcomes.push(outcome);
      process.stderr.write(`${tell(outcome)}\n`);
    }
    const failedWithoutBug = values.control ? await control(copy, bugs, manifest.timeLimitSeconds) : [];
    process.stdout.write(`${table(outcomes)}\n`);
    for (const check of failedWithoutBug) process.stdout.write(`The control run failed: ${check}\n`);
    return outcomes.every(({ caughtBy }) => caughtBy !== undefined) && failedWithoutBug.length === 0 ? 0 : 1;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** The files as they are, without what git ignores; the working tree itself is never touched. */
function copyRepository(): string {
  const copy = mkdtempSync(join(tmpdir(), 'sandbox-broker-bugs-'));
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  for (const path of listed.split('\0').filter((each) => each !== '')) {
    cpSync(join(ROOT, path), join(copy, path), { errorOnExist: false, force: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

function apply(copy: string, name: string, ...options: string[]): void {
  // Outside of any repository, so that git looks at nothing but the copy.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: tmpdir() };
  execFileSync('git', ['apply', ...options, join(HERE, `${name}.patch`)], {
    cwd: copy,
    env,
    stdio: 'inherit',
  });
}

/** Tries the checks of a bug until one of them fails, as it should. */
async function hunt(copy: string, { name, checks }: Bug, limitSeconds: number): Promise<Outcome> {
  const began = performance.now();
  const undecided: string[] = [];
  let caughtBy: string | undefined;
  for (const check of checks) {
    const verdict = await run(copy, check, limitSeconds);
    if (verdict.is === 'undecided') undecided.push(`${check}: ${verdict.because}`);
    if (verdict.is !== 'failed') continue;
    caughtBy = verdict.because;
    break;
  }
  return { bug: name, caughtBy, undecided, seconds: Math.round((performance.now() - began) / 1000) };
}

/** @returns the checks that do not pass though there is no bug */
async function control(copy: string, bugs: readonly Bug[], limitSeconds: number): Promise<string[]> {
  const failed: string[] = [];
  for (const check of new Set(bugs.flatMap(({ checks }) => checks))) {
    const verdict = await run(copy, check, limitSeconds);
    if (verdict.is !== 'passed') failed.push(`${check} (${verdict.because})`);
    process.stderr.write(`without a bug: ${check}: ${verdict.is}\n`);
  }
  return failed;
}

async function run(copy: string, check: string, limitSeconds: number): Promise<Verdict> {
  const path = [join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  const child = spawn('sh', ['-c', check], {
    cwd: copy,
    env: { ...process.env, PATH: path, NO_COLOR: '1', CI: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: what the check has started ends with it.
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-200_000);
    });
  }
  let ranOutOfTime = false;
  const limit = setTimeout(() => {
    ranOutOfTime = true;
    endGroup(child.pid, 'SIGTERM');
    setTimeout(() => endGroup(child.pid, 'SIGKILL'), 5_000).unref();
  }, limitSeconds * 1000);
  const code = await new Promise<number | null>((done, reject) =>
    child.on('error', reject).on('close', done),
  );
  clearTimeout(limit);
  const verdict = verdictOf({ code, output, ranOutOfTime }, limitSeconds);
  // What a check says that decided nothing is the only trace of why.
  if (verdict.is === 'failed') process.stderr.write(wordsOfFirstFailure(output));
  if (verdict.is === 'undecided') process.stderr.write(`${output.slice(-2_000)}\n`);
  return verdict;
}

function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function tell({ bug, caughtBy, undecided, seconds }: Outcome): string {
  return `${bug}: ${caughtBy === undefined ? wordsOfNotCaught(undecided) : `caught by ${caughtBy}`}, ${seconds} s`;
}

function wordsOfNotCaught(undecided: readonly string[]): string {
  return undecided.length === 0 ? 'GOT AWAY' : `UNDECIDED (${undecided.join('; ')})`;
}

function table(outcomes: readonly Outcome[]): string {
  return [
    '| bug | what caught it | seconds |',
    '|---|---|---|',
    ...outcomes.map(
      ({ bug, caughtBy, undecided, seconds }) =>
        `| ${bug} | ${caughtBy ?? `**${wordsOfNotCaught(undecided)}**`} | ${seconds} |`,
    ),
  ].join('\n');
}
