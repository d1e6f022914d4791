import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { Environment } from './table.ts';
import { watchedLog } from './watched-log.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

export interface CommandRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartedProgram {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<CommandRun>;
}

/** Starts a module as a process of its own, with nothing but an environment. It ends with the test. */
export function startProgram(module: string, environment: Environment, ...words: string[]): StartedProgram {
  const child = spawn(process.execPath, [module, ...words], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<CommandRun>((resolve, reject) => {
    child.on('error', reject).on('close', (exitCode) => {
      watchedLog(environment)(stdout + stderr);
      resolve({ exitCode, stdout, stderr });
    });
  });
  return { child, ended };
}

/** Starts `npm run broker -- <words>` as an operator would. */
export function startCommand(environment: Environment, ...words: string[]): StartedProgram {
  return startProgram(MAIN, environment, ...words);
}

export function runCommand(environment: Environment, ...words: string[]): Promise<CommandRun> {
  return startCommand(environment, ...words).ended;
}
