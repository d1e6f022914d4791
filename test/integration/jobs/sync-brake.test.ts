import { expect, test } from 'vitest';
import type { FaultInput } from '../../../src/local/csp-simulator/faults.ts';
import { asAdmin, call } from '../../support/client.ts';
import { jobsWorld } from '../../support/jobs-world.ts';
import { metric } from '../../support/metric.ts';

test.each([
  ['empty', [{ kind: 'empty_list', call: 'list' }], 'the listing is empty'],
  [
    'far too short',
    [{ kind: 'short_list', call: 'list', keep: 23 }],
    'the listing lacks 7 of 30 available sandboxes, more than 20 %',
  ],
] satisfies [string, FaultInput[], string][])(
  'a listing that is %s stales nothing, and the run says why',
  async (_words, faults, brake) => {
    const world = await jobsWorld({ accounts: 30 });
    world.simulator.faults.set(faults);
    const before = await world.rows();
    const run = await world.run('sync');
    expect(run.outcome).toBe('braked');
    expect(run.result).toMatchObject({ marked_stale: 0, brake });
    expect(await world.rows()).toEqual(before);
    const state = await world.broker.container.jobRows.read('sync');
    expect(state.lastRun).toMatchObject({ outcome: 'braked', result: { brake } });
    expect(await metric(world.broker.url, 'broker_sync_braked_total')).toBe(1);
    expect(await metric(world.broker.url, 'broker_sync_total{outcome="braked"}')).toBe(1);
  },
);

test.each([
  ['is cut in the middle', [{ kind: 'truncated_json', call: 'list' }]],
  ['ends with the connection', [{ kind: 'cut_connection', call: 'list' }]],
  ['is a page for people', [{ kind: 'html', status: 200, call: 'list' }]],
  ['fails', [{ kind: 'error', status: 500, call: 'list' }]],
  ['is refused for the credential', [{ kind: 'unauthorized', call: 'list' }]],
  ['is refused for its rate', [{ kind: 'rate_limited', call: 'list', retry_after: 5 }]],
  ['never comes', [{ kind: 'hang', call: 'list' }]],
  ['is reset', [{ kind: 'reset', call: 'list' }]],
] satisfies [string, FaultInput[]][])(
  'a listing that %s adds nothing and stales nothing, forced or not, and the run is an error that says so',
  async (_words, faults) => {
    const world = await jobsWorld({ accounts: 10 });
    world.simulator.accounts.create({ count: 3 });
    world.simulator.faults.set(faults);
    const before = await world.rows();
    for (const force of [false, true]) {
      const run = await world.run('sync', { force });
      expect(run.outcome).toBe('error');
      expect(run.result.error).toMatch(/^CSP list /);
    }
    expect(await world.rows()).toEqual(before);
    expect(await metric(world.broker.url, 'broker_sync_total{outcome="error"}')).toBe(2);
  },
);

test('a listing of which a second page fails stales nothing', async () => {
  const world = await jobsWorld({ accounts: 30, simulator: { settings: { page_size: 10, paging: 'link' } } });
  let listings = 0;
  world.simulator.faults.set([]);
  const before = await world.rows();
  const { log, faults } = world.simulator;
  log
    .untilAsked((entry) => entry.call === 'list' && ++listings === 1)
    .then(() => {
      faults.set([{ kind: 'error', status: 503, call: 'list' }]);
    });
  expect((await world.run('sync')).outcome).toBe('error');
  expect(await world.rows()).toEqual(before);
});

test('a listing with rows that cannot be read adds what is new and stales nothing', async () => {
  const world = await jobsWorld({ accounts: 10 });
  const [broken, gone] = world.simulator.accounts.all();
  Object.assign(broken ?? {}, { name: null });
  world.simulator.accounts.remove(String(gone?.csp_id));
  world.simulator.accounts.create({ count: 2 });
  const run = await world.run('sync');
  expect(run.outcome).toBe('braked');
  expect(run.result).toMatchObject({
    added: 2,
    marked_stale: 0,
    would_stale: 2,
    unreadable: 1,
    brake: '1 rows of the listing could not be read',
  });
});

test('a braked sync still takes in what is new', async () => {
  const world = await jobsWorld({ accounts: 30 });
  for (const account of world.simulator.accounts.all().slice(0, 20))
    world.simulator.accounts.remove(account.id);
  world.simulator.accounts.create({ count: 4 });
  const run = await world.run('sync');
  expect(run.result).toMatchObject({ added: 4, marked_stale: 0, would_stale: 20 });
  expect(await world.counts()).toEqual({ available: 34 });
});

test('an operator who forces a sync gets what the brake held back, exactly that, and only this once', async () => {
  const world = await jobsWorld({ accounts: 30 });
  const missing = world.simulator.accounts.all().slice(0, 20);
  for (const account of missing) world.simulator.accounts.remove(account.id);
  const url = `${world.broker.url}/v1/admin/sync`;
  const braked = await world.time.until(call('POST', url, asAdmin()));
  expect(braked).toMatchObject({
    status: 200,
    body: {
      status: 'completed',
      marked_stale: 0,
      would_stale: 20,
      brake: expect.stringContaining('20 of 30'),
    },
  });
  const forced = await world.time.until(call('POST', `${url}?force=true`, asAdmin()));
  expect(forced).toMatchObject({
    status: 200,
    body: { status: 'completed', synced: 10, marked_stale: 20, would_stale: 20, brake: null },
  });
  const stale = [...(await world.rows()).values()].filter((row) => row.status === 'stale');
  expect(stale.map((row) => row.sandbox_id).sort()).toEqual(
    missing.map((account) => String(account.csp_id)).sort(),
  );

  for (const account of world.simulator.accounts.all().slice(0, 6))
    world.simulator.accounts.remove(account.id);
  expect((await world.run('sync')).outcome).toBe('braked');
});

test('the part of the pool that may go stale at once is a setting', async () => {
  const world = await jobsWorld({ accounts: 30, environment: { SYNC_MAX_STALE_PERCENT: '50' } });
  for (const account of world.simulator.accounts.all().slice(0, 15))
    world.simulator.accounts.remove(account.id);
  expect((await world.run('sync')).result).toMatchObject({ marked_stale: 15, brake: null });
});
