import { expect, onTestFinished, test } from 'vitest';
import { seededRandom } from '../../../src/local/csp-simulator/seeded-random.ts';
import { IntervalWorker } from '../../../src/workers/interval-worker.ts';
import type { Job } from '../../../src/workers/job.ts';
import { BusyJob } from '../../support/busy-job.ts';
import { LEASE_MS, type LeaseBench, leaseBench, type Participant } from '../../support/lease-bench.ts';
import { tapDatabase, timeout } from '../../support/tapped-database.ts';

const INTERVAL = 600;
/** Intervals over which runs are counted. */
const ROUNDS = 12;
const random = seededRandom(7);

/** Ticks for the job in a process, until the end of the test. */
function workerOf(job: Job, { runner, clock, logger, isDead }: Participant): IntervalWorker {
  const worker = new IntervalWorker(job, { runner, clock, logger, random });
  onTestFinished(async () => {
    const stopped = Promise.all([runner.stop(), worker.stop()]);
    // What is dead does not stop, either.
    if (!isDead()) await stopped;
  });
  return worker;
}

function startWorkers(bench: LeaseBench, job: Job, count: number): Participant[] {
  const participants = Array.from({ length: count }, (_, index) => bench.participant(`process-${index}`));
  for (const participant of participants) workerOf(job, participant).start();
  return participants;
}

test.each([
  ['a moment', 0],
  ['longer than a tick waits for its holder', LEASE_MS * 2],
  ['most of an interval', INTERVAL * 900],
])(
  'three processes run a job that takes %s about once an interval, and never twice at once',
  async (_words, runMs) => {
    const bench = await leaseBench();
    const job = new BusyJob(bench.clock, INTERVAL, runMs);
    startWorkers(bench, job, 3);
    await bench.time.pass(INTERVAL * 1000 * ROUNDS);
    // Ticks are a tenth early or late, and a process that ran it ticks again only when its run is over.
    expect(job.began.length).toBeGreaterThanOrEqual(ROUNDS / (1.1 + runMs / 1000 / INTERVAL) - 1);
    expect(job.began.length).toBeLessThanOrEqual(ROUNDS / 0.85);
    expect(Math.min(...job.gaps)).toBeGreaterThan(INTERVAL * 0.8);
    expect(job.mostAtOnce).toBe(1);
  },
);

test('when the process that runs a job dies in the middle another one goes on within an interval and a lease', async () => {
  const bench = await leaseBench();
  const job = new BusyJob(bench.clock, INTERVAL, 120_000);
  const processes = startWorkers(bench, job, 3);
  await bench.time.pass(INTERVAL * 1000 * 3.5);
  while ((await bench.rows.read('sync')).holder === null) await bench.time.pass(10_000);
  const { holder } = await bench.rows.read('sync');
  processes.find((each) => each.holder === holder)?.die();
  const death = bench.clock.monotonic() / 1000;
  const runsBefore = job.began.length;
  await bench.time.pass((INTERVAL * 1.1 + LEASE_MS / 1000 + 1) * 1000);
  expect(job.began.length).toBeGreaterThan(runsBefore);
  expect((job.began[runsBefore] as number) - death).toBeGreaterThanOrEqual(LEASE_MS / 1000);
  await bench.time.pass(INTERVAL * 1000 * 10);
  expect(job.began.length - runsBefore).toBeGreaterThanOrEqual(7);
});

test('when all processes but one die between runs the last one goes on', async () => {
  const bench = await leaseBench();
  const job = new BusyJob(bench.clock, INTERVAL, 0);
  const processes = startWorkers(bench, job, 3);
  await bench.time.pass(INTERVAL * 1000 * 2);
  for (const { die } of processes.slice(1)) die();
  const runsBefore = job.began.length;
  await bench.time.pass(INTERVAL * 1000 * 10);
  expect(job.began.length - runsBefore).toBeGreaterThanOrEqual(8);
});

