import { expect, test } from 'vitest';
import { allocate, asAdmin, asTrack, call, release } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { jobsWorld } from '../../support/jobs-world.ts';
import { metric } from '../../support/metric.ts';
import { tapDatabase } from '../../support/tapped-database.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

test('an allocation that nobody ended goes when its lab and the grace time are over, and not a second sooner', async () => {
  const world = await jobsWorld({ accounts: 3 });
  const [sandboxId] = [...(await world.allocated(1)).values()] as [string];
  await world.time.pass(4 * HOUR_MS + 30 * MINUTE_MS);
  expect((await world.run('expiry')).result).toEqual({ expired: 0, overtaken: 0 });
  await world.time.pass(1_000);
  const run = await world.run('expiry');
  expect(run).toMatchObject({ outcome: 'success', result: { expired: 1, overtaken: 0 } });
  expect((await world.rows()).get(sandboxId)).toMatchObject({
    status: 'pending_deletion',
    deletion_requested_at: Math.floor(world.clock.now() / 1000),
    allocated_to_track: 'student-0',
  });
  expect(violations(await world.table.items())).toEqual([]);
  const { body } = await call('GET', `${world.broker.url}/v1/admin/sandboxes/${sandboxId}/events`, asAdmin());
  expect(body.events).toMatchObject([
    { move: 'expire', from: 'allocated', to: 'pending_deletion', actor: 'job:expiry', request_id: run.runId },
    { move: 'allocate', actor: 'track', allocated_to_track: 'student-0' },
  ]);
  expect(await metric(world.broker.url, 'broker_expiry_orphaned_total')).toBe(1);
  expect(await metric(world.broker.url, 'broker_expiry_total{outcome="success"}')).toBe(2);
});

test('expiry ends the claim too: the same student gets another sandbox, and releasing the old one is still an answer', async () => {
  const world = await jobsWorld({ accounts: 3 });
  const [sandboxId] = [...(await world.allocated(1, 'student')).values()] as [string];
  await world.time.pass(5 * HOUR_MS);
  await world.run('expiry');
  const again = await allocate(world.broker.url, 'student-0');
  expect(again.status).toBe(201);
  expect(again.body.sandbox_id).not.toBe(sandboxId);
  expect(await release(world.broker.url, 'student-0', sandboxId)).toMatchObject({
    status: 200,
    body: { status: 'pending_deletion' },
  });
});

test('what an allocation was promised counts, not what new ones are promised', async () => {
  const world = await jobsWorld({ accounts: 4 });
  const long = [...(await world.allocated(1, 'long')).values()] as [string];
  await world.backdate(long, { lab_duration_hours: 9 });
  await world.allocated(1, 'usual');
  const shorter = await world.newBroker({}, { LAB_DURATION_HOURS: '1', GRACE_PERIOD_MINUTES: '0' });
  await world.time.pass(2 * HOUR_MS);
  expect((await world.run('expiry', {}, shorter)).result).toMatchObject({ expired: 0 });
  await world.time.pass(3 * HOUR_MS);
  expect((await world.run('expiry', {}, shorter)).result).toMatchObject({ expired: 1 });
  expect((await world.rows()).get(long[0])?.status).toBe('allocated');
  await world.time.pass(4 * HOUR_MS + 1_000);
  expect((await world.run('expiry', {}, shorter)).result).toMatchObject({ expired: 1 });
});

test('students who release in the moment in which expiry writes have released, and expiry has done nothing', async () => {
  const world = await jobsWorld({ accounts: 3 });
  const held = [...(await world.allocated(2))] as [string, string][];
  await world.time.pass(5 * HOUR_MS);
  let happened: Promise<unknown> | undefined;
  const database = tapDatabase(world.table.database, async ({ operation }, next) => {
    if (operation === 'TransactWriteItems') {
      happened ??= Promise.all(held.map(([track, sandboxId]) => release(world.broker.url, track, sandboxId)));
      await happened;
    }
    return next();
  });
  const before = world.clock.now();
  const run = await world.run('expiry', {}, await world.newBroker({ database }));
  expect(run.result).toMatchObject({ expired: 0, overtaken: 2 });
  for (const row of (await world.rows()).values()) {
    if (row.status === 'pending_deletion') expect(row.deletion_requested_at).toBe(Math.floor(before / 1000));
  }
  const moves = (await world.table.items())
    .filter((item) => item.move !== undefined)
    .map((item) => item.move);
  expect(moves).toEqual(['release', 'release']);
  expect(violations(await world.table.items())).toEqual([]);
});

test('an index that still shows an allocation which is over and a new one of the same row ends neither', async () => {
  const world = await jobsWorld({ accounts: 1 });
  const [sandboxId] = [...(await world.allocated(1)).values()] as [string];
  // As an index that is behind shows it: allocated long before it was.
  const database = tapDatabase(world.table.database, async ({ operation }, next) => {
    const answer = (await next()) as { Items?: Record<string, unknown>[] };
    if (operation !== 'Query') return answer;
    const row = (await world.rows()).get(sandboxId);
    return { Items: [{ ...row, allocated_at: Number(row?.allocated_at) - 86_400 }] };
  });
  const run = await world.run('expiry', {}, await world.newBroker({ database }));
  expect(run.result).toMatchObject({ expired: 0, overtaken: 1 });
  expect((await world.rows()).get(sandboxId)?.status).toBe('allocated');
});

test('the owner may go on reading and releasing past the lab, until expiry comes', async () => {
  const world = await jobsWorld({ accounts: 2 });
  const [[track, sandboxId]] = [...(await world.allocated(1))] as [[string, string]];
  await world.time.pass(10 * HOUR_MS);
  const path = `${world.broker.url}/v1/sandboxes/${sandboxId}`;
  expect(await call('GET', path, asTrack(track))).toMatchObject({
    status: 200,
    body: { status: 'allocated' },
  });
  expect((await release(world.broker.url, track, sandboxId)).status).toBe(200);
});

test('allocations of a split status index expire like any other', async () => {
  const world = await jobsWorld({ accounts: 12, environment: { STATUS_SHARDS: '5' } });
  await world.allocated(12);
  await world.time.pass(5 * HOUR_MS);
  expect((await world.run('expiry')).result).toMatchObject({ expired: 12 });
  expect(violations(await world.table.items())).toEqual([]);
});
