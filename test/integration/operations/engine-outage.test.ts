import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Engine, freePort, startEngine } from '../../../src/local/engine.ts';
import { brokerProcessOfTest } from '../../support/broker.ts';
import { type Answer, allocate, asAdmin, asTrack, call, release } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { makeTable } from '../../support/table.ts';

/** Time-outs of seconds would make an outage of seconds; these make one that a test can wait for. */
const DEADLINE_MS = 1_500;
const IMPATIENT = {
  REQUEST_DEADLINE_MS: String(DEADLINE_MS),
  DDB_TIMEOUT_CONNECT_MS: '1000',
  DDB_TIMEOUT_REQUEST_MS: '1000',
};
/** How much later than its deadline an answer may come on a machine that is busy with other tests. */
const SLACK_MS = 10_000;
/** How long a freeze lasts at least, and until every client has met it. */
const FREEZE_MS = Number(process.env.TEST_FREEZE_SECONDS ?? 20) * 1_000;
const CLIENTS = 16;
/** Sandboxes that each client gets after the outage. */
const AFTERWARDS = 3;

/** An engine that keeps its data, and may be ended and started again at the same address. */
async function lastingEngine() {
  const dataFolder = mkdtempSync(join(tmpdir(), 'engine-outage-'));
  const port = await freePort();
  let engine: Engine = await startEngine({ dataFolder, port });
  onTestFinished(async () => {
    engine.process.kill('SIGCONT');
    await engine.stop();
    rmSync(dataFolder, { recursive: true, force: true });
  });
  return {
    url: engine.url,
    signal: (signal: NodeJS.Signals) => engine.process.kill(signal),
    ended: () => engine.ended,
    startAgain: async () => {
      engine = await startEngine({ dataFolder, port });
    },
  };
}

interface Heard {
  readonly track: string;
  readonly answer: Answer;
  readonly tookMs: number;
}

/**
 * Clients that want one sandbox after the other, and ask again with the same id for as long as they are told 503:
 * what lab scripts do.
 */
class Clients {
  readonly heard: Heard[] = [];
  #over = false;
  #listeners: (() => void)[] = [];

  run(url: string): Promise<unknown> {
    return Promise.all(Array.from({ length: CLIENTS }, (_, client) => this.#run(url, client)));
  }

  /** Every client ends with the sandbox that it is asking for. */
  end(): void {
    this.#over = true;
  }

  of(...statuses: number[]): Heard[] {
    return this.heard.filter(({ answer }) => statuses.includes(answer.status));
  }

  /** Waits for answers, one after the other, until enough have come. */
  async until(enough: () => boolean): Promise<void> {
    while (!enough()) await new Promise<void>((resolve) => this.#listeners.push(resolve));
  }

  async #run(url: string, client: number): Promise<void> {
    for (let index = 0; !this.#over; index += 1) {
      const track = `student-${client}-${index}`;
      for (let status = 503; status === 503; ) {
        const began = performance.now();
        const answer = await allocate(url, track);
        status = answer.status;
        this.heard.push({ track, answer, tookMs: performance.now() - began });
        for (const listener of this.#listeners.splice(0)) listener();
      }
    }
  }
}

/** Runs clients through an outage, and then looks at everything that they heard and at the table itself. */
async function goThrough(
  outage: (engine: Awaited<ReturnType<typeof lastingEngine>>, during: () => Promise<void>) => Promise<void>,
  atLeastMs: number,
): Promise<void> {
  const engine = await lastingEngine();
  const table = await makeTable({ endpoint: engine.url });
  await table.seed(1_000);
  const broker = await brokerProcessOfTest({ ...table.environment, ...IMPATIENT });
  const clients = new Clients();
  const running = clients.run(broker.url);
  await clients.until(() => clients.of(201).length >= CLIENTS);

  await outage(engine, async () => {
    const began = performance.now();
    const refused = () => new Set(clients.of(503).map(({ track }) => track.split('-')[1]));
    await clients.until(() => refused().size === CLIENTS && performance.now() - began >= atLeastMs);
    // A release by a stranger: it reads the row, and would write nothing after the outage.
    const [known] = clients.of(201).map(({ answer }) => String(answer.body.sandbox_id));
    const refusals = await Promise.all([
      call('GET', `${broker.url}/v1/sandboxes/${known}`, asTrack('stranger')),
      release(broker.url, 'stranger', String(known)),
      call('GET', `${broker.url}/v1/admin/sandboxes`, asAdmin()),
      call('GET', `${broker.url}/v1/admin/sandboxes/${known}`, asAdmin()),
    ]);
    for (const { status, body } of refusals)
      expect([status, body.error.code]).toEqual([503, 'SERVICE_UNAVAILABLE']);
    const health = await call('GET', `${broker.url}/healthz`);
    expect([health.status, health.body.status]).toEqual([200, 'healthy']);
    const readiness = await call('GET', `${broker.url}/readyz`);
    expect([readiness.status, readiness.body.status]).toEqual([503, 'not_ready']);
  });

  const before = clients.of(200, 201).length;
  await clients.until(() => clients.of(200, 201).length >= before + CLIENTS * AFTERWARDS);
  clients.end();
  expect((await call('GET', `${broker.url}/readyz`)).status).toBe(200);
  await running;

  expect(clients.of(200, 201, 503)).toHaveLength(clients.heard.length);
  for (const { answer, tookMs } of clients.of(503)) {
    expect(answer.body.error.code).toBe('SERVICE_UNAVAILABLE');
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(tookMs).toBeLessThan(DEADLINE_MS + SLACK_MS);
  }
  const owners = new Map(clients.of(200, 201).map(({ track, answer }) => [track, answer.body.sandbox_id]));
  expect(new Set(owners.values()).size).toBe(owners.size);
  const items = await table.items();
  const allocated = items.filter((item) => item.status === 'allocated');
  expect(new Map(allocated.map((row) => [row.allocated_to_track, row.sandbox_id]))).toEqual(owners);
  expect(violations(items)).toEqual([]);
  table.database.close();
}

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'an engine that is ended by %s while requests run, and started again, costs no allocation and doubles none',
  async (signal) => {
    await goThrough(async (engine, during) => {
      engine.signal(signal);
      await engine.ended();
      await during();
      await engine.startAgain();
    }, 0);
  },
);

test(
  'an engine that freezes while requests run, and goes on, costs no allocation and doubles none',
  async () => {
    await goThrough(async (engine, during) => {
      engine.signal('SIGSTOP');
      await during();
      engine.signal('SIGCONT');
    }, FREEZE_MS);
  },
  60_000 + 2 * FREEZE_MS,
);
