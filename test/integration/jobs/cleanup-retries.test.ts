import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/local/csp-simulator/seeded-random.ts';
import type { JobNotes } from '../../../src/store/job-rows.ts';
import { asAdmin, call } from '../../support/client.ts';
import { type JobsWorld, jobsWorld } from '../../support/jobs-world.ts';
import { tapDatabase } from '../../support/tapped-database.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Cleanup at its interval for so long. @returns how many it gave up */
async function cleanUpFor(world: JobsWorld, milliseconds: number, everyMs = 5 * MINUTE_MS): Promise<number> {
  let gaveUp = 0;
  for (let passed = 0; passed < milliseconds; passed += everyMs) {
    gaveUp += Number((await world.run('cleanup')).result.gave_up);
    await world.time.pass(everyMs);
  }
  return gaveUp;
}

test('a failure is kept in its row: how often, why, and when to try again', async () => {
  const world = await jobsWorld({ accounts: 3, random: () => 0.5 });
  const [sandboxId] = (await world.released(1)) as [string];
  world.simulator.faults.set([{ kind: 'error', call: 'delete' }]);
  const waits = [225, 2_700];
  for (const [index, wait] of waits.entries()) {
    await world.run('cleanup');
    const row = (await world.rows()).get(sandboxId);
    expect(row).toMatchObject({ status: 'pending_deletion', deletion_retry_count: index + 1 });
    expect(row?.deletion_error).toMatch(/^CSP delete answered 500 .*unable to get licenses/);
    // Three quarters of 5 minutes, and of an hour: half of each is random, here its middle.
    expect(Number(row?.next_attempt_at) - world.clock.now() / 1000).toBe(wait);
    await world.time.pass((wait - 1) * 1000);
    expect((await world.run('cleanup')).result).toMatchObject({ due: 0 });
    await world.time.pass(1000);
  }
});

test('an account that alone cannot be deleted ends in deletion_failed, where an operator sees it and why', async () => {
  const world = await jobsWorld({ accounts: 3 });
  const [sandboxId] = (await world.released(1)) as [string];
  world.simulator.faults.set([{ kind: 'error', call: 'delete', account: sandboxId }]);
  expect(await cleanUpFor(world, HOUR_MS)).toBe(0);
  expect(await cleanUpFor(world, HOUR_MS)).toBe(1);
  expect(world.simulator.log.of('delete').length).toBeLessThan(10);
  const { url } = world.broker;
  const failed = await call('GET', `${url}/v1/admin/sandboxes?status=deletion_failed`, asAdmin());
  expect(failed.body.sandboxes).toMatchObject([{ sandbox_id: sandboxId, deletion_retry_count: 3 }]);
  const events = await call('GET', `${url}/v1/admin/sandboxes/${sandboxId}/events`, asAdmin());
  expect(events.body.events[0]).toMatchObject({
    move: 'give_up_deletion',
    from: 'pending_deletion',
    to: 'deletion_failed',
    actor: 'job:cleanup',
    reason: expect.stringContaining('answered 500'),
  });
});

test('two accounts that cannot be deleted, one after the other and nobody else, are both given up', async () => {
  const world = await jobsWorld({ accounts: 3 });
  world.simulator.faults.set([{ kind: 'error', call: 'delete' }]);
  await world.released(1, 'one');
  expect(await cleanUpFor(world, 2 * HOUR_MS)).toBe(1);
  await world.released(1, 'other');
  expect(await cleanUpFor(world, 2 * HOUR_MS)).toBe(1);
});

test('accounts that cannot be deleted end in deletion_failed while others are deleted, several of them too', async () => {
  const world = await jobsWorld({ accounts: 30 });
  const poison = await world.released(3, 'poison');
  world.simulator.faults.set(poison.map((account) => ({ kind: 'error', call: 'delete', account })));
  let gaveUp = 0;
  for (let student = 0; student < 8; student += 1) {
    await world.released(1, `student-${student}`);
    gaveUp += await cleanUpFor(world, HOUR_MS);
  }
  expect(gaveUp).toBe(3);
  expect(await world.counts()).toEqual({ available: 19, deletion_failed: 3 });
});

test.each([
  ['for everything', [{ kind: 'error', status: 503 }]],
  ['for deletions alone, while listings come', [{ kind: 'error', call: 'delete' }]],
  ['by never answering a deletion', [{ kind: 'hang', call: 'delete' }]],
  ['with an answer that is meant for one account', [{ kind: 'error', status: 409, call: 'delete' }]],
  ['behind a gateway that refuses everything', [{ kind: 'html', status: 400, call: 'delete' }]],
] as const)(
  'a provider that is unwell for a day %s turns no pending deletion into a failed one',
  async (_words, faults) => {
    const world = await jobsWorld({ accounts: 10, random: seededRandom(11) });
    await world.run('sync');
    await world.released(4, 'early');
    world.simulator.faults.set([...faults]);
    expect(await cleanUpFor(world, 12 * HOUR_MS, 30 * MINUTE_MS)).toBe(0);
    await world.released(2, 'late').catch(() => {});
    expect(await cleanUpFor(world, 12 * HOUR_MS, 30 * MINUTE_MS)).toBe(0);
    expect(await world.counts()).toEqual({ available: 4, pending_deletion: 6 });
    world.simulator.faults.clear();
    await cleanUpFor(world, 5 * HOUR_MS, 30 * MINUTE_MS);
    expect(await world.counts()).toEqual({ available: 4 });
  },
);

