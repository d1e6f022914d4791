import { expect, test } from 'vitest';
import { allocate, asAdmin, asTrack, call, release } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { type JobsWorld, jobsWorld } from '../../support/jobs-world.ts';
import { tapDatabase } from '../../support/tapped-database.ts';

const deletes = (world: JobsWorld) => world.simulator.log.of('delete');

test('what was released is deleted at the provider, its row goes, and a tombstone and an event stay', async () => {
  const world = await jobsWorld({ accounts: 5 });
  const [sandboxId] = (await world.released(1)) as [string];
  const account = world.account(sandboxId);
  const run = await world.run('cleanup');
  expect(run).toMatchObject({
    outcome: 'success',
    result: { due: 1, deleted: 1, failed: 0, gave_up: 0, overtaken: 0, stopped_by: null },
  });
  expect(deletes(world)).toMatchObject([
    { path: `/v2/sandbox/accounts/${account?.id.split('/').at(-1)}`, status: 204, account: account?.id },
  ]);
  expect(world.account(sandboxId)).toBeUndefined();
  expect((await world.rows()).has(sandboxId)).toBe(false);
  expect(await world.tombstones()).toEqual([sandboxId]);
  const { body } = await call('GET', `${world.broker.url}/v1/admin/sandboxes/${sandboxId}/events`, asAdmin());
  expect(body.events[0]).toMatchObject({
    move: 'delete',
    from: 'pending_deletion',
    to: 'deleted',
    actor: 'job:cleanup',
    request_id: run.runId,
    allocated_to_track: 'student-0',
  });
  expect(await world.counts()).toEqual({ available: 4 });
});

test('an owner that gives back again what has been deleted meanwhile gets the same answer, and nobody else does', async () => {
  const world = await jobsWorld({ accounts: 3 });
  const { url } = world.broker;
  const { body: held } = await allocate(url, 'ann');
  const first = await release(url, 'ann', held.sandbox_id);
  await world.time.pass(60_000);
  expect((await world.run('cleanup')).result).toMatchObject({ deleted: 1 });
  const again = await release(url, 'ann', held.sandbox_id);
  expect([again.status, again.body]).toEqual([200, first.body]);
  const strangers = await release(url, 'ben', held.sandbox_id);
  expect([strangers.status, strangers.body.error.code]).toEqual([404, 'SANDBOX_NOT_FOUND']);
  // There is nothing left to look at.
  const read = await call('GET', `${url}/v1/sandboxes/${held.sandbox_id}`, asTrack('ann'));
  expect([read.status, read.body.error.code]).toEqual([404, 'SANDBOX_NOT_FOUND']);
});

test('an owner that gives back what expired and was deleted hears when it had ended', async () => {
  const world = await jobsWorld({ accounts: 3 });
  const { url } = world.broker;
  const { body: held } = await allocate(url, 'ann');
  await world.time.pass(5 * 3_600_000);
  await world.run('expiry');
  const { deletion_requested_at: requestedAt } = (await world.rows()).get(held.sandbox_id) ?? {};
  await world.run('cleanup');
  expect((await world.rows()).has(held.sandbox_id)).toBe(false);
  const late = await release(url, 'ann', held.sandbox_id);
  expect([late.status, late.body.deletion_requested_at]).toEqual([200, requestedAt]);
});

test('nothing but what is pending is ever deleted', async () => {
  const world = await jobsWorld({ accounts: 12 });
  const held = await world.allocated(4, 'holder');
  await world.released(3, 'early');
  await world.time.pass(90 * 60_000);
  await world.run('cleanup');
  expect(deletes(world)).toHaveLength(3);
  expect(await world.counts()).toEqual({ available: 5, allocated: 4 });
  for (const sandboxId of held.values()) expect(world.account(sandboxId)).toBeDefined();
});

test('a run that finds nothing due asks the provider for nothing', async () => {
  const world = await jobsWorld({ accounts: 3 });
  await world.allocated(1);
  expect(await world.run('cleanup')).toMatchObject({ outcome: 'success', result: { due: 0 } });
  expect(world.simulator.log.all()).toEqual([]);
});

test('an account that is gone already counts as deleted', async () => {
  const world = await jobsWorld({ accounts: 3 });
  const [sandboxId] = (await world.released(1)) as [string];
  world.simulator.accounts.remove(sandboxId);
  expect((await world.run('cleanup')).result).toMatchObject({ deleted: 1, failed: 0 });
  expect(deletes(world)).toMatchObject([{ status: 404 }]);
  expect(await world.tombstones()).toEqual([sandboxId]);
});

