import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../src/local/engine.ts';
import { type Environment, MissingError, ProgramError, run, safeEnvironment } from './programs.ts';

/** The versions that `moto-limits.ts` was written for. The AWS CLI sets the warm throughput of the table. */
const PACKAGES = ['moto[server]==5.2.5', 'awscli==1.46.3'];

export interface Moto {
  readonly endpoint: string;
  /** Leads Terraform, the AWS CLI and the SDKs to the server, and nowhere else. */
  readonly environment: Environment;
  stop(): Promise<void>;
}

/**
 * Puts moto into a virtual environment of its own, which the next run finds again.
 *
 * @returns the folder of its programs
 * @throws MissingError when its packages cannot be had
 */
export async function installMoto(python: string): Promise<string> {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const directory = join(cache, 'sandbox-broker', `moto-${PACKAGES.join('-').replace(/[^a-z0-9.]+/g, '-')}`);
  const programs = join(directory, 'bin');
  const complete = join(directory, 'complete');
  if (existsSync(complete)) return programs;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const options = { directory, environment: safeEnvironment() };
  try {
    await run(python, ['-m', 'venv', directory], options);
    await run(join(programs, 'python'), ['-m', 'pip', 'install', '--quiet', ...PACKAGES], options);
  } catch (error) {
    throw new MissingError(
      `moto could not be installed with pip. It needs access to a Python package index; "--without-apply" checks everything else.\n${error instanceof Error ? error.message : error}`,
    );
  }
  writeFileSync(complete, '');
  return programs;
}

/** @param programs the folder that `installMoto` returned */
export async function startMoto(programs: string, log: (text: string) => void): Promise<Moto> {
  const port = await freePort();
  const script = fileURLToPath(new URL('./moto-server.py', import.meta.url));
  const child = spawn(join(programs, 'python'), [script, '-H', '127.0.0.1', '-p', String(port)], {
    env: safeEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', log);
  const endpoint = `http://127.0.0.1:${port}`;
  await waitUntilReady(child, endpoint);
  return {
    endpoint,
    environment: {
      ...safeEnvironment(),
      PATH: `${programs}:${process.env.PATH ?? ''}`,
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: 'moto',
      AWS_SECRET_ACCESS_KEY: 'moto',
    },
    stop: () => stop(child),
  };
}

async function waitUntilReady(child: ChildProcess, endpoint: string): Promise<void> {
  for (let attempt = 0; attempt < 120; attempt += 1) {
    if (child.exitCode !== null) throw new ProgramError("moto's server ended as soon as it was started");
    const answer = await fetch(`${endpoint}/moto-api/`).catch(() => undefined);
    if (answer?.ok) return;
    await sleep(500);
  }
  await stop(child);
  throw new ProgramError("moto's server did not answer within a minute");
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await ended;
  clearTimeout(impatience);
}
