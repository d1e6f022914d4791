import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../../src/local/engine.ts';
import type { InstallationSummary } from '../../../src/local/installation-summary.ts';
import { call } from '../../support/client.ts';
import { findProgram } from '../../support/lab-host.ts';
import { UNHURRIED } from '../../support/table.ts';

const MAIN = join(import.meta.dirname, '../../../src/local/main.ts');

interface LocalRun {
  readonly process: ChildProcess;
  /** What it has written so far. */
  readonly output: { stdout: string; stderr: string };
  /** Resolves with its exit code, once everything that it wrote has been read. */
  readonly ended: Promise<number | null>;
}

/** `npm run local -- <words>`, interrupted at the end of the test if it still runs. */
function runLocal(...words: string[]): LocalRun {
  return runLocalWith({}, ...words);
}

/** The same with variables. */
function runLocalWith(environment: Record<string, string>, ...words: string[]): LocalRun {
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { PATH: process.env.PATH, ...UNHURRIED, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  onTestFinished(async () => {
    child.kill('SIGINT');
    await ended;
  });
  return { process: child, output, ended };
}

/** The first line of its output that `matches`. */
async function lineOf(run: LocalRun, matches: (line: string) => boolean): Promise<string> {
  let over = false;
  const end = run.ended.then(() => {
    over = true;
  });
  for (;;) {
    const line = run.output.stdout.split('\n').slice(0, -1).find(matches);
    if (line !== undefined) return line;
    if (over) throw new Error(`It ended before that: ${run.output.stderr}`);
    await Promise.race([once(run.process.stdout!, 'data'), end]);
  }
}

async function summaryOf(run: LocalRun): Promise<InstallationSummary> {
  return JSON.parse(await lineOf(run, (line) => line.startsWith('{')));
}

async function interrupt(run: LocalRun): Promise<number | null> {
  run.process.kill('SIGINT');
  return run.ended;
}

/** The first of two ports that follow one another and are both free. */
async function twoFreePorts(): Promise<number> {
  for (;;) {
    const port = await freePort();
    const next = createServer().listen(port + 1, '127.0.0.1');
    // Rejects when the port is taken: an error comes instead.
    const isFree = await once(next, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    next.close();
    await once(next, 'close');
    return port;
  }
}

function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'local-installation-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
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

const asStudent = (summary: InstallationSummary) => ({
  authorization: `Bearer ${summary.trackToken}`,
  'x-instruqt-sandbox-id': 'student-1',
});
const statistics = async (summary: InstallationSummary) =>
  (
    await call('GET', `${summary.brokers[0]}/v1/admin/stats`, {
      authorization: `Bearer ${summary.adminToken}`,
    })
  ).body;

test('an installation of two brokers serves one pool, leaves no process behind, and goes on from its data', async () => {
  const [port, folder] = [await twoFreePorts(), dataFolder()];
  const words = ['--json', '--port', String(port), '--brokers', '2', '--pool', '20', '--data', folder];
  const first = runLocal(...words);
  const summary = await summaryOf(first);
  expect(summary.brokers).toEqual([`http://127.0.0.1:${port}`, `http://127.0.0.1:${port + 1}`]);
  const [one, two] = summary.brokers;

  const allocated = await call('POST', `${one}/v1/allocate`, asStudent(summary));
  expect(allocated.status).toBe(201);
  const sandbox = allocated.body;
  const elsewhere = await call('POST', `${two}/v1/allocate`, asStudent(summary));
  expect([elsewhere.status, elsewhere.body]).toEqual([200, sandbox]);
  const look = await call('GET', `${two}/v1/sandboxes/${sandbox.sandbox_id}`, asStudent(summary));
  expect(look.body).toMatchObject({ status: 'allocated', allocated_to_track: 'student-1' });
  expect(await statistics(summary)).toMatchObject({ total: 20, available: 19, allocated: 1 });

  const pids = [summary.pids.local, summary.pids.engine!, ...summary.pids.brokers];
  expect(pids.every(isAlive)).toBe(true);
  expect(await interrupt(first)).toBe(0);
  expect(pids.filter(isAlive)).toEqual([]);
  expect(first.output.stderr).toBe('');

  const again = await summaryOf(runLocal(...words));
  expect(again.trackToken).not.toBe(summary.trackToken);
  expect(await statistics(again)).toMatchObject({ total: 20, available: 19, allocated: 1 });
  const replay = await call('POST', `${again.brokers[1]}/v1/allocate`, asStudent(again));
  expect([replay.status, replay.body]).toEqual([200, sandbox]);
  const url = `${again.brokers[0]}/v1/sandboxes/${sandbox.sandbox_id}/mark-for-deletion`;
  expect((await call('POST', url, asStudent(again))).body.status).toBe('pending_deletion');
});

const noCurl = findProgram('curl') === undefined;

test.skipIf(noCurl)(
  'the three commands of the welcome text work when they are pasted into a shell',
  async () => {
    const run = runLocal('--port', String(await freePort()), '--pool', '3');
    await lineOf(run, (line) => line.startsWith('Ctrl-C'));
    const commands = run.output.stdout.split('\n').filter((line) => line.startsWith('  curl '));
    expect(commands).toHaveLength(3);
    const folder = dataFolder();
    const answers: Record<string, string>[] = [];
    for (const command of commands) {
      // The folder for temporary files is everybody's: what the text keeps there must not meet another test.
      const shell = spawn('sh', ['-c', command.replaceAll('/tmp/', `${folder}/`)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let text = '';
      shell.stdout.on('data', (chunk) => {
        text += chunk;
      });
      await once(shell, 'close');
      answers.push(JSON.parse(text));
    }
    const [allocated, looked, released] = answers;
    expect(looked).toMatchObject({ sandbox_id: allocated!.sandbox_id, status: 'allocated' });
    expect(released).toMatchObject({ sandbox_id: allocated!.sandbox_id, status: 'pending_deletion' });
    expect(await interrupt(run)).toBe(0);
  },
);

test('an installation of which one part cannot start says why, and leaves nothing behind', async () => {
  const port = await twoFreePorts();
  const occupant = createServer().listen(port + 1, '127.0.0.1');
  onTestFinished(() => void occupant.close());
  const run = runLocal('--json', '--port', String(port), '--brokers', '2', '--pool', '3');
  expect(await run.ended).toBe(1);
  expect(run.output.stderr).toMatch(new RegExp(`^Port ${port + 1} of 127.0.0.1 is in use .*--port\\)\n$`));
  expect(await accepts(port)).toBe(false);
});

test.each(['warn', 'silent'])(
  'an installation whose brokers log at %s starts and stops like any other',
  async (level) => {
    const run = runLocalWith({ LOG_LEVEL: level }, '--json', '--port', '0', '--pool', '3');
    const summary = await summaryOf(run);
    expect((await call('POST', `${summary.brokers[0]}/v1/allocate`, asStudent(summary))).status).toBe(201);
    expect(await interrupt(run)).toBe(0);
    expect([summary.pids.engine!, ...summary.pids.brokers].filter(isAlive)).toEqual([]);
  },
);

test('an installation that is interrupted while its broker hangs in its start ends, and its broker with it', async () => {
  const store = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void store.close());
  await once(store, 'listening');
  const { port } = store.address() as AddressInfo;
  // The broker asks for its tokens, and hears nothing.
  const silentStore = {
    BROKER_API_TOKEN: '',
    BROKER_API_TOKEN_SECRET_ID: 'tokens',
    SECRETS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
  };
  const asked = once(store, 'connection');
  const run = runLocalWith(silentStore, '--port', '0', '--pool', '3');
  const [socket] = (await asked) as [Socket];
  const brokerGone = once(socket.on('error', () => {}).resume(), 'close');
  expect(await interrupt(run)).toBe(0);
  await brokerGone;
  expect(run.output.stderr).toBe('\nStopping ...\n');
});

test('an installation whose terminal is closed (SIGHUP) leaves no process behind', async () => {
  const run = runLocal('--json', '--port', '0', '--pool', '3');
  const { pids } = await summaryOf(run);
  run.process.kill('SIGHUP');
  expect(await run.ended).toBe(0);
  expect([pids.local, pids.engine!, ...pids.brokers].filter(isAlive)).toEqual([]);
});

test('an installation that loses one of its parts stops the others and says which one it was', async () => {
  const run = runLocal('--json', '--port', String(await freePort()), '--pool', '3');
  const { pids } = await summaryOf(run);
  process.kill(pids.brokers[0]!, 'SIGKILL');
  expect(await run.ended).toBe(1);
  expect(run.output.stderr).toContain('ended unexpectedly');
  expect([pids.local, pids.engine!, ...pids.brokers].filter(isAlive)).toEqual([]);
});

test('options that make no sense are refused with a word on what is wrong, and with all that there are', async () => {
  const complaints: [string[], string][] = [
    [['--pool', 'many'], '--pool must be a whole number'],
    [['--brokers', '0'], '--brokers must be a whole number from 1 to 16'],
    [['--port', '70000'], '--port must be a whole number'],
    [['--colour', 'red'], '--colour'],
  ];
  const runs = complaints.map(([words, complaint]) => ({ run: runLocal(...words), complaint }));
  for (const { run, complaint } of runs) {
    expect(await run.ended).toBe(1);
    expect(run.output.stderr).toContain(complaint);
    expect(run.output.stderr).toContain('--data DIR');
  }
});