test.each(['hang', 'reset'] as const)(
  'a deletion that took effect and whose answer was lost (%s) is tried again, found to be gone, and done',
  async (kind) => {
    const world = await jobsWorld({ accounts: 3 });
    const [sandboxId] = (await world.released(1)) as [string];
    world.simulator.faults.set([{ kind, call: 'delete', times: 1, after_effect: true }]);
    expect((await world.run('cleanup')).result).toMatchObject({ deleted: 0, failed: 1 });
    expect(world.account(sandboxId)).toBeUndefined();
    expect((await world.rows()).get(sandboxId)).toMatchObject({
      status: 'pending_deletion',
      deletion_retry_count: 1,
    });
    // Whatever the provider lists meanwhile, the row is there, so it does not come back.
    expect((await world.run('sync')).result).toMatchObject({ added: 0, restored: 0 });
    await world.time.pass(5 * 60_000);
    expect((await world.run('cleanup')).result).toMatchObject({ deleted: 1, failed: 0 });
    expect(deletes(world).map(({ status }) => status)).toEqual([null, 404]);
    expect(await world.tombstones()).toEqual([sandboxId]);
    expect((await world.rows()).has(sandboxId)).toBe(false);
  },
);

test('a process that dies between the provider’s deletion and its own leaves a row that the next run finishes', async () => {
  const world = await jobsWorld({ accounts: 4 });
  const released = await world.released(2);
  const database = tapDatabase(world.table.database, ({ operation }, next) =>
    operation === 'TransactWriteItems' ? Promise.reject(new Error('died')) : next(),
  );
  const run = await world.run('cleanup', {}, await world.newBroker({ database }));
  expect(run).toMatchObject({ outcome: 'error' });
  expect(await world.counts()).toEqual({ available: 2, pending_deletion: 2 });
  expect((await world.run('cleanup')).result).toMatchObject({ deleted: 2, failed: 0 });
  expect(await world.tombstones()).toEqual(released.sort());
  expect(await world.counts()).toEqual({ available: 2 });
});

test('of more rows than one read takes, all are deleted in one run', async () => {
  const world = await jobsWorld({
    accounts: 520,
    environment: { CLEANUP_BATCH_SIZE: '100', CLEANUP_CONCURRENCY: '16' },
  });
  await world.backdate((await world.rows()).keys(), { status: 'pending_deletion', deletion_requested_at: 1 });
  expect((await world.run('cleanup')).result).toMatchObject({ due: 520, deleted: 520 });
  expect(await world.counts()).toEqual({});
  expect(world.simulator.accounts.size).toBe(0);
});

test('rows go in the order in which they were given up, those that have failed after all others', async () => {
  const world = await jobsWorld({ accounts: 5, environment: { CLEANUP_CONCURRENCY: '1' } });
  const ids = new Map(world.simulator.accounts.all().map(({ csp_id, id }) => [String(csp_id), id]));
  const order: string[] = [];
  for (let index = 0; index < 4; index += 1) {
    order.push(...(await world.released(1, `student-${index}`)));
    await world.time.pass(2_000);
  }
  const [failing] = order as [string];
  world.simulator.faults.set([{ kind: 'error', call: 'delete', account: failing, times: 1 }]);
  const alone = await world.newBroker({}, { CLEANUP_MAX_DELETIONS: '1' });
  await world.run('cleanup', {}, alone);
  await world.time.pass(3_600_000);
  await world.run('cleanup');
  const accounts = [failing, ...order.slice(1), failing].map((sandboxId) => ids.get(sandboxId));
  expect(deletes(world).map(({ account }) => account)).toEqual(accounts);
});

test('a provider whose address is wrong, and that answers 404 to everything, deletes nothing', async () => {
  const world = await jobsWorld({ accounts: 4 });
  await world.released(2);
  const lost = await world.newBroker({}, { CSP_BASE_URL: `${world.simulator.url}/v3` });
  for (let runs = 0; runs < 3; runs += 1) {
    const run = await world.run('cleanup', {}, lost);
    expect(run).toMatchObject({ outcome: 'provider_unwell', result: { deleted: 0, failed: 0 } });
    await world.time.pass(300_000);
  }
  expect(await world.counts()).toEqual({ available: 2, pending_deletion: 2 });
  expect(await world.tombstones()).toEqual([]);
});

