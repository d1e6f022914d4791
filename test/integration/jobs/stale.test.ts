import { expect, test } from 'vitest';
import { allocate, asAdmin, call } from '../../support/client.ts';
import { type JobsWorld, jobsWorld } from '../../support/jobs-world.ts';
import { tapDatabase } from '../../support/tapped-database.ts';

const HOUR_MS = 3_600_000;

/** A pool of which so many have gone stale now. @returns their ids */
async function staleWorld(count: number): Promise<{ world: JobsWorld; stale: string[] }> {
  const world = await jobsWorld({ accounts: count * 10 });
  const gone = world.simulator.accounts.all().slice(0, count);
  for (const account of gone) world.simulator.accounts.remove(account.id);
  await world.run('sync');
  return { world, stale: gone.map(({ csp_id }) => String(csp_id)) };
}

test('a row that has been stale for a day is removed, with a tombstone and an event, and not a second sooner', async () => {
  const { world, stale } = await staleWorld(2);
  await world.time.pass(24 * HOUR_MS - 1_000);
  await world.run('sync');
  expect((await world.run('stale')).result).toMatchObject({ deleted: 0, grace_period_hours: 24 });
  await world.time.pass(1_000);
  await world.run('sync');
  const run = await world.run('stale');
  expect(run).toMatchObject({ outcome: 'success', result: { deleted: 2, overtaken: 0, waiting: 0 } });
  expect(await world.counts()).toEqual({ available: 18 });
  expect(await world.tombstones()).toEqual(stale.sort());
  const path = `${world.broker.url}/v1/admin/sandboxes/${stale[0]}/events`;
  expect((await call('GET', path, asAdmin())).body.events[0]).toMatchObject({
    move: 'remove',
    from: 'stale',
    to: 'removed',
    actor: 'job:stale',
    request_id: run.runId,
  });
  // No account is deleted: the provider has not listed it for a day.
  expect(world.simulator.log.of('delete')).toEqual([]);
});

test('a row that comes back in time is kept, and its day begins anew when it goes again', async () => {
  const { world, stale } = await staleWorld(1);
  await world.time.pass(20 * HOUR_MS);
  const [sandboxId] = stale as [string];
  const row = (await world.rows()).get(sandboxId);
  world.simulator.accounts.add([
    {
      id: String(row?.external_id),
      csp_id: Number(sandboxId),
      name: String(row?.name),
      account_type: 'sandbox',
      state: 'active',
      created_at: '',
      sfdc_account_id: '',
    },
  ]);
  await world.run('sync');
  world.simulator.accounts.remove(sandboxId);
  await world.run('sync');
  await world.time.pass(20 * HOUR_MS);
  await world.run('sync');
  expect((await world.run('stale')).result).toMatchObject({ deleted: 0 });
  await world.time.pass(4 * HOUR_MS);
  await world.run('sync');
  expect((await world.run('stale')).result).toMatchObject({ deleted: 1 });
});

test('a stale row that sync restores in the moment in which it is removed is kept', async () => {
  const { world, stale } = await staleWorld(1);
  await world.time.pass(25 * HOUR_MS);
  await world.run('sync');
  const [sandboxId] = stale as [string];
  let happened: Promise<unknown> | undefined;
  const database = tapDatabase(world.table.database, async ({ operation }, next) => {
    if (operation === 'TransactWriteItems') {
      happened ??= world.backdate(sandboxId, { status: 'available' });
      await happened;
    }
    return next();
  });
  const run = await world.run('stale', {}, await world.newBroker({ database }));
  expect(run.result).toMatchObject({ deleted: 0, overtaken: 1 });
  expect((await world.rows()).get(sandboxId)?.status).toBe('available');
});

test('of the previous broker’s stale rows, those that say when they were touched count from then, the others from now', async () => {
  const world = await jobsWorld({ accounts: 4 });
  const [dated, undated, text] = [...(await world.rows()).keys()] as [string, string, string];
  for (const sandboxId of [dated, undated, text]) world.simulator.accounts.remove(sandboxId);
  const now = Math.floor(world.clock.now() / 1000);
  await world.backdate(dated, { status: 'stale', updated_at: now - 25 * 3_600 });
  await world.backdate(undated, { status: 'stale', updated_at: null });
  await world.backdate(text, { status: 'stale', updated_at: '2025-03-01T00:00:00Z' });
  await world.run('sync');
  expect((await world.run('stale')).result).toMatchObject({ deleted: 1 });
  expect(await world.tombstones()).toEqual([dated]);
  await world.time.pass(23 * HOUR_MS);
  await world.run('sync');
  expect((await world.run('stale')).result).toMatchObject({ deleted: 0 });
  await world.time.pass(HOUR_MS);
  await world.run('sync');
  expect((await world.run('stale')).result).toMatchObject({ deleted: 2 });
});

test.each([
  ['is held back', async () => {}],
  [
    'fails',
    async (world: JobsWorld) => {
      world.simulator.faults.set([{ kind: 'error', call: 'list', status: 503 }]);
      await world.run('sync');
    },
  ],
  [
    'is braked',
    async (world: JobsWorld) => {
      world.simulator.faults.set([{ kind: 'empty_list' }]);
      await world.run('sync');
    },
  ],
] as const)('while sync %s nothing stale is removed: nobody knows what is listed', async (_how, trouble) => {
  const { world } = await staleWorld(2);
  await world.time.pass(25 * HOUR_MS);
  await trouble(world);
  expect(await world.run('stale')).toMatchObject({
    outcome: 'waits_for_sync',
    result: { deleted: 0, waiting: 2 },
  });
  expect(await world.counts()).toEqual({ available: 18, stale: 2 });
  world.simulator.faults.clear();
  await world.run('sync');
  expect(await world.run('stale')).toMatchObject({ outcome: 'success', result: { deleted: 2, waiting: 0 } });
});

test('an operator names the hours, and rows of other states stay', async () => {
  const { world } = await staleWorld(2);
  await allocate(world.broker.url, 'student');
  await world.time.pass(2 * HOUR_MS);
  const url = `${world.broker.url}/v1/admin/auto-delete-stale`;
  expect(await world.time.until(call('POST', `${url}?grace_period_hours=3`, asAdmin()))).toMatchObject({
    status: 200,
    body: { status: 'completed', deleted: 0, grace_period_hours: 3 },
  });
  expect(await world.time.until(call('POST', url, asAdmin()))).toMatchObject({
    status: 200,
    body: { status: 'completed', deleted: 0, grace_period_hours: 24 },
  });
  expect(await world.time.until(call('POST', `${url}?grace_period_hours=0.5`, asAdmin()))).toMatchObject({
    status: 200,
    body: { status: 'completed', deleted: 2, grace_period_hours: 0.5, duration_ms: expect.any(Number) },
  });
  expect(await world.counts()).toEqual({ available: 17, allocated: 1 });
});

test.each([
  '?grace_period_hours=',
  '?grace_period_hours',
  '?grace_period_hours=%20',
  '?grace_period_hours=0x0',
])('hours that are not written as a number are not taken for none: %s removes nothing', async (query) => {
  const { world } = await staleWorld(2);
  const url = `${world.broker.url}/v1/admin/auto-delete-stale${query}`;
  expect(await world.time.until(call('POST', url, asAdmin()))).toMatchObject({
    status: 400,
    body: {
      error: {
        code: 'VALIDATION_ERROR',
        details: [{ field: 'grace_period_hours', message: 'must be a number' }],
      },
    },
  });
  expect(await world.counts()).toEqual({ available: 18, stale: 2 });
});
