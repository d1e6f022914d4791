import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EngineMissingError } from '../../src/local/engine.ts';
import { type Installation, startInstallation } from '../../src/local/installation.ts';
import { verdictText, verifyTable } from '../verify.ts';
import { findK6, K6MissingError } from './find-k6.ts';

/** Each script, and the sandboxes that it needs. */
const SCRIPTS: Readonly<Record<string, { pool: number; summary: string }>> = {
  smoke: { pool: 200, summary: 'a few students: take, ask again, give back' },
  'class-start': { pool: 2_000, summary: '1,000 students within 60 s (STUDENTS, WITHIN_SECONDS)' },
  sustained: { pool: 70_000, summary: '1,000 requests a second for 60 s (RATE, SECONDS)' },
  spike: { pool: 15_000, summary: 'from 50 a second to 1,000 within a second, and back (BASE_RATE, RATE)' },
  soak: { pool: 550_000, summary: '150 a second for an hour, each given back (RATE, SECONDS)' },
  'exhausted-pool': { pool: 100, summary: '1,000 students for 100 sandboxes (STUDENTS, POOL)' },
};

const HELP = `npm run load -- <script> [options]

Runs a k6 script against a whole installation that it starts for it, then reads the table and proves that nobody was
served twice. Ends with 1 when a threshold of the script or the proof fails.

${Object.entries(SCRIPTS)
  .map(([name, { summary }]) => `  ${name.padEnd(15)} ${summary}`)
  .join('\n')}

  --brokers N       broker processes                                        (1)
  --pool N          sandboxes                                               (what the script needs)
  --help            this text

STUDENTS, SECONDS, RATE, ... in the environment go to the script. With BROKER_URLS (and BROKER_API_TOKEN) k6 asks
brokers that are running; the table is then the one of DDB_TABLE_NAME and DDB_ENDPOINT_URL.
`;

interface Summary {
  readonly metrics: Readonly<Record<string, { values: Readonly<Record<string, number>> } | undefined>>;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      brokers: { type: 'string', default: '1' },
      pool: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const [name = ''] = positionals;
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const script = SCRIPTS[name];
  if (script === undefined || positionals.length > 1)
    throw new UsageError(name === '' ? 'Which script?' : `There is no script "${positionals.join(' ')}"`);
  // Whoever ends this ends the installation too, as soon as it is up.
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  const k6 = findK6(process.env);
  const pool = Number(values.pool ?? process.env.POOL ?? script.pool);
  const installation =
    process.env.BROKER_URLS === undefined ? await install(pool, Number(values.brokers)) : undefined;
  const folder = mkdtempSync(join(tmpdir(), 'k6-'));
  try {
    const file = join(folder, 'summary.json');
    const isHeld = await runK6(k6, name, interrupted.signal, {
      ...process.env,
      SUMMARY: file,
      POOL: String(pool),
      RUN: String(Date.now()),
      ...(installation === undefined
        ? {}
        : {
            BROKER_URLS: installation.summary.brokers.join(','),
            BROKER_API_TOKEN: installation.summary.trackToken,
          }),
    });
    const environment =
      installation === undefined
        ? process.env
        : { ...process.env, DDB_ENDPOINT_URL: installation.summary.engine };
    // What reads the table reads it page by page: nobody may move a row between two of them.
    await Promise.all((installation?.brokers ?? []).map((broker) => broker.stop()));
    const isProven = await prove(environment, JSON.parse(readFileSync(file, 'utf8')), installation);
    if (!isHeld) process.stdout.write('A threshold of the script was missed.\n');
    if (!isHeld || !isProven) process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await installation?.stop();
  }
}

/** Limits are for clients that behave; k6 is many of them behind one address. */
const UNLIMITED = '100000000';

function install(pool: number, brokers: number): Promise<Installation> {
  return startInstallation({
    pool,
    brokers,
    port: 0,
    environment: {
      ...process.env,
      RATE_LIMIT_PER_CREDENTIAL: UNLIMITED,
      RATE_LIMIT_PER_CALLER: UNLIMITED,
      // What is given back shall still be there for the verifier. No provider has half a million accounts: its listing
      // is larger than a broker reads, and every try reads the whole pool.
      CLEANUP_INTERVAL_SEC: '86400',
      SYNC_INTERVAL_SEC: '86400',
    },
    onProgress: (text) => process.stdout.write(`${text}\n`),
  });
}

/** @returns whether all thresholds held */
async function runK6(
  k6: string,
  name: string,
  signal: AbortSignal,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  const script = join(import.meta.dirname, `${name}.js`);
  const child = spawn(k6, ['run', '--quiet', '--no-usage-report', '--address', '', script], {
    env: { ...environment },
    stdio: 'inherit',
    signal,
    killSignal: 'SIGINT',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  /** k6's own code for a threshold that was crossed. */
  if (code === 99) return false;
  if (code !== 0) throw new Error(`k6 ended with ${code}`);
  return true;
}

/** Reads the table and holds it against what the students heard. */
async function prove(
  environment: Readonly<Record<string, string | undefined>>,
  { metrics }: Summary,
  installation: Installation | undefined,
): Promise<boolean> {
  const verdict = await verifyTable(environment);
  process.stdout.write(`${verdictText(verdict)}\n`);
  if (verdict.problems.length > 0) return false;
  // Only a table that was empty before tells how many it must hold now.
  if (installation === undefined) return true;
  const count = (metric: string) => metrics[metric]?.values.count ?? 0;
  // An answer of 200 is the same student again.
  const answered = count('students_served') - count('students_again') - count('students_released');
  const unanswered = count('dropped_iterations') === 0 ? count('retries') : Number.POSITIVE_INFINITY;
  if (verdict.allocated >= answered && verdict.allocated <= answered + unanswered) return true;
  process.stdout.write(`The students hold ${answered} sandboxes, and ${verdict.allocated} are allocated.\n`);
  return false;
}

class UsageError extends Error {}

main().catch((error: unknown) => {
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error);
  const isMissing = error instanceof K6MissingError || error instanceof EngineMissingError;
  if (error instanceof Error && error.name === 'AbortError') process.stderr.write('Interrupted\n');
  else if (isUsage) process.stderr.write(`${(error as Error).message}\n\n${HELP}`);
  else if (isMissing) process.stderr.write(`${error.message}\n`);
  else process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
