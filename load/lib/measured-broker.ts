import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { NODE_OPTIONS } from '../../src/local/broker-process.ts';
import { freePort } from '../../src/local/engine.ts';
import { brokerProgram } from './broker-program.ts';

export interface MeasuredBroker {
  readonly url: string;
  readonly pid: number;
  /** From the start of the process until it answered that it was ready. */
  readonly readyAfterMs: number;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;
const ASK_EVERY_MS = 5;

export interface MeasuredBrokerOptions {
  /** The module to start: by default the bundle of this checkout, which is what the image runs. */
  readonly program?: string | undefined;
  /** Of Node, such as `--cpu-prof`. */
  readonly nodeArguments?: readonly string[];
}

/**
 * A broker as production runs it, but that its log goes nowhere: it writes every line, and nobody on the same two
 * cores spends time on reading them.
 */
export async function startMeasuredBroker(
  environment: Readonly<Record<string, string | undefined>>,
  { program = brokerProgram(), nodeArguments = [] }: MeasuredBrokerOptions = {},
): Promise<MeasuredBroker> {
  const port = await freePort();
  const began = performance.now();
  const child = spawn(process.execPath, [...NODE_OPTIONS, ...nodeArguments, program], {
    env: { ...environment, HOST: '127.0.0.1', PORT: String(port), LOG_FORMAT: 'json' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4_000);
  });
  const url = `http://127.0.0.1:${port}`;
  while (!(await isReady(url))) {
    if (child.exitCode !== null || performance.now() - began > START_TIMEOUT_MS) {
      child.kill('SIGKILL');
      throw new Error(`A broker did not start: ${complaint.trim()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
  return {
    url,
    pid: child.pid as number,
    readyAfterMs: performance.now() - began,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`);
    await answer.arrayBuffer();
    return answer.status === 200;
  } catch {
    return false;
  }
}
