import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

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

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
/** Log lines that are kept. */
const KEEP_LINES = 20_000;

/**
 * Starts a broker as production does: its own process, with nothing but an environment.
 *
 * @param onLine told of each line that it logs
 * @throws Error with what it said when it ends instead of listening
 */
export async function startBrokerProcess(
  environment: Readonly<Record<string, string | undefined>>,
  onLine: (line: string) => void = () => {},
): Promise<BrokerProcess> {
  const child = spawn(process.execPath, [MAIN], {
    env: { ...environment, LOG_FORMAT: 'json' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that Ctrl-C reaches it once, through whoever started it.
    detached: true,
  });
  const ended = once(child, 'close').then(() => undefined);
  const log: string[] = [];
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4_000);
  });
  const address = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      log.push(line);
      if (log.length > KEEP_LINES) log.splice(0, KEEP_LINES / 2);
      onLine(line);
      const listening = /"address":"(http:[^"]+)"/.exec(line)?.[1];
      if (listening !== undefined) resolve(listening);
    });
    ended.then(() =>
      reject(new Error(`The broker ended before it listened: ${complaint.trim() || log.at(-1)}`)),
    );
  });
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
