import { expect, test } from 'vitest';
import { MOVES } from '../../../src/domain/sandbox.ts';
import type { JobName } from '../../../src/workers/job.ts';
import { asAdmin, call } from '../../support/client.ts';
import { type JobsWorld, jobsWorld } from '../../support/jobs-world.ts';

interface Event {
  readonly move: string;
  readonly from: string;
  readonly to: string;
  readonly actor: string;
  readonly reason: string | null;
  readonly request_id: string | null;
  readonly allocated_to_track: string | null;
  readonly at: number;
}

/** What the reader shows of a sandbox, the first first. */
async function eventsOf(world: JobsWorld, sandboxId: string): Promise<Event[]> {
  const path = `${world.broker.url}/v1/admin/sandboxes/${sandboxId}/events?limit=100`;
  const { body } = await call('GET', path, asAdmin());
  return body.events.reverse();
}

const moves = (events: readonly Event[]) => events.map(({ move, actor }) => `${move} by ${actor}`);

test('every move of a row is in the trail, with who did it and why: jobs, students and operators', async () => {
  const world = await jobsWorld({ accounts: 40, environment: { DELETION_RETRY_MAX_ATTEMPTS: '1' } });
  const { url } = world.broker;
  const operate = async (sandboxId: string, move: string) => {
    await world.time.pass(1_000);
    const path = `${url}/v1/admin/sandboxes/${sandboxId}/${move}`;
    expect((await call('POST', path, asAdmin(), { reason: `to ${move}` })).status).toBe(200);
  };
  const run = async (job: JobName) => {
    await world.time.pass(1_000);
    await world.run(job);
  };
  const trails = new Map<string, string[]>();

  // A student who stops early, and a provider that will not delete until an operator asks again.
  const [early] = (await world.released(1, 'early')) as [string];
  world.simulator.faults.set([{ kind: 'error', status: 409, call: 'delete' }]);
  for (let minutes = 0; minutes <= 65; minutes += 5) {
    await run('cleanup');
    await world.time.pass(5 * 60_000);
  }
  world.simulator.faults.clear();
  await operate(early, 'retry-deletion');
  await run('cleanup');
  trails.set(early, [
    'allocate by track',
    'release by track',
    'give_up_deletion by job:cleanup',
    'retry_deletion by admin',
    'delete by job:cleanup',
  ]);

  // One who never comes back, and one whose allocation an operator ends.
  const [orphan] = [...(await world.allocated(1, 'orphan')).values()] as [string];
  await world.time.pass(5 * 3_600_000);
  await run('expiry');
  const [ended] = [...(await world.allocated(1, 'ended')).values()] as [string];
  await operate(ended, 'release');
  trails.set(orphan, ['allocate by track', 'expire by job:expiry']);
  trails.set(ended, ['allocate by track', 'release by admin']);

  // Accounts that go, come back, and go for good; and one that an operator takes out and puts back.
  const available = [...(await world.rows()).values()].filter((row) => row.status === 'available');
  const [comesBack, gone, quarantined] = available.map((row) => String(row.sandbox_id)) as [
    string,
    string,
    string,
  ];
  const [added] = world.simulator.accounts.create({ count: 1 });
  const account = world.account(comesBack);
  world.simulator.accounts.remove(comesBack);
  world.simulator.accounts.remove(gone);
  await run('sync');
  if (account !== undefined) world.simulator.accounts.add([account]);
  await run('sync');
  await world.time.pass(25 * 3_600_000);
  await run('sync');
  await run('stale');
  await operate(quarantined, 'quarantine');
  await operate(quarantined, 'restore');
  trails.set(String(added?.csp_id), ['add by job:sync']);
  trails.set(comesBack, ['mark_stale by job:sync', 'listed_again by job:sync']);
  trails.set(gone, ['mark_stale by job:sync', 'remove by job:stale']);
  trails.set(quarantined, ['quarantine by admin', 'restore by admin']);

  const seen = new Set<string>();
  for (const [sandboxId, expected] of trails) {
    const events = await eventsOf(world, sandboxId);
    expect(moves(events)).toEqual(expected);
    for (const event of events) {
      seen.add(event.move);
      const legal = MOVES[event.move as keyof typeof MOVES];
      expect(legal.from as readonly string[]).toContain(event.from);
      expect(legal.to).toBe(event.to);
      expect(event.request_id).toEqual(expect.any(String));
      if (event.actor === 'admin') expect(event.reason).toMatch(/^to /);
    }
  }
  expect(seen).toEqual(new Set(Object.keys(MOVES)));
  for (const event of await eventsOf(world, orphan)) expect(event.allocated_to_track).toBe('orphan-0');
});

test('an allocation is in the trail from its first moment, with the credential and the request that made it', async () => {
  const world = await jobsWorld({ accounts: 1 });
  const [sandboxId] = [...(await world.allocated(1, 'ann')).values()] as [string];
  const path = `${world.broker.url}/v1/admin/sandboxes/${sandboxId}`;
  const { body: row } = await call('GET', path, asAdmin());
  expect(row.allocated_by).toBe('track');
  const begun = await eventsOf(world, sandboxId);
  expect(begun).toEqual([
    {
      move: 'allocate',
      from: 'available',
      to: 'allocated',
      actor: 'track',
      reason: null,
      request_id: expect.any(String),
      at: row.allocated_at,
      allocated_to_track: 'ann-0',
      allocated_at: row.allocated_at,
    },
  ]);
  await world.time.pass(1_000);
  expect((await call('POST', `${path}/release`, asAdmin(), { reason: 'over' })).status).toBe(200);
  expect((await eventsOf(world, sandboxId))[0]).toEqual(begun[0]);
  // The latest alone, which is not the allocation.
  const { body: last } = await call('GET', `${path}/events?limit=1`, asAdmin());
  expect(last).toMatchObject({ count: 1, events: [{ move: 'release' }] });
});

test('the trail outlives the row, and is kept for thirty days', async () => {
  const world = await jobsWorld({ accounts: 1 });
  const [sandboxId] = (await world.released(1)) as [string];
  await world.time.pass(1_000);
  await world.run('cleanup');
  expect((await world.rows()).has(sandboxId)).toBe(false);
  expect(moves(await eventsOf(world, sandboxId))).toEqual([
    'allocate by track',
    'release by track',
    'delete by job:cleanup',
  ]);
  const kept = (await world.table.items()).filter((item) => String(item.SK).startsWith('EVT#'));
  expect(kept).toHaveLength(2);
  for (const event of kept) expect(Number(event.ttl) - Number(event.at)).toBe(30 * 86_400);
});
