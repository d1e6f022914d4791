import { HttpConnection } from './http-connection.ts';
import type { Burst, ClosedLoop, Load, LoadResult, OpenLoop } from './protocol.ts';
import { Recorder } from './recorder.ts';
import { requestsOf } from './requests.ts';

export function runLoad(load: Load): Promise<LoadResult> {
  if (load.kind === 'closed') return runClosedLoop(load);
  return load.kind === 'open' ? runOpenLoop(load) : runBurst(load);
}

/** Connections, the brokers in turn. */
function connections(urls: readonly string[], count: number): HttpConnection[] {
  return Array.from({ length: count }, (_, index) => new HttpConnection(urls[index % urls.length] as string));
}

async function runClosedLoop(load: ClosedLoop): Promise<LoadResult> {
  const requests = requestsOf(load.callers);
  const pool = connections(load.urls, load.concurrency);
  await Promise.all(pool.map((connection) => connection.open()));
  const recorder = new Recorder();
  const end = load.seconds === undefined ? Number.POSITIVE_INFINITY : load.seconds * 1000;
  let left = load.requests ?? Number.POSITIVE_INFINITY;
  const lane = async (connection: HttpConnection) => {
    while (left > 0 && recorder.now() < end) {
      left -= 1;
      const { caller, message } = requests.next().value;
      const sentAt = recorder.now();
      try {
        recorder.answer(caller, await connection.request(message), sentAt);
      } catch (error) {
        recorder.fault(error, sentAt);
      }
    }
  };
  await Promise.all(pool.map(lane));
  for (const connection of pool) connection.close();
  return recorder.result();
}

async function runBurst(load: Burst): Promise<LoadResult> {
  const requests = requestsOf(load.callers);
  const pool = connections(load.urls, load.requests);
  if (!load.newConnections) await Promise.all(pool.map((connection) => connection.open()));
  const prepared = pool.map((connection) => ({ connection, ...requests.next().value }));
  const recorder = new Recorder();
  await Promise.all(
    prepared.map(async ({ connection, caller, message }) => {
      try {
        recorder.answer(caller, await connection.request(message), 0);
      } catch (error) {
        recorder.fault(error, 0);
      }
    }),
  );
  for (const connection of pool) connection.close();
  return recorder.result();
}

/** Arrivals come in steps of one turn of the timer; within a step a Poisson process is as it is (it has no memory). */
const STEP_MS = 1;
/** Connections that may be open at once; who finds none free has one opened. */
const MAX_CONNECTIONS = 8_000;

async function runOpenLoop(load: OpenLoop): Promise<LoadResult> {
  const requests = requestsOf(load.callers);
  const idle: HttpConnection[] = connections(load.urls, Math.min(256, Math.ceil(load.ratePerSecond / 4)));
  await Promise.all(idle.map((connection) => connection.open()));
  let opened = idle.length;
  const recorder = new Recorder();
  const underWay = new Set<Promise<void>>();
  const send = async (dueAt: number) => {
    const { caller, message } = requests.next().value;
    const connection = idle.pop() ?? new HttpConnection(load.urls[opened++ % load.urls.length] as string);
    try {
      recorder.answer(caller, await connection.request(message), dueAt);
      idle.push(connection);
    } catch (error) {
      recorder.fault(error, dueAt);
    }
  };
  const steps = (load.seconds * 1000) / STEP_MS;
  const perStep = (load.ratePerSecond * STEP_MS) / 1000;
  for (let step = 0; step < steps; ) {
    // Late steps are sent now and counted from when they were due: arrivals wait for nobody, not even for us.
    for (; step < steps && step * STEP_MS <= recorder.now(); step += 1) {
      for (let count = poisson(perStep); count > 0 && opened < MAX_CONNECTIONS; count -= 1) {
        const sent = send(step * STEP_MS).finally(() => underWay.delete(sent));
        underWay.add(sent);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
  await Promise.all(underWay);
  for (const connection of idle) connection.close();
  return recorder.result();
}

/** A random number of the Poisson distribution, by Knuth's method: the mean here is small. */
function poisson(mean: number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = Math.random(); product > limit; product *= Math.random()) count += 1;
  return count;
}
