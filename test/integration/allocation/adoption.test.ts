import { expect, test } from 'vitest';
import { brokerOfTest, brokerProcessOfTest } from '../../support/broker.ts';
import { allocate } from '../../support/client.ts';
import { runCommand } from '../../support/command-line.ts';
import { violations } from '../../support/invariants.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { fillAsPreviousBroker } from '../../support/previous-broker.ts';
import { operationOf, proxyOfTest } from '../../support/proxy.ts';
import { tableOfTest } from '../../support/table.ts';
import { recordCalls, tapDatabase } from '../../support/tapped-database.ts';

test('three hundred retries of the previous broker’s callers and three hundred new callers, on two processes and with adoption in the middle: nobody holds two', async () => {
  const table = await tableOfTest({ adopted: false });
  const callers = await fillAsPreviousBroker(table.database, await table.seed(300));
  await table.seed(320, 300);
  const brokers = await Promise.all([
    brokerProcessOfTest(table.environment),
    brokerProcessOfTest(table.environment),
  ]);
  const urlOf = (index: number) => brokers[index % 2]!.url;
  // Adoption stands before the first page that it reads until a part of the class has been answered, and then reads on
  // among the others. The last callers do not come before it is over: their claims are adoption's.
  const started = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const heldEngine = await proxyOfTest(table.environment.DDB_ENDPOINT_URL as string, {
    hold: (request) => {
      if (operationOf(request) !== 'Scan') return undefined;
      started.resolve();
      return goOn.promise;
    },
  });
  const adoption = runCommand({ ...table.environment, DDB_ENDPOINT_URL: heldEngine }, 'adopt');
  await started.promise;
  let answers = 0;
  const ask = async (index: number, track: string, headers?: Record<string, string>) => {
    const answer = await allocate(urlOf(index), track, headers);
    answers += 1;
    if (answers === 150) goOn.resolve();
    return answer;
  };
  const early = callers.slice(0, -20);
  const whoever = Array.from({ length: 300 }, (_, index) => index);
  const [duringRetries, fresh] = await Promise.all([
    Promise.all(
      whoever.map(async (index) => {
        const caller = early[index % early.length]!;
        return { caller, answer: await ask(index, caller.track, caller.headers) };
      }),
    ),
    Promise.all(whoever.map(async (index) => ({ answer: await ask(index, `new-${index}`) }))),
  ]);
  const { exitCode, stdout } = await adoption;
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining('Adoption is complete')]);
  const [, written, there] = /(\d+) claims written, (\d+) had theirs/.exec(stdout) ?? [];
  expect(Number(written)).toBeGreaterThan(0);
  expect(Number(there)).toBeGreaterThan(0);
  const afterwards = await Promise.all(
    callers.map(async (caller) => ({
      caller,
      answer: await allocate(urlOf(1), caller.track, caller.headers),
    })),
  );
  const retries = [...duringRetries, ...afterwards];

  for (const { caller, answer } of retries) {
    // The latest of those that the previous broker gave it.
    expect([answer.status, answer.body.sandbox_id]).toEqual([200, caller.held.at(-1)]);
    expect(answer.body.expires_at).toBe(answer.body.allocated_at + 4 * 3600);
  }
  expect(new Set(fresh.map(({ answer }) => answer.status))).toEqual(new Set([201]));
  const given = new Set(fresh.map(({ answer }) => answer.body.sandbox_id));
  expect(given.size).toBe(300);
  for (const { held } of callers) for (const sandboxId of held) expect(given).not.toContain(sandboxId);

  const items = await table.items();
  expect(violations(items)).toEqual([]);
  expect(items.filter((item) => item.status === 'allocated')).toHaveLength(600);
  expect(items.filter((item) => item.superseded === true)).toHaveLength(300 - callers.length);
});

