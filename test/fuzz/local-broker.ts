import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../../src/local/engine.ts';
import type { InstallationSummary } from '../../src/local/installation-summary.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const NO_LIMIT = '100000000';

/** Everything on this machine, in processes of its own, with limits that no run reaches. */
export class LocalBroker {
  readonly #process: ChildProcess;
  readonly summary: InstallationSummary;

  private constructor(process: ChildProcess, summary: InstallationSummary) {
    this.#process = process;
    this.summary = summary;
  }

  static async start(pool: number): Promise<LocalBroker> {
    const port = String(await freePort());
    const main = join(ROOT, 'src/local/main.ts');
    const child = spawn(process.execPath, [main, '--json', '--port', port, '--pool', String(pool)], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        RATE_LIMIT_PER_CALLER: NO_LIMIT,
        RATE_LIMIT_PER_CREDENTIAL: NO_LIMIT,
        RATE_LIMIT_FAILED_AUTH: NO_LIMIT,
      },
    });
    const ended = once(child, 'exit').then(() => {
      throw new Error('The broker ended before it listened; its message stands above.');
    });
    const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), ended]);
    return new LocalBroker(child, JSON.parse(String(line)));
  }

  get url(): string {
    return String(this.summary.brokers[0]);
  }

  /** How many answers had each status, by the broker's own count. */
  async answersByStatus(): Promise<Map<string, number>> {
    const scraped = await (await fetch(`${this.url}/metrics`)).text();
    const counts = new Map<string, number>();
    const lines = scraped.matchAll(/^broker_request_latency_seconds_count\{.*status="(\d+)"\} (\d+)$/gm);
    for (const [, status = '', count] of lines) counts.set(status, (counts.get(status) ?? 0) + Number(count));
    return counts;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await ended;
  }
}
