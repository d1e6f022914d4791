import { expect, test } from 'vitest';
import type { SimulatedAccount } from '../../../src/local/csp-simulator/simulated-accounts.ts';
import { allocate, asAdmin, call } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { type JobsWorld, jobsWorld } from '../../support/jobs-world.ts';

const HOUR_MS = 3_600_000;

test('a deleted account that the provider still lists never becomes available again, however long it is listed', async () => {
  const world = await jobsWorld({
    accounts: 8,
    simulator: { settings: { linger_listings: 8 } },
  });
  const used = await world.released(6);
  await world.run('cleanup');
  expect(await world.counts()).toEqual({ available: 2 });
  for (let syncs = 0; syncs < 8; syncs += 1) {
    const run = await world.run('sync');
    expect(run.result).toMatchObject({ synced: 8, added: 0, used_before: 6 });
    await world.time.pass(20 * HOUR_MS);
  }
  // Gone at last: nothing changes by that, either.
  expect((await world.run('sync')).result).toMatchObject({ synced: 2, used_before: 0, marked_stale: 0 });
  expect(await world.counts()).toEqual({ available: 2 });
  expect(await world.tombstones()).toEqual([...used].sort());
  const answers = await Promise.all(['a', 'b', 'c'].map((track) => allocate(world.broker.url, track)));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 409]);
  for (const { body } of answers) expect(used).not.toContain(body.sandbox_id);
  expect(violations(await world.table.items())).toEqual([]);
});

test('a tombstone outlives the time in which the provider was seen to list what is gone, by months', async () => {
  const world = await jobsWorld({ accounts: 1 });
  await world.released(1);
  await world.run('cleanup');
  const [tombstone] = (await world.table.items()).filter((item) => String(item.PK).startsWith('TOMB#'));
  const days = (Number(tombstone?.ttl) - world.clock.now() / 1000) / 86_400;
  expect(days).toBeGreaterThanOrEqual(30);
});

/** The tombstone as it stands; undefined when there is none. */
const tombstoneIn = async (world: JobsWorld) =>
  (await world.table.items()).find((item) => String(item.PK).startsWith('TOMB#'));

test.each([50, 89, 91])(
  'a tombstone whose account is listed for %i days does not run out: its time begins anew',
  async (days) => {
    const world = await jobsWorld({ accounts: 2, simulator: { settings: { linger_listings: 1_000 } } });
    await world.released(1);
    await world.run('cleanup');
    const first = await tombstoneIn(world);
    // Sync was held back meanwhile. The database drops what has run out late: on the 91st day it is still there.
    await world.time.pass(days * 24 * HOUR_MS);
    expect((await world.run('sync')).result).toMatchObject({ added: 0, used_before: 1 });
    const now = Math.floor(world.clock.now() / 1000);
    const kept = await tombstoneIn(world);
    expect(Number(kept?.ttl) - now).toBeGreaterThan(80 * 86_400);
    expect({ ...kept, ttl: first?.ttl }).toEqual(first);
  },
);

test('a tombstone with most of its time left is not written at every sync', async () => {
  const world = await jobsWorld({ accounts: 2, simulator: { settings: { linger_listings: 1_000 } } });
  await world.released(1);
  await world.run('cleanup');
  const first = await tombstoneIn(world);
  await world.time.pass(30 * 24 * HOUR_MS);
  expect((await world.run('sync')).result).toMatchObject({ used_before: 1 });
  expect(await tombstoneIn(world)).toEqual(first);
});

test('what an operator removed from the pool stays out while the provider lists it', async () => {
  const world = await jobsWorld({ accounts: 10 });
  const [account] = world.simulator.accounts.all();
  world.simulator.accounts.remove(String(account?.csp_id));
  await world.run('sync');
  const removed = await call('POST', `${world.broker.url}/v1/admin/bulk-delete?status=stale`, asAdmin());
  expect(removed.body).toMatchObject({ status: 'completed', deleted: 1 });
  if (account !== undefined) world.simulator.accounts.add([account]);
  expect((await world.run('sync')).result).toMatchObject({ synced: 10, added: 0, used_before: 1 });
  expect(await world.counts()).toEqual({ available: 9 });
});

/** The number by which a sandbox goes, as the listing tells it or omits it. */
type Numbered = { csp_id?: number | undefined };

test.each<[string, (number: number) => Numbered, (number: number) => Numbered]>([
  ['without a number, and comes back with one', () => ({ csp_id: undefined }), (csp_id) => ({ csp_id })],
  ['with a number, and comes back without one', (csp_id) => ({ csp_id }), () => ({ csp_id: undefined })],
])('an account that was used %s is not a new one', async (_, first, then) => {
  const world = await jobsWorld();
  const { accounts } = world.simulator;
  const [account] = accounts.create({ count: 1 });
  const number = Number(account?.csp_id);
  /** The only account of the provider. */
  const list = (numbered: Numbered) => {
    accounts.clear();
    accounts.add([{ ...account, ...numbered } as SimulatedAccount]);
  };
  list(first(number));
  expect((await world.run('sync')).result).toMatchObject({ added: 1 });
  const [used] = (await world.released(1)) as [string];
  await world.run('cleanup');
  expect(await world.tombstones()).toEqual([used]);
  list(then(number));
  expect((await world.run('sync')).result).toMatchObject({ synced: 1, added: 0, used_before: 1 });
  expect((await allocate(world.broker.url, 'another')).status).toBe(409);
});
