import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Image } from './image.ts';

export interface Ended {
  readonly exitCode: number | null;
  readonly output: string;
}

/** A process of the image: in its tree as a read-only root, as its user, the first of its own process namespace. */
export class ContainedProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #output = '';

  constructor(
    image: Image,
    tree: string,
    environment: Readonly<Record<string, string>>,
    command: readonly string[] = image.command,
  ) {
    const [user = '', group = user] = image.user.split(':');
    const variables = [
      ...image.environment,
      ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    ];
    const script = join(import.meta.dirname, 'contained.sh');
    const contained = [script, tree, user, group, image.folder, ...variables, '--', ...command];
    this.#child = spawn('unshare', ['--mount', '--pid', '--fork', '--kill-child', ...contained], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    }
    this.#ended = once(this.#child, 'close').then(([code]) => code as number | null);
  }

  /** What it has written so far. */
  get output(): string {
    return this.#output;
  }

  /** Its number as this machine sees it; the one inside is 1. */
  get pid(): number {
    const parent = this.#child.pid as number;
    const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim();
    if (children === '') throw new Error(`The contained process has ended: ${this.#output}`);
    return Number(children.split(' ')[0]);
  }

  /** Resolves when it has written something that matches. */
  async untilOutput(pattern: RegExp, timeoutMs = 60_000): Promise<void> {
    const end = performance.now() + timeoutMs;
    while (!pattern.test(this.#output)) {
      if (this.#child.exitCode !== null || performance.now() > end)
        throw new Error(`The contained process did not write ${pattern}: ${this.#output}`);
      await sleep(50);
    }
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  async ended(): Promise<Ended> {
    return { exitCode: await this.#ended, output: this.#output };
  }

  /** For whoever does not care how it ends. */
  async kill(): Promise<void> {
    // Not its parent: a process that has become another user outlives that.
    if (this.#child.exitCode === null) this.signal('SIGKILL');
    await this.#ended;
  }
}
