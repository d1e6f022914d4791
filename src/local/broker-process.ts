import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../domain/clock.ts';

export interface BrokerProcess {
  readonly url: string;
  readonly pid: number;
  readonly process: ChildProcess;
  /** Its log so far, a line each. */
  readonly log: readonly string[];
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
  /** Asks it to stop, and waits until it has. */
  stop(): Promise<void>;
}

/**
 * What Node is told, as by `npm start` and the image (figures: docs/performance.md).
 *
 * An allocation makes some 80 KB of garbage, and what is in flight when the young generation is full is copied: with
 * 32 MB instead of 16 that happens half as often.
 *
 * The old generation is collected when it is twice as large as what was live in it. Left to itself V8 goes by
 * the memory that there is: in a task of 1 GB it collects at some 1.4 times, which costs up to a seventh of the processor time,
 * and on a large machine at some four times.
 */
export const NODE_OPTIONS = ['--max-semi-space-size=32', '--heap-growing-percent=100'];

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
/** Log lines that are kept. */
const KEEP_LINES = 20_000;
/** How long a start may take: the broker itself gives up sooner on everything that it waits for. */
const START_TIMEOUT_MS = 90_000;

/** A broker that ended, or was given up, before it listened. The message is what it said. */
export class BrokerStartError extends Error {
  override readonly name = 'BrokerStartError';
}

/**
 * Starts a broker as production does: its own process, with nothing but an environment.
 *
 * @param onLine told of each line that it logs
 * @param signal ends a start that is under way; afterwards it does nothing
 * @throws BrokerStartError with what it said when it ends instead of listening, or takes more than 90 s
 */
export async function startBrokerProcess(
  environment: Readonly<Record<string, string | undefined>>,
  onLine: (line: string) => void = () => {},
  signal?: AbortSignal,
): Promise<BrokerProcess> {
  const child = spawn(process.execPath, [...NODE_OPTIONS, MAIN], {
    env: { ...environment, LOG_FORMAT: 'json' },
    // It says through the fourth where it listens; its log may be silent.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A group of its own, so that Ctrl-C reaches it once, through whoever started it.
    detached: true,
  });
  const ended = once(child, 'close').then(() => undefined);
  const log: string[] = [];
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4_000);
  });
  createInterface(child.stdout as Readable).on('line', (line) => {
    log.push(line);
    if (log.length > KEEP_LINES) log.splice(0, KEEP_LINES / 2);
    onLine(line);
  });
  const giveUp = () => child.kill('SIGKILL');
  const cancelTimeout = systemClock.after(START_TIMEOUT_MS, giveUp);
  signal?.addEventListener('abort', giveUp);
  if (signal?.aborted) giveUp();
  const address = await new Promise<string>((resolve, reject) => {
    child.once('message', (message) => resolve((message as { address: string }).address));
    ended.then(() =>
      reject(new BrokerStartError(complaint.trim() || log.at(-1) || 'The broker did not start')),
    );
  }).finally(() => {
    cancelTimeout();
    signal?.removeEventListener('abort', giveUp);
  });
  // The channel has done its work, and must not keep this process. Closing it here would lose the child's `close`.
  child.channel?.unref();
  const { port } = new URL(address);
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid as number,
    process: child,
    log,
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
