import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');
const CACHE = join(ROOT, 'node_modules/.cache/schemathesis');
const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');

const CONFIG = join(import.meta.dirname, 'schemathesis.toml');
const HOOKS = join(import.meta.dirname, 'hooks.py');

/** What the tests need is not there; the message says what. */
export class MissingError extends Error {}

/** What a run reports of itself. */
export interface FuzzReport {
  readonly exitCode: number;
  readonly cases: number;
  readonly failures: readonly { readonly title: string; readonly operations: readonly string[] }[];
}

/** @returns the path of its command, which is installed into a folder of its own when it is not there yet */
export function schemathesis(): string {
  const command = join(CACHE, 'bin/st');
  if (existsSync(command)) return command;
  if (spawnSync('python3', ['--version']).status !== 0) {
    throw new MissingError(
      'python3 is missing: install Python 3.10 or newer, with its modules venv and pip.',
    );
  }
  process.stdout.write('Installing schemathesis with pip\n');
  mkdirSync(CACHE, { recursive: true });
  if (spawnSync('python3', ['-m', 'venv', CACHE], { stdio: 'inherit' }).status !== 0) {
    throw new MissingError('python3 could not make a virtual environment: install its modules venv and pip.');
  }
  const pip = ['install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS];
  if (spawnSync(join(CACHE, 'bin/pip'), pip, { stdio: 'inherit' }).status !== 0) {
    throw new MissingError('pip could not install schemathesis; its message stands above.');
  }
  return command;
}

/** One run against a broker. Its output is shown as it comes. */
export async function fuzz(command: string, name: string, url: string, options: readonly string[]) {
  const report = join(CACHE, `report-${name}.json`);
  const child = spawn(
    command,
    [
      ...['--config-file', CONFIG],
      'run',
      `${url}/v1/openapi.json`,
      ...['--url', url],
      ...['--report', 'json', '--report-json-path', report],
      ...options,
    ],
    // It leaves files where it is started.
    { stdio: 'inherit', cwd: CACHE, env: { ...process.env, SCHEMATHESIS_HOOKS: HOOKS } },
  );
  const exitCode = await new Promise<number>((finished, failed) => {
    child.once('error', failed);
    child.once('exit', (code) => finished(code ?? 1));
  });
  const { test_cases, failures } = JSON.parse(readFileSync(report, 'utf8'));
  return {
    exitCode,
    cases: test_cases.generated,
    failures,
  } satisfies FuzzReport;
}
