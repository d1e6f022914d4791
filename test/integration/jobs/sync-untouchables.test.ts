import { expect, test } from 'vitest';
import { asAdmin, call } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { type JobsWorld, jobsWorld } from '../../support/jobs-world.ts';

/** A pool with a row in each state that sync must leave alone. @returns their ids */
async function rowsInEveryState(world: JobsWorld): Promise<string[]> {
  const [failed] = (await world.released(1, 'unlucky')) as [string];
  world.simulator.faults.set([{ kind: 'error', status: 422, call: 'delete' }]);
  await world.run('cleanup');
  // It has failed alone for an hour: it is its own fault.
  await world.time.pass(3_600_000);
  await world.run('cleanup');
  world.simulator.faults.clear();
  const [pending] = (await world.released(1, 'early')) as [string];
  const [allocated] = [...(await world.allocated(1, 'holder')).values()] as [string];
  const available = [...(await world.rows()).values()].filter((row) => row.status === 'available');
  const quarantined = String(available[0]?.sandbox_id);
  await call('POST', `${world.broker.url}/v1/admin/sandboxes/${quarantined}/quarantine`, asAdmin());
  const { counts } = world;
  expect(await counts()).toMatchObject({
    deletion_failed: 1,
    pending_deletion: 1,
    allocated: 1,
    quarantined: 1,
  });
  return [failed, pending, allocated, quarantined];
}

test.each([
  [
    'are listed under other names',
    (world: JobsWorld) => {
      for (const account of world.simulator.accounts.all()) {
        Object.assign(account, { name: `renamed-${account.csp_id}`, sfdc_account_id: 'other' });
      }
    },
  ],
  ['are not listed at all', (world: JobsWorld) => world.simulator.accounts.clear()],
])(
  'rows that are allocated, pending, failed or quarantined stay as they are, to the letter, when they %s',
  async (_words, change) => {
    const world = await jobsWorld({ accounts: 12, environment: { DELETION_RETRY_MAX_ATTEMPTS: '1' } });
    const ids = await rowsInEveryState(world);
    const before = await world.rows();
    change(world);
    const run = await world.run('sync', { force: true });
    expect(run.outcome).toBe('success');
    const after = await world.rows();
    for (const sandboxId of ids) expect(after.get(sandboxId)).toEqual(before.get(sandboxId));
    expect(violations(await world.table.items())).toEqual([]);
  },
);

test('a stale row with the traces of a holder does not become available: the previous broker’s sync made such rows', async () => {
  const world = await jobsWorld({ accounts: 2 });
  const [sandboxId] = [...(await world.allocated(1)).values()] as [string];
  await world.backdate(sandboxId, { status: 'stale' });
  const run = await world.run('sync');
  expect(run.result).toMatchObject({ restored: 0, used_before: 1 });
  expect((await world.rows()).get(sandboxId)?.status).toBe('stale');
});
