import { expect, test } from 'vitest';
import { readEvents } from '../../../src/store/audit-trail.ts';
import { brokerOfTest } from '../../support/broker.ts';
import { allocate, asTrack, call, release } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { allocateAsPreviousBroker } from '../../support/previous-broker.ts';
import { type TestTable, tableOfTest } from '../../support/table.ts';
import { recordCalls } from '../../support/tapped-database.ts';

const twoBrokers = (table: TestTable) =>
  Promise.all([brokerOfTest(table.environment), brokerOfTest(table.environment)]);

async function rowOf(table: TestTable, sandboxId: string) {
  return (await table.items()).find((item) => item.PK === `SBX#${sandboxId}` && item.SK === 'META');
}

test('a release moves the sandbox to pending deletion and its claim goes with it', async () => {
  const table = await tableOfTest();
  await table.seed(1);
  const broker = await brokerOfTest(table.environment);
  const { sandbox_id: sandboxId } = (await allocate(broker.url, 'student-1')).body;
  const released = await release(broker.url, 'student-1', sandboxId);
  expect([released.status, released.body]).toEqual([
    200,
    { sandbox_id: sandboxId, status: 'pending_deletion', deletion_requested_at: expect.any(Number) },
  ]);
  expect(await rowOf(table, sandboxId)).toMatchObject({
    status: 'pending_deletion',
    allocated_to_track: 'student-1',
    deletion_requested_at: released.body.deletion_requested_at,
    deletion_retry_count: 0,
  });
  expect((await table.items()).filter((item) => String(item.PK).startsWith('CLAIM#'))).toEqual([]);
});

test('fifty racing releases of one sandbox over two processes give one answer, and leave one trace', async () => {
  const table = await tableOfTest();
  await table.seed(1);
  const brokers = await twoBrokers(table);
  const { sandbox_id: sandboxId } = (await allocate(brokers[0].url, 'student-1')).body;
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => release(brokers[index % 2]!.url, 'student-1', sandboxId)),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  const events = await readEvents(table.database, sandboxId, 10);
  expect(events).toMatchObject([
    { move: 'release', actor: 'track', allocatedToTrack: 'student-1' },
    { move: 'allocate', actor: 'track', allocatedToTrack: 'student-1' },
  ]);
});

test('nobody releases the sandbox of somebody else, nor one that nobody holds, nor one that there is not', async () => {
  const table = await tableOfTest();
  const rows = await table.seed(2);
  const broker = await brokerOfTest(table.environment);
  const { sandbox_id: held } = (await allocate(broker.url, 'student-1')).body;
  const free = rows.find(({ sandboxId }) => sandboxId !== held)!.sandboxId;
  const before = await table.items();
  const refusals = [
    await release(broker.url, 'student-2', held),
    await release(broker.url, 'student-2', free),
    await release(broker.url, 'student-2', '123'),
  ];
  expect(refusals.map(({ status, body }) => [status, body.error.code])).toEqual([
    [403, 'NOT_SANDBOX_OWNER'],
    [403, 'NOT_SANDBOX_OWNER'],
    [404, 'SANDBOX_NOT_FOUND'],
  ]);
  expect(JSON.stringify(refusals.map(({ body }) => body))).not.toContain('student-1');
  expect(await table.items()).toEqual(before);
});

test('after a release the same key gets a new sandbox, and ten retries on two processes get that one again', async () => {
  const table = await tableOfTest();
  await table.seed(30);
  const brokers = await twoBrokers(table);
  const first = await allocate(brokers[0].url, 'student-1');
  await release(brokers[0].url, 'student-1', first.body.sandbox_id);
  const second = await allocate(brokers[1].url, 'student-1');
  expect(second.status).toBe(201);
  expect(second.body.sandbox_id).not.toBe(first.body.sandbox_id);
  for (let retry = 0; retry < 10; retry += 1) {
    const answer = await allocate(brokers[retry % 2]!.url, 'student-1');
    expect([answer.status, answer.body]).toEqual([200, second.body]);
  }
  // The first one is released already: saying so again takes nothing from the second.
  expect((await release(brokers[1].url, 'student-1', first.body.sandbox_id)).status).toBe(200);
  expect((await allocate(brokers[0].url, 'student-1')).body).toEqual(second.body);
  expect(violations(await table.items())).toEqual([]);
});

