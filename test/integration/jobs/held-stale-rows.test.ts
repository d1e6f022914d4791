import { expect, test } from 'vitest';
import { allocate, asAdmin, call, release } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { type JobsWorld, jobsWorld } from '../../support/jobs-world.ts';

const HOUR_MS = 3_600_000;

/** A sandbox that somebody holds, staled by the previous broker's sync, which looked at no state. */
async function heldAndStale(): Promise<{ world: JobsWorld; sandboxId: string }> {
  const world = await jobsWorld({ accounts: 12 });
  const [sandboxId] = [...(await world.allocated(1)).values()] as [string];
  await world.backdate(sandboxId, { status: 'stale' });
  return { world, sandboxId };
}

const statusOf = async (world: JobsWorld, sandboxId: string) => (await world.rows()).get(sandboxId)?.status;

test('a stale row that somebody holds is left alone by every job while its lab lasts, however long it has been stale', async () => {
  const { world, sandboxId } = await heldAndStale();
  await world.backdate(sandboxId, { updated_at: 1_700_000_000 });
  await world.time.pass(2 * HOUR_MS);
  await world.run('sync');
  expect((await world.run('stale')).result).toMatchObject({ deleted: 0, expired: 0 });
  expect((await world.run('stale', { gracePeriodHours: 0 })).result).toMatchObject({
    deleted: 0,
    expired: 0,
  });
  const bulk = await call('POST', `${world.broker.url}/v1/admin/bulk-delete?status=stale`, asAdmin());
  expect(bulk.body).toMatchObject({ deleted: 0, skipped: 1 });
  expect(await statusOf(world, sandboxId)).toBe('stale');
  expect(world.account(sandboxId)).toBeDefined();
});

test('when its lab is over it goes to its deletion, and its account is deleted', async () => {
  const { world, sandboxId } = await heldAndStale();
  await world.time.pass(5 * HOUR_MS);
  expect((await world.run('stale')).result).toMatchObject({ deleted: 0, expired: 1 });
  expect(await statusOf(world, sandboxId)).toBe('pending_deletion');
  await world.run('cleanup');
  expect(world.account(sandboxId)).toBeUndefined();
  expect(await world.tombstones()).toEqual([sandboxId]);
  expect(violations(await world.table.items())).toEqual([]);
});

test('its owner’s release is done and not only said to be', async () => {
  const { world, sandboxId } = await heldAndStale();
  expect((await release(world.broker.url, 'somebody-else', sandboxId)).status).toBe(403);
  const answer = await release(world.broker.url, 'student-0', sandboxId);
  expect([answer.status, answer.body.status]).toEqual([200, 'pending_deletion']);
  expect(answer.body.deletion_requested_at).toBeGreaterThan(0);
  expect(await statusOf(world, sandboxId)).toBe('pending_deletion');
  expect((await release(world.broker.url, 'student-0', sandboxId)).body).toEqual(answer.body);
  expect(violations(await world.table.items())).toEqual([]);
});

test.each(['stale', 'quarantined'])(
  'an operator sends one that is %s to its deletion, and cannot where nobody has held it',
  async (status) => {
    const { world, sandboxId } = await heldAndStale();
    await world.backdate(sandboxId, { status });
    const admin = (id: string) => `${world.broker.url}/v1/admin/sandboxes/${id}/release`;
    const released = await call('POST', admin(sandboxId), asAdmin(), { reason: 'left over' });
    expect([released.status, await statusOf(world, sandboxId)]).toEqual([200, 'pending_deletion']);
    const unheld = [...(await world.rows()).values()].find((row) => row.status === 'available');
    const other = String(unheld?.sandbox_id);
    await world.backdate(other, { status });
    const refused = await call('POST', admin(other), asAdmin());
    expect([refused.status, refused.body.error.code]).toEqual([409, 'ILLEGAL_MOVE']);
    expect(await statusOf(world, other)).toBe(status);
  },
);

test('what is removed as stale is what was read: one that came back and went again has its time anew', async () => {
  const world = await jobsWorld({ accounts: 12 });
  const [account] = world.simulator.accounts.all();
  const sandboxId = String(account?.csp_id);
  await world.backdate(sandboxId, { status: 'stale', stale_since: 1_700_000_000 });
  const { reader, moves } = world.broker.container;
  const row = (await reader.get(sandboxId))!;
  await world.backdate(sandboxId, { stale_since: 1_700_000_001 });
  expect(await moves.remove(row, { actor: 'somebody' })).toBe(false);
  expect(await moves.remove((await reader.get(sandboxId))!, { actor: 'somebody' })).toBe(true);
});

test('an empty listing where nothing is available is not believed either, and removes nothing that is stale', async () => {
  const world = await jobsWorld({ accounts: 3 });
  const ids = [...(await world.rows()).keys()];
  await world.backdate(ids, { status: 'stale', stale_since: Math.floor(world.clock.now() / 1000) });
  world.simulator.faults.set([{ kind: 'empty_list' }]);
  await world.time.pass(26 * HOUR_MS);
  expect(await world.run('sync')).toMatchObject({
    outcome: 'braked',
    result: { synced: 0, brake: 'the listing is empty' },
  });
  expect(await world.run('stale')).toMatchObject({
    outcome: 'waits_for_sync',
    result: { deleted: 0, waiting: 3 },
  });
  world.simulator.faults.clear();
  expect((await world.run('sync')).result).toMatchObject({ restored: 3 });
  expect((await allocate(world.broker.url, 'student')).status).toBe(201);
});
