import { expect, test } from 'vitest';
import { readDatabaseTime } from '../../../src/store/database-time.ts';
import { ExpiryJob } from '../../../src/workers/expiry.ts';
import { brokerOfTest } from '../../support/broker.ts';
import { allocate } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { jobsWorld } from '../../support/jobs-world.ts';
import { tableOfTest } from '../../support/table.ts';
import { recordCalls } from '../../support/tapped-database.ts';

const HOUR_MS = 3_600_000;

/** Expiry on a process whose wall clock is off, while the database knows the time. */
async function expiryWithSkew(skewMs: number, passedMs: number) {
  const world = await jobsWorld({ accounts: 3 });
  await world.allocated(2);
  await world.time.pass(passedMs);
  const clock = world.time.skewed(skewMs);
  const { container } = await world.newBroker({ clock });
  const job = new ExpiryJob({
    ...container,
    intervalSeconds: 300,
    labDurationHours: 4,
    gracePeriodMinutes: 30,
    databaseTime: async () => Math.floor(world.clock.now() / 1000),
  });
  const start = await container.runner.start(job, 'schedule');
  if (!start.started) throw new Error('not started');
  const { result } = await world.time.until(start.finished);
  expect(violations(await world.table.items())).toEqual([]);
  return { result, counts: await world.counts() };
}

test('a process whose clock is a day ahead ends no allocation that is not over, and says that its clock is wrong', async () => {
  const { result, counts } = await expiryWithSkew(24 * HOUR_MS, HOUR_MS);
  expect(result).toEqual({ expired: 0, overtaken: 0, clock_ahead_seconds: 86_400 });
  expect(counts).toEqual({ available: 1, allocated: 2 });
});

test('it ends those that are over, by the time of the database', async () => {
  const { result } = await expiryWithSkew(24 * HOUR_MS, 4.5 * HOUR_MS + 1_000);
  expect(result).toMatchObject({ expired: 2 });
});

test('a process whose clock is behind ends nothing early, and what is over by its own clock', async () => {
  expect((await expiryWithSkew(-HOUR_MS, 5 * HOUR_MS)).result).toEqual({ expired: 0, overtaken: 0 });
  expect((await expiryWithSkew(-HOUR_MS, 6 * HOUR_MS)).result).toEqual({ expired: 2, overtaken: 0 });
});

test('the time of the database is the time, to the second, and what is asked for it costs one small read', async () => {
  const table = await tableOfTest();
  const { database, calls } = recordCalls(table.database);
  const before = Math.floor(Date.now() / 1000);
  const time = await readDatabaseTime(database);
  expect(time).toBeGreaterThanOrEqual(before - 1);
  expect(time).toBeLessThanOrEqual(Math.floor(Date.now() / 1000) + 1);
  expect(calls).toMatchObject([{ operation: 'Get' }]);
});

test('production asks the database for the time', async () => {
  const table = await tableOfTest();
  await table.seed(1);
  const { database, calls } = recordCalls(table.database);
  const broker = await brokerOfTest(table.environment, { database });
  expect((await allocate(broker.url, 'student')).status).toBe(201);
  calls.length = 0;
  const { runner, jobs } = broker.container;
  const start = await runner.start(jobs.get('expiry'), 'schedule');
  if (!start.started) throw new Error('not started');
  expect(await start.finished).toMatchObject({ outcome: 'success', result: { expired: 0 } });
  expect(calls.some(({ operation, input }) => operation === 'Get' && input.Key.PK === 'ADOPTION')).toBe(true);
});
