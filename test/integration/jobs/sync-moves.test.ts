import { expect, test } from 'vitest';
import { violations } from '../../support/invariants.ts';
import { jobsWorld } from '../../support/jobs-world.ts';

test('accounts that appear at the provider become available, with what the provider says of them', async () => {
  const world = await jobsWorld();
  const [first] = world.simulator.accounts.create({ count: 3 });
  const run = await world.run('sync');
  expect(run.outcome).toBe('success');
  expect(run.result).toMatchObject({
    synced: 3,
    added: 3,
    marked_stale: 0,
    used_before: 0,
    overtaken: 0,
    brake: null,
  });
  const row = (await world.rows()).get(String(first?.csp_id));
  expect(row).toMatchObject({
    status: 'available',
    allocated_at: 0,
    name: first?.name,
    external_id: first?.id,
    sfdc_account_id: first?.sfdc_account_id,
    last_synced: Math.floor(world.clock.now() / 1000),
  });
  expect(violations(await world.table.items())).toEqual([]);
});

test('accounts of other types and states are none of the pool’s', async () => {
  const world = await jobsWorld();
  world.simulator.accounts.create({ count: 2, accountType: 'tenant' });
  world.simulator.accounts.create({ count: 2, state: 'disabled' });
  world.simulator.accounts.create({ count: 1 });
  expect((await world.run('sync')).result).toMatchObject({ synced: 1, added: 1 });
  expect(await world.counts()).toEqual({ available: 1 });
});

test('an account without a number of its own goes by its id', async () => {
  const world = await jobsWorld();
  const [account] = world.simulator.accounts.create({ count: 1 });
  Object.assign(account ?? {}, { csp_id: null });
  await world.run('sync');
  expect([...(await world.rows()).keys()]).toEqual([account?.id]);
});

test('an account whose number a listing omits for once, or gives later, is the same sandbox', async () => {
  const world = await jobsWorld({ accounts: 3 });
  const [numbered] = world.simulator.accounts.all();
  const number = numbered?.csp_id;
  Object.assign(numbered ?? {}, { csp_id: null });
  expect((await world.run('sync')).result).toMatchObject({ synced: 3, added: 0, would_stale: 0 });
  Object.assign(numbered ?? {}, { csp_id: number });
  expect((await world.run('sync')).result).toMatchObject({ synced: 3, added: 0, would_stale: 0 });
  expect(await world.counts()).toEqual({ available: 3 });

  const young = await jobsWorld();
  const [first] = young.simulator.accounts.create({ count: 1 });
  Object.assign(first ?? {}, { csp_id: null });
  await young.run('sync');
  Object.assign(first ?? {}, { csp_id: 2_009_001 });
  expect((await young.run('sync')).result).toMatchObject({ synced: 1, added: 0, would_stale: 0 });
  expect(await young.counts()).toEqual({ available: 1 });
});

test('a deleted account that is listed without its number does not come back under its id', async () => {
  const world = await jobsWorld({ accounts: 3, simulator: { settings: { linger_listings: 5 } } });
  const [sandboxId] = (await world.released(1)) as [string];
  const account = world.account(sandboxId);
  await world.run('cleanup');
  Object.assign(account ?? {}, { csp_id: null });
  const { result } = await world.run('sync');
  expect(result).toMatchObject({ synced: 2, added: 0, unreadable: 1 });
  expect(await world.counts()).toEqual({ available: 2 });
});

test('a second sync of the same listing writes nothing', async () => {
  const world = await jobsWorld();
  world.simulator.accounts.create({ count: 3 });
  await world.run('sync');
  const before = await world.rows();
  await world.time.pass(600_000);
  expect((await world.run('sync')).result).toMatchObject({ synced: 3, added: 0, updated: 0, overtaken: 0 });
  expect(await world.rows()).toEqual(before);
});

test('a changed name or id at the provider reaches a row that nobody holds', async () => {
  const world = await jobsWorld({ accounts: 2 });
  const [account] = world.simulator.accounts.all();
  Object.assign(account ?? {}, { name: 'lab-renamed', sfdc_account_id: '' });
  await world.time.pass(5_000);
  expect((await world.run('sync')).result).toMatchObject({ updated: 1 });
  expect((await world.rows()).get(String(account?.csp_id))).toMatchObject({
    name: 'lab-renamed',
    // That it is not listed for once does not make it unknown.
    sfdc_account_id: '001SAND00000001',
    last_synced: Math.floor(world.clock.now() / 1000),
  });
});

test('an available sandbox that the provider lists no more goes stale, and comes back when it is listed again', async () => {
  const world = await jobsWorld({ accounts: 10 });
  const [gone] = world.simulator.accounts.all();
  const sandboxId = String(gone?.csp_id);
  world.simulator.accounts.remove(sandboxId);
  const run = await world.run('sync');
  expect(run.result).toMatchObject({ synced: 9, marked_stale: 1, would_stale: 1, brake: null });
  expect((await world.rows()).get(sandboxId)).toMatchObject({
    status: 'stale',
    stale_since: Math.floor(world.clock.now() / 1000),
  });

  await world.time.pass(600_000);
  if (gone !== undefined) world.simulator.accounts.add([{ ...gone, name: 'lab-back' }]);
  expect((await world.run('sync')).result).toMatchObject({ restored: 1, added: 0 });
  const row = (await world.rows()).get(sandboxId);
  expect(row).toMatchObject({ status: 'available', name: 'lab-back' });
  expect(row).not.toHaveProperty('stale_since');
  expect(violations(await world.table.items())).toEqual([]);
});

test('a listing in pages is one listing', async () => {
  const world = await jobsWorld({ simulator: { settings: { page_size: 7, paging: 'offset' } } });
  world.simulator.accounts.create({ count: 205 });
  // An API that does not say that there is more says so by a full page alone.
  world.simulator.configure({ page_size: 100 });
  expect((await world.run('sync')).result).toMatchObject({ synced: 205, added: 205 });
});

test('a pool of more rows than one read takes is compared whole', async () => {
  const world = await jobsWorld({ accounts: 1_100 });
  const [gone] = world.simulator.accounts.all();
  world.simulator.accounts.remove(String(gone?.csp_id));
  expect((await world.run('sync')).result).toMatchObject({
    synced: 1_099,
    added: 0,
    marked_stale: 1,
    overtaken: 0,
  });
  expect(await world.counts()).toEqual({ available: 1_099, stale: 1 });
});

test('a pool whose status index is split is compared whole, and rows keep their part', async () => {
  const world = await jobsWorld({ accounts: 12, environment: { STATUS_SHARDS: '4' } });
  world.simulator.accounts.create({ count: 3 });
  const gone = world.simulator.accounts.all().slice(0, 2);
  for (const account of gone) world.simulator.accounts.remove(String(account.csp_id));
  expect((await world.run('sync')).result).toMatchObject({ added: 3, marked_stale: 2 });
  const before = await world.rows();
  world.simulator.accounts.add(gone);
  expect((await world.run('sync')).result).toMatchObject({ restored: 2 });
  for (const account of gone) {
    const part = String(before.get(String(account.csp_id))?.status).split('#')[1];
    expect((await world.rows()).get(String(account.csp_id))?.status).toBe(`available#${part}`);
  }
});
