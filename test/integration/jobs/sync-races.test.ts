import { expect, test } from 'vitest';
import { sandboxOf } from '../../../src/local/provider-accounts.ts';
import { fillPool } from '../../../src/store/new-sandboxes.ts';
import { allocate, asAdmin, call } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { type JobsWorld, jobsWorld } from '../../support/jobs-world.ts';
import { tapDatabase } from '../../support/tapped-database.ts';

/** A sync to which something happens when it has read everything, and has written nothing yet. */
async function syncInterruptedBy(world: JobsWorld, happening: () => Promise<unknown>) {
  let happened: Promise<unknown> | undefined;
  const database = tapDatabase(world.table.database, async ({ operation }, next) => {
    if (operation === 'TransactWriteItems') {
      happened ??= happening();
      await happened;
    }
    return next();
  });
  const interrupted = await world.newBroker({ database });
  const run = await world.run('sync', {}, interrupted);
  expect(happened).toBeDefined();
  expect(violations(await world.table.items())).toEqual([]);
  return run;
}

const quarantine = (world: JobsWorld, sandboxId: string) =>
  call('POST', `${world.broker.url}/v1/admin/sandboxes/${sandboxId}/quarantine`, asAdmin());

test.each([
  [
    'is about to go stale',
    (world: JobsWorld, sandboxId: string) => void world.simulator.accounts.remove(sandboxId),
  ],
  [
    'is about to be renamed',
    (world: JobsWorld, sandboxId: string) =>
      void Object.assign(world.account(sandboxId) ?? {}, { name: 'lab-renamed' }),
  ],
])('a sandbox that %s when a student takes it is left to the student as it was', async (_words, change) => {
  const world = await jobsWorld({ accounts: 1 });
  const [sandboxId] = [...(await world.rows()).keys()] as [string];
  const name = (await world.rows()).get(sandboxId)?.name;
  change(world, sandboxId);
  // Something else is listed: an empty listing would be a brake.
  world.simulator.accounts.create({ count: 1, namePrefix: 'new-' });
  let answer: Awaited<ReturnType<typeof allocate>> | undefined;
  const run = await syncInterruptedBy(world, async () => {
    answer = await allocate(world.broker.url, 'student');
  });
  expect(answer).toMatchObject({ status: 201, body: { sandbox_id: sandboxId, name } });
  expect(run.result).toMatchObject({ marked_stale: 0, updated: 0, overtaken: 1 });
  expect((await world.rows()).get(sandboxId)).toMatchObject({ status: 'allocated', name });
});

test('a stale sandbox that an operator quarantines before sync restores it stays quarantined', async () => {
  const world = await jobsWorld({ accounts: 3 });
  const [account] = world.simulator.accounts.all();
  const sandboxId = String(account?.csp_id);
  world.simulator.accounts.remove(sandboxId);
  await world.run('sync');
  if (account !== undefined) world.simulator.accounts.add([account]);
  const run = await syncInterruptedBy(world, () => quarantine(world, sandboxId));
  expect(run.result).toMatchObject({ restored: 0, overtaken: 1 });
  expect((await world.rows()).get(sandboxId)?.status).toBe('quarantined');
});

test('an account that is used up and deleted while sync reads does not become available', async () => {
  const world = await jobsWorld({ accounts: 1, simulator: { settings: { linger_listings: 100 } } });
  const [sandboxId] = (await world.released(1)) as [string];
  // Sync has read the pool without the row, as an index that is behind may show it.
  let hidden = true;
  const database = tapDatabase(world.table.database, async ({ operation }, next) => {
    const answer = (await next()) as { Items?: Record<string, unknown>[] };
    if (operation !== 'Query' || !hidden || answer.Items === undefined) return answer;
    return { ...answer, Items: answer.Items.filter((item) => item.sandbox_id !== sandboxId) };
  });
  const behind = await world.newBroker({ database });
  expect((await world.run('sync', {}, behind)).result).toMatchObject({
    added: 0,
    overtaken: 1,
    used_before: 0,
  });
  expect((await world.rows()).get(sandboxId)?.status).toBe('pending_deletion');
  await world.run('cleanup');
  expect((await world.run('sync', {}, behind)).result).toMatchObject({
    added: 0,
    overtaken: 0,
    used_before: 1,
  });
  hidden = false;
  expect(await world.counts()).toEqual({});
});

test('a sandbox that comes into the pool between the two readings of a sync does not look as if it were gone', async () => {
  const world = await jobsWorld({ accounts: 3 });
  world.simulator.accounts.create({ count: 1 });
  let late: string | undefined;
  const database = tapDatabase(world.table.database, async (_call, next) => {
    const listed = world.simulator.log.of('list').some(({ status }) => status === 200);
    if (listed && late === undefined) {
      const [account] = world.simulator.accounts.create({ count: 1 });
      late = String(account?.csp_id);
      if (account !== undefined)
        await fillPool(world.table.database, world.table.shards, [sandboxOf(account)], 1);
    }
    return next();
  });
  const run = await world.run('sync', {}, await world.newBroker({ database }));
  expect(run.result).toMatchObject({ added: 1, marked_stale: 0 });
  expect((await world.rows()).get(String(late))?.status).toBe('available');
});