test('a provider that lists accounts and says of each that it is gone is believed for two of them, and not for more', async () => {
  const world = await jobsWorld({ accounts: 8 });
  await world.released(6);
  world.simulator.faults.set([{ kind: 'error', call: 'delete', status: 404, body: 'empty' }]);
  let deleted = 0;
  for (let runs = 0; runs < 24; runs += 1) {
    const { result } = await world.run('cleanup', {}, await world.newBroker());
    deleted += Number(result.deleted);
    expect(result).toMatchObject({ gave_up: 0 });
    await world.time.pass(300_000);
  }
  expect(deleted).toBe(2);
  expect(await world.counts()).toEqual({ available: 2, pending_deletion: 4 });
  // As soon as it deletes again, the others are deleted there.
  world.simulator.faults.clear();
  await world.time.pass(5 * 3_600_000);
  expect((await world.run('cleanup')).result).toMatchObject({ deleted: 4 });
  expect(await world.counts()).toEqual({ available: 2 });
});

test('an account that is said to be gone while no listing comes is asked for again', async () => {
  const world = await jobsWorld({ accounts: 3 });
  // By this run the address is known to be right.
  await world.released(1);
  await world.run('cleanup');
  const [sandboxId] = (await world.released(1, 'other')) as [string];
  world.simulator.accounts.remove(sandboxId);
  world.simulator.faults.set([{ kind: 'error', call: 'list', status: 503 }]);
  expect(await world.run('cleanup')).toMatchObject({
    outcome: 'provider_unwell',
    result: { deleted: 0, failed: 1 },
  });
  expect((await world.rows()).get(sandboxId)?.status).toBe('pending_deletion');
  world.simulator.faults.clear();
  await world.time.pass(300_000);
  expect((await world.run('cleanup')).result).toMatchObject({ deleted: 1 });
  expect(await world.tombstones()).toContain(sandboxId);
});

test('what an operator sends back from deletion_failed is tried at once, with new attempts', async () => {
  const world = await jobsWorld({ accounts: 3, environment: { DELETION_RETRY_MAX_ATTEMPTS: '1' } });
  const [sandboxId] = (await world.released(1)) as [string];
  world.simulator.faults.set([{ kind: 'error', status: 409, call: 'delete' }]);
  await world.run('cleanup');
  await world.time.pass(3_600_000);
  expect((await world.run('cleanup')).result).toMatchObject({ failed: 1, gave_up: 1 });
  world.simulator.faults.clear();
  expect((await world.rows()).get(sandboxId)).toMatchObject({ status: 'deletion_failed' });
  const path = `${world.broker.url}/v1/admin/sandboxes/${sandboxId}/retry-deletion`;
  expect((await call('POST', path, asAdmin(), { reason: 'the provider was asked' })).status).toBe(200);
  expect((await world.run('cleanup')).result).toMatchObject({ deleted: 1 });
  expect(violations(await world.table.items())).toEqual([]);
});

test('a 404 is not believed beside a listing that knows nothing of the pool, and costs no account its row', async () => {
  const world = await jobsWorld({ accounts: 12 });
  const released = await world.released(6);
  const accounts = world.simulator.accounts.all();
  // Another tenant's, or a provider that is unwell: it lists nothing of ours, and has never heard of it.
  world.simulator.accounts.clear();
  world.simulator.accounts.create({ count: 5, namePrefix: 'of-somebody-else-' });
  const run = await world.run('cleanup');
  expect(run).toMatchObject({ outcome: 'provider_unwell', result: { deleted: 0 } });
  expect((await world.counts()).pending_deletion).toBe(6);
  expect(await world.tombstones()).toEqual([]);

  world.simulator.accounts.clear();
  world.simulator.accounts.add([...accounts]);
  await world.time.pass(3_600_000);
  expect((await world.run('cleanup')).result).toMatchObject({ deleted: 6 });
  expect(await world.tombstones()).toEqual(released.sort());
});

test('where nothing is available any more, a listing that lacks what is gone is believed', async () => {
  const world = await jobsWorld({ accounts: 1 });
  const [sandboxId] = (await world.released(1)) as [string];
  world.simulator.accounts.clear();
  expect((await world.run('cleanup')).result).toMatchObject({ deleted: 1 });
  expect(await world.tombstones()).toEqual([sandboxId]);
});

test.each([null, ''])(
  'a row whose external_id is %o is deleted under the id by which the provider lists its account',
  async (externalId) => {
    const world = await jobsWorld({ accounts: 3 });
    const [sandboxId] = (await world.released(1)) as [string];
    await world.backdate(sandboxId, { external_id: externalId });
    expect((await world.run('cleanup')).result).toMatchObject({ deleted: 1, failed: 0 });
    expect(world.account(sandboxId)).toBeUndefined();
    expect(deletes(world).map(({ status }) => status)).toEqual([404, 204]);
  },
);