test('processes that start together tick at different moments of the first seconds', async () => {
  const bench = await leaseBench();
  const job = new BusyJob(bench.clock, INTERVAL, 0);
  const reads: number[] = [];
  const database = tapDatabase(bench.database, ({ operation }, next) => {
    if (operation === 'Get') reads.push(bench.clock.monotonic());
    return next();
  });
  for (let index = 0; index < 10; index += 1)
    workerOf(job, bench.participant(`${index}`, { database })).start();
  await bench.time.pass(5_000);
  expect(reads.length).toBeGreaterThanOrEqual(10);
  expect(new Set(reads).size).toBeGreaterThanOrEqual(10);
  expect(job.began).toHaveLength(1);
});

test('a process that starts does not repeat what another has just done, and does what is overdue', async () => {
  const bench = await leaseBench();
  const job = new BusyJob(bench.clock, INTERVAL, 0);
  await bench.time.until((await bench.participant('earlier').begin(job)).finished);
  await bench.time.until(workerOf(job, bench.participant('at once')).tick());
  expect(job.began).toHaveLength(1);
  await bench.time.pass(INTERVAL * 1000);
  await bench.time.until(workerOf(job, bench.participant('later')).tick());
  expect(job.began).toHaveLength(2);
});

test('a run that was stopped half-way is taken up by the next tick of another process', async () => {
  const bench = await leaseBench();
  const job = new BusyJob(bench.clock, INTERVAL, 120_000);
  const other = workerOf(job, bench.participant('other'));
  await bench.time.until(other.tick());
  await bench.time.pass(INTERVAL * 1000);
  const stopping = bench.participant('stopping');
  const { finished } = await stopping.begin(job);
  await bench.time.pass(60_000);
  await stopping.runner.stop();
  expect((await finished).outcome).toBe('stopped');
  await bench.time.until(other.tick());
  expect(job.began).toHaveLength(3);
});

test('a tick that meets a run waits to see a sign of life, and leaves a job alone that was done meanwhile', async () => {
  const bench = await leaseBench();
  const job = new BusyJob(bench.clock, INTERVAL, 5_000);
  const waiting = workerOf(job, bench.participant('waiting'));
  await bench.time.until(waiting.tick());
  await bench.time.pass(INTERVAL * 1000);
  const { finished } = await bench.participant('running').begin(job);
  await bench.time.until(waiting.tick());
  await finished;
  expect(job.began).toHaveLength(2);
});

test('a tick that fails is logged, and the next one runs the job', async () => {
  const bench = await leaseBench();
  const job = new BusyJob(bench.clock, INTERVAL, 0);
  let broken = true;
  const database = tapDatabase(bench.database, (_call, next) =>
    broken ? Promise.reject(timeout()) : next(),
  );
  const participant = bench.participant('process', { database });
  workerOf(job, participant).start();
  await bench.time.pass(INTERVAL * 500);
  expect(participant.log.join()).toContain('a tick failed');
  expect(job.began).toHaveLength(0);
  broken = false;
  await bench.time.pass(INTERVAL * 700);
  expect(job.began).toHaveLength(1);
});

test('a stop ends the waiting at once, and awaits a run until its lease is back', async () => {
  const bench = await leaseBench();
  const idle = workerOf(new BusyJob(bench.clock, INTERVAL, 0), bench.participant('idle'));
  idle.start();
  await idle.stop();

  const job = new BusyJob(bench.clock, INTERVAL, 120_000);
  const participant = bench.participant('running');
  const worker = workerOf(job, participant);
  worker.start();
  await bench.time.pass(10_000);
  expect(job.began).toHaveLength(1);
  await Promise.all([participant.runner.stop(), worker.stop()]);
  expect(await bench.rows.read('sync')).toMatchObject({ holder: null, lastRun: { outcome: 'stopped' } });
  await bench.time.pass(INTERVAL * 5_000);
  expect(job.began).toHaveLength(1);
});

test('a stop ends a tick that waits for a holder to give a sign of life', async () => {
  const bench = await leaseBench();
  const job = new BusyJob(bench.clock, INTERVAL, 3_600_000);
  const holder = bench.participant('holder');
  await holder.begin(job);
  const participant = bench.participant('waiting');
  const worker = workerOf(job, participant);
  worker.start();
  await bench.time.pass(10_000);
  await Promise.all([participant.runner.stop(), worker.stop()]);
  expect(job.began).toHaveLength(1);
  await holder.runner.stop();
});
