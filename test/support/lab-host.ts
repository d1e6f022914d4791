import { spawn } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

/** The directory of the scripts under test. */
export const SCRIPTS = join(import.meta.dirname, '../../docs/instruqt');

/** Every program that the scripts may start. All but curl are part of POSIX. */
const PROGRAMS = ['awk', 'curl', 'mv', 'od', 'rm', 'sed', 'tr'];

/** The path of an installed program, if there is one. */
export function findProgram(name: string): string | undefined {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this directory.
    }
  }
  return undefined;
}

/** The shell of the lab: dash, which knows POSIX and little else, or whatever `sh` is where there is no dash. */
export const SHELL = findProgram('dash') ?? findProgram('sh') ?? '/bin/sh';

export interface ScriptRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The seconds that the script asked `sleep` for, in order. No time was spent. */
  readonly waits: readonly number[];
  /** Each program that was started, with its arguments: what any user of the host can see. */
  readonly commands: string;
}

/**
 * A host of a lab, in a directory of its own. Its PATH holds recorders of the programs that the scripts may use
 * and nothing else, and a `sleep` that returns at once.
 */
export class LabHost {
  readonly directory = mkdtempSync(join(tmpdir(), 'lab-host-'));
  readonly #bin = join(this.directory, 'bin');
  readonly #commands = join(this.directory, 'commands');
  readonly #waits = join(this.directory, 'waits');

  constructor(programs: readonly string[] = PROGRAMS) {
    mkdirSync(this.#bin);
    for (const name of programs) {
      const path = findProgram(name);
      if (path !== undefined) this.install(name, `exec ${path} "$@"`);
    }
    this.install('sleep', `printf '%s\\n' "$1" >> ${this.#waits}`);
  }

  /** Where the set-up leaves what it got, unless it is told otherwise. */
  get envFile(): string {
    return join(this.directory, 'sandbox.env');
  }

  /** Adds a program to the PATH of the host; what it was called with is recorded. */
  install(name: string, body: string): void {
    const path = join(this.#bin, name);
    writeFileSync(path, `#!/bin/sh\nprintf '%s\\n' "${name} $*" >> ${this.#commands}\n${body}\n`);
    chmodSync(path, 0o755);
  }

  /** Runs one of the scripts (or any other, by its absolute path) with this environment and no other. */
  async run(
    script: string,
    environment: Record<string, string>,
    ...shellOptions: string[]
  ): Promise<ScriptRun> {
    rmSync(this.#waits, { force: true });
    rmSync(this.#commands, { force: true });
    const child = spawn(SHELL, [...shellOptions, resolve(SCRIPTS, script)], {
      cwd: this.directory,
      env: { PATH: this.#bin, HOME: this.directory, ...environment },
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
    const exitCode = await new Promise<number | null>((done, reject) => {
      child.on('error', reject).on('close', done);
    });
    return {
      exitCode,
      stdout,
      stderr,
      waits: this.#recorded(this.#waits).trim().split('\n').filter(Boolean).map(Number),
      commands: this.#recorded(this.#commands),
    };
  }

  #recorded(path: string): string {
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
