import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface CommandRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line as operators start it: a process of its own, with this environment and no other. */
export function startCommand(environment: Record<string, string>, ...words: string[]) {
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended: Promise<CommandRun> = once(child, 'close').then(([exitCode]) => ({
    exitCode,
    stdout,
    stderr,
  }));
  return { child, ended };
}

export const runCommand = (environment: Record<string, string>, ...words: string[]): Promise<CommandRun> =>
  startCommand(environment, ...words).ended;
