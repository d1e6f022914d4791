import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { type Clock, systemClock } from '../domain/clock.ts';

/** Platforms for which the engine's binary comes with `npm ci`, as an optional dependency. */
const PACKAGES: Record<string, string> = { 'linux-x64': '@dynoxide/linux-x64' };

/** There is no engine for this machine. The message says what to do instead. */
export class EngineMissingError extends Error {
  override readonly name = 'EngineMissingError';
}

export interface Engine {
  readonly url: string;
  readonly pid: number;
  readonly process: ChildProcess;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  /** Ends it and waits for its end. */
  stop(): Promise<void>;
}

export interface EngineOptions {
  /** Folder for its data; without one it keeps everything in memory. */
  readonly dataFolder?: string | undefined;
  /** A free one by default. */
  readonly port?: number | undefined;
  readonly clock?: Clock;
  /** Operating system and processor, as Node names them; those of this machine by default. */
  readonly platform?: string;
}

/** How long it may take to answer. */
const START_TIMEOUT_MS = 10_000;

/**
 * Starts the embedded engine: one static binary that speaks DynamoDB's protocol.
 *
 * @throws EngineMissingError where there is no binary for this platform
 */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const clock = options.clock ?? systemClock;
  const binary = findBinary(options.platform ?? `${process.platform}-${process.arch}`);
  const port = options.port ?? (await freePort());
  const commandLine = ['--host', '127.0.0.1', '--port', String(port)];
  if (options.dataFolder !== undefined) {
    mkdirSync(options.dataFolder, { recursive: true });
    commandLine.push('--db-path', join(options.dataFolder, 'engine.db'));
  }
  // A group of its own: Ctrl-C ends the brokers first, and then this.
  const child = spawn(binary, commandLine, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  // Not `once`: it rejects when the process cannot be spawned, and nobody may be there to hear of it twice.
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2_000);
  });
  child.unref();
  await Promise.race([once(child, 'spawn'), once(child, 'error').then(([error]) => Promise.reject(error))]);

  const end = clock.monotonic() + START_TIMEOUT_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`The embedded engine ended at once: ${complaint.trim()}`);
    if (clock.monotonic() > end) {
      child.kill('SIGKILL');
      throw new Error(`The embedded engine did not answer on port ${port}: ${complaint.trim()}`);
    }
    await clock.sleep(20);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid as number,
    process: child,
    ended,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const cancel = clock.after(3_000, () => child.kill('SIGKILL'));
      await ended;
      cancel();
    },
  };
}

function findBinary(platform: string): string {
  const name = PACKAGES[platform];
  const otherwise =
    'Set DDB_ENDPOINT_URL to a DynamoDB that is running, such as DynamoDB Local (docker run -p 8000:8000 amazon/dynamodb-local, then DDB_ENDPOINT_URL=http://127.0.0.1:8000).';
  if (name === undefined)
    throw new EngineMissingError(`There is no embedded engine for ${platform}. ${otherwise}`);
  try {
    return join(createRequire(import.meta.url).resolve(`${name}/package.json`), '..', 'dynoxide');
  } catch (error) {
    throw new EngineMissingError(
      `The package ${name} is not installed: run "npm ci" without --omit=optional. ${otherwise}`,
      { cause: error },
    );
  }
}

/**
 * A port of the loopback interface on which nothing listens just now: one of those that no system gives to anybody
 * who does not name it, so that it is free still when it is used (Linux gives 32768 and up, others 49152 and up).
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer();
    const isFree = new Promise<boolean>((resolve) => {
      server.once('listening', () => resolve(true)).once('error', () => resolve(false));
    });
    server.listen(port, '127.0.0.1');
    if (!(await isFree)) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