test('adoption that is run again finds nothing left to do, and changes nothing', async () => {
  const table = await tableOfTest({ adopted: false });
  const callers = await fillAsPreviousBroker(table.database, await table.seed(40));
  const first = await runCommand(table.environment, 'adopt', '--previous-still-runs');
  expect(first.stdout).toContain('Adoption stays open');
  const after = await table.items();
  expect(violations(after)).toEqual([]);
  const second = await runCommand(table.environment, 'adopt');
  expect(second.stdout).toContain(
    `40 sandboxes read, 0 claims written, ${callers.length} had theirs, 0 superseded by a later allocation of the same caller, 0 claims without allocation removed`,
  );
  const items = await table.items();
  expect(items.filter((item) => item.PK !== 'ADOPTION')).toEqual(after);
});

test('a caller gets the same sandbox before, during and after adoption', async () => {
  const table = await tableOfTest({ adopted: false });
  const callers = await fillAsPreviousBroker(table.database, await table.seed(12));
  await table.seed(12, 100);
  const broker = await brokerOfTest(table.environment);
  const ask = () =>
    Promise.all(callers.map(async ({ track, headers }) => (await allocate(broker.url, track, headers)).body));
  const before = await ask();
  const [during] = await Promise.all([ask(), runCommand(table.environment, 'adopt')]);
  const after = await ask();
  const elsewhere = await brokerOfTest(table.environment);
  const fresh = await Promise.all(
    callers.map(async ({ track, headers }) => (await allocate(elsewhere.url, track, headers)).body),
  );
  expect(before.map((body) => body.sandbox_id)).toEqual(callers.map(({ held }) => held.at(-1)));
  for (const answers of [during, after, fresh]) expect(answers).toEqual(before);
});

test('once adoption is complete an allocation reads nothing but candidates, for ever', async () => {
  const table = await tableOfTest({ adopted: false });
  await fillAsPreviousBroker(table.database, await table.seed(10));
  await table.seed(200, 100);
  await runCommand(table.environment, 'adopt');
  const { database, calls } = recordCalls(table.database);
  const broker = await brokerOfTest(table.environment, { database });
  calls.length = 0;
  for (let index = 0; index < 100; index += 1) {
    expect((await allocate(broker.url, `student-${index}`)).status).toBe(201);
  }
  const reads = calls.filter(({ operation }) => operation !== 'TransactWriteItems');
  expect(reads.filter(({ input }) => input.IndexName !== 'StatusIndex')).toEqual([]);
  expect(reads.length).toBeLessThan(20);
  expect(calls.length - reads.length).toBe(100);
});

test('a process that serves while adoption completes stops looking for previous rows within a second', async () => {
  const table = await tableOfTest({ adopted: false });
  await table.seed(20);
  const { database, calls } = recordCalls(table.database);
  const clock = new ManualClock();
  const broker = await brokerOfTest(table.environment, { database, clock });
  await allocate(broker.url, 'student-1');
  expect(calls.map(({ input }) => input.IndexName)).toContain('TrackIndex');
  await runCommand(table.environment, 'adopt');
  await clock.advance(1_000);
  await allocate(broker.url, 'student-2');
  calls.length = 0;
  await allocate(broker.url, 'student-3');
  expect(calls.map(({ operation }) => operation)).toEqual(['TransactWriteItems']);
});

test('a class that comes before adoption is complete asks the index a few at a time', async () => {
  const table = await tableOfTest({ adopted: false });
  await table.seed(100);
  let [now, most, all, arrived] = [0, 0, 0, 0];
  let onAllArrived = () => {};
  const allArrived = new Promise<void>((resolve) => {
    onAllArrived = resolve;
  });
  const database = tapDatabase(table.database, async (call, next) => {
    if (call.operation === 'BatchGet') {
      const answer = await next();
      arrived += call.input.RequestItems[table.database.tableName].Keys.length;
      if (arrived === 100) setImmediate(onAllArrived);
      return answer;
    }
    if (call.input.IndexName !== 'TrackIndex') return next();
    now += 1;
    all += 1;
    most = Math.max(most, now);
    await allArrived;
    now -= 1;
    return next();
  });
  const broker = await brokerOfTest(table.environment, { database });
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => allocate(broker.url, `student-${index}`)),
  );
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(100);
  expect(all).toBe(100);
  expect(most).toBe(16);
});