test('one pending deletion alone, with a provider that answers nothing for a day, is not given up', async () => {
  const world = await jobsWorld({ accounts: 2 });
  await world.run('sync');
  await world.released(1);
  world.simulator.faults.set([{ kind: 'error', status: 503 }]);
  expect(await cleanUpFor(world, 24 * HOUR_MS, 30 * MINUTE_MS)).toBe(0);
  world.simulator.faults.clear();
  await cleanUpFor(world, HOUR_MS, 30 * MINUTE_MS);
  expect(await world.counts()).toEqual({ available: 1 });
});

test('two bad quarters of an hour in one morning give no row up, though rows fail for the third time in the second', async () => {
  const world = await jobsWorld({
    accounts: 40,
    random: seededRandom(3),
    environment: { CIRCUIT_BREAKER_THRESHOLD: '1000' },
  });
  await world.released(40);
  const failDeletions = () => world.simulator.faults.set([{ kind: 'error', call: 'delete' }]);
  let gaveUp = 0;
  failDeletions();
  gaveUp += await cleanUpFor(world, 16 * MINUTE_MS);
  world.simulator.faults.clear();
  gaveUp += await cleanUpFor(world, 28 * MINUTE_MS);
  const { pending_deletion: left = 0 } = await world.counts();
  expect(left).toBeGreaterThan(10);
  expect(left).toBeLessThan(40);
  failDeletions();
  world.simulator.log.clear();
  gaveUp += await cleanUpFor(world, 16 * MINUTE_MS);
  expect(world.simulator.log.of('delete').length).toBeGreaterThan(5);
  expect(gaveUp).toBe(0);
  world.simulator.faults.clear();
  await cleanUpFor(world, 2 * HOUR_MS);
  expect(await world.counts()).toEqual({});
});

test('a configuration that allows fewer attempts than rows have spent gives up none of them in an outage', async () => {
  const world = await jobsWorld({ accounts: 8 });
  await world.run('sync');
  const released = await world.released(3);
  await world.backdate(released, { deletion_retry_count: 7, next_attempt_at: 1 });
  world.simulator.faults.set([{ kind: 'error', status: 503 }]);
  expect(await cleanUpFor(world, HOUR_MS)).toBe(0);
  world.simulator.faults.set([{ kind: 'unauthorized', status: 403 }]);
  expect(await cleanUpFor(world, HOUR_MS)).toBe(0);
  expect(await world.counts()).toMatchObject({ pending_deletion: 3 });
});

test('a run that wakes late neither takes attempts back nor gives up a row to which an operator gave new ones', async () => {
  const world = await jobsWorld({ accounts: 3, environment: { DELETION_RETRY_MAX_ATTEMPTS: '2' } });
  const [sandboxId] = (await world.released(1)) as [string];
  world.simulator.faults.set([{ kind: 'error', status: 409, call: 'delete' }]);
  await world.run('cleanup');
  await world.time.pass(HOUR_MS);
  // The late one has read the row and asked the provider; before it writes, the others do.
  let late = true;
  // It has failed for longer than an hour, and nobody else is there to be deleted.
  const alone = { deletion_suspect: sandboxId, deletion_suspect_since: 0 };
  const database = tapDatabase(world.table.database, async ({ operation }, next) => {
    if (operation === 'TransactWriteItems' && late) {
      late = false;
      await world.broker.container.jobs.get('cleanup').run(contextOf('other', alone));
      expect((await world.rows()).get(sandboxId)?.status).toBe('deletion_failed');
      await call('POST', `${world.broker.url}/v1/admin/sandboxes/${sandboxId}/retry-deletion`, asAdmin());
    }
    return next();
  });
  const { result } = await world.run('cleanup', {}, await world.newBroker({ database }));
  expect(result).toMatchObject({ failed: 0, gave_up: 0, overtaken: 1 });
  expect((await world.rows()).get(sandboxId)).toMatchObject({
    status: 'pending_deletion',
    deletion_retry_count: 0,
    next_attempt_at: 0,
  });
});

/** A run under no lease, as one is that has lost it. */
function contextOf(runId: string, memory: JobNotes) {
  return {
    signal: new AbortController().signal,
    input: {},
    author: { actor: 'job:cleanup', requestId: runId },
    memory,
    report: () => {},
    remember: () => {},
  };
}