test('keys of one caller are released apart from each other', async () => {
  const table = await tableOfTest();
  await table.seed(2);
  const broker = await brokerOfTest(table.environment);
  const own = await allocate(broker.url, 'student-1');
  const keyed = await allocate(broker.url, 'student-1', { 'idempotency-key': 'second' });
  expect(keyed.body.sandbox_id).not.toBe(own.body.sandbox_id);
  await release(broker.url, 'student-1', own.body.sandbox_id);
  const replay = await allocate(broker.url, 'student-1', { 'idempotency-key': 'second' });
  expect([replay.status, replay.body]).toEqual([200, keyed.body]);
  expect((await allocate(broker.url, 'student-1')).status).toBe(409);
  expect(violations(await table.items())).toEqual([]);
});

test('an owner whose lab’s time is over still gets its sandbox when it asks, and may give it back', async () => {
  const table = await tableOfTest();
  await table.seed(2);
  const clock = new ManualClock();
  const broker = await brokerOfTest(table.environment, { clock });
  const first = await allocate(broker.url, 'student-1');
  expect(first.body.expires_at - first.body.allocated_at).toBe(4 * 3600);
  await clock.advance(9 * 3_600_000);
  const replay = await allocate(broker.url, 'student-1');
  expect([replay.status, replay.body]).toEqual([200, first.body]);
  const released = await release(broker.url, 'student-1', first.body.sandbox_id);
  expect(released.body).toMatchObject({
    status: 'pending_deletion',
    deletion_requested_at: Math.floor(clock.now() / 1000),
  });
});

test('a class that ends at once shares its transactions', async () => {
  const table = await tableOfTest();
  await table.seed(200);
  const { database, calls } = recordCalls(table.database);
  const broker = await brokerOfTest(table.environment, { database });
  const students = Array.from({ length: 200 }, (_, index) => `student-${index}`);
  const held = await Promise.all(students.map((track) => allocate(broker.url, track)));
  calls.length = 0;
  const answers = await Promise.all(
    students.map((track, index) => release(broker.url, track, held[index]!.body.sandbox_id)),
  );
  expect(answers.every(({ status }) => status === 200)).toBe(true);
  expect(calls.filter(({ operation }) => operation === 'TransactWriteItems').length).toBeLessThan(60);
  const items = await table.items();
  expect(items.filter((item) => item.status === 'pending_deletion')).toHaveLength(200);
  expect(items.filter((item) => String(item.PK).startsWith('CLAIM#'))).toEqual([]);
});

test('releases that race allocations of the same keys leave every key with one sandbox or none', async () => {
  const table = await tableOfTest();
  await table.seed(400);
  const brokers = await twoBrokers(table);
  const students = Array.from({ length: 20 }, (_, index) => `student-${index}`);
  for (let round = 0; round < 5; round += 1) {
    await Promise.all(
      students.map(async (track) => {
        const held = (await allocate(brokers[0].url, track)).body.sandbox_id;
        const racing = await Promise.all([
          release(brokers[0].url, track, held),
          allocate(brokers[1].url, track),
          release(brokers[1].url, track, held),
          allocate(brokers[0].url, track),
        ]);
        expect(racing.every(({ status }) => status === 200 || status === 201)).toBe(true);
        const now = await allocate(brokers[1].url, track);
        // Whoever was told of a new sandbox has it still: only the old one was released.
        for (const { status, body } of racing)
          if (status === 201) expect(body.sandbox_id).toBe(now.body.sandbox_id);
        expect(now.body.sandbox_id).not.toBe(held);
        await release(brokers[0].url, track, now.body.sandbox_id);
      }),
    );
    expect(violations(await table.items())).toEqual([]);
  }
});

test('a sandbox of the previous broker that nobody has adopted is released by its owner all the same', async () => {
  const table = await tableOfTest({ adopted: false });
  const [sandbox, fresh] = await table.seed(2);
  const track = 'student-1';
  await allocateAsPreviousBroker(table.database, [{ sandbox: sandbox!, track, allocatedAt: 1_774_000_000 }]);
  const broker = await brokerOfTest(table.environment);
  const look = await call('GET', `${broker.url}/v1/sandboxes/${sandbox!.sandboxId}`, asTrack(track));
  expect(look.body).toMatchObject({ status: 'allocated', allocated_to_track: track });
  expect((await release(broker.url, track, sandbox!.sandboxId)).status).toBe(200);
  const next = await allocate(broker.url, track);
  expect([next.status, next.body.sandbox_id]).toEqual([201, fresh!.sandboxId]);
  expect(violations(await table.items())).toEqual([]);
});
