import { expect, test } from 'vitest';
import { asAdmin, call } from '../../support/client.ts';
import { type JobsWorld, jobsWorld } from '../../support/jobs-world.ts';
import { metric } from '../../support/metric.ts';
import { tapDatabase } from '../../support/tapped-database.ts';

const enabled = { NIOSXAAS_ENABLED: 'true', NIOSXAAS_SHADOW_MODE: 'false' };

/** A released sandbox whose tenant holds services of these names. */
async function tenantWorld(services: readonly string[], environment: Record<string, string>) {
  const world = await jobsWorld({ accounts: 1, environment });
  const [sandboxId] = (await world.released(1)) as [string];
  const id = world.account(sandboxId)?.id ?? '';
  for (const name of services) world.simulator.accounts.addService(id, name);
  return { world, sandboxId };
}

const records = async (world: JobsWorld, query = '') =>
  (await call('GET', `${world.broker.url}/v1/admin/niosxaas-cleanups${query}`, asAdmin())).body;

const niosxaasCalls = (world: JobsWorld) =>
  world.simulator.log
    .all()
    .filter((entry) => entry.call.startsWith('niosxaas_'))
    .map((entry) => entry.call);

test('by default the step does nothing and keeps nothing', async () => {
  const { world } = await tenantWorld(['lab'], {});
  expect((await world.run('cleanup')).result).toMatchObject({ deleted: 1 });
  expect(niosxaasCalls(world)).toEqual([]);
  expect(await records(world)).toEqual({ cleanups: [], count: 0 });
});

test('in shadow mode, which is the default when it is enabled, it finds services, leaves them, and records what it would have done', async () => {
  const { world, sandboxId } = await tenantWorld(['lab', 'other'], { NIOSXAAS_ENABLED: 'true' });
  expect((await world.run('cleanup')).result).toMatchObject({ deleted: 1 });
  expect(niosxaasCalls(world)).toEqual(['niosxaas_sign_in', 'niosxaas_switch', 'niosxaas_list']);
  expect(await records(world)).toMatchObject({
    count: 1,
    cleanups: [
      {
        sandbox_id: sandboxId,
        at: Math.floor(world.clock.now() / 1000),
        outcome: 'shadow',
        found: 2,
        deleted: 0,
        failed: 0,
        services: [
          { name: 'lab', result: 'would_delete' },
          { name: 'other', result: 'would_delete' },
        ],
        error: null,
      },
    ],
  });
  expect(await metric(world.broker.url, 'broker_niosxaas_cleanup_total{outcome="shadow"}')).toBe(1);
  expect(await metric(world.broker.url, 'broker_niosxaas_services_deleted_total')).toBe(0);
});

test.each([
  ['shadow', 'info', []],
  ['failed', 'warn', [{ kind: 'error', call: 'niosxaas' }]],
] as const)('a step that ends as %s is told in the log at level %s', async (outcome, level, faults) => {
  const { world, sandboxId } = await tenantWorld(['lab', 'other'], {
    NIOSXAAS_ENABLED: 'true',
    LOG_LEVEL: 'info',
  });
  world.simulator.faults.set([...faults]);
  await world.run('cleanup');
  const lines = world.broker.log.map((line) => JSON.parse(line));
  expect(lines.filter(({ action }) => action === 'niosxaas_cleanup')).toEqual([
    expect.objectContaining({
      level,
      outcome,
      sandbox_id: sandboxId,
      track_id: 'student-0',
      request_id: expect.any(String),
      result: expect.objectContaining({ found: outcome === 'shadow' ? 2 : 0 }),
    }),
  ]);
});

test('enabled, it deletes the services of its name before the account, and records and counts them', async () => {
  const { world } = await tenantWorld(['lab', 'other', 'lab'], { ...enabled, NIOSXAAS_SERVICE_NAME: 'lab' });
  expect((await world.run('cleanup')).result).toMatchObject({ deleted: 1 });
  const calls = world.simulator.log.all().map((entry) => entry.call);
  expect(calls.filter((each) => each === 'niosxaas_delete')).toHaveLength(2);
  expect(calls.lastIndexOf('niosxaas_delete')).toBeLessThan(calls.indexOf('delete'));
  expect((await records(world)).cleanups).toMatchObject([{ outcome: 'cleaned', found: 2, deleted: 2 }]);
  const { url } = world.broker;
  expect(await metric(url, 'broker_niosxaas_cleanup_total{outcome="cleaned"}')).toBe(1);
  expect(await metric(url, 'broker_niosxaas_services_deleted_total')).toBe(2);
  expect(await metric(url, 'broker_niosxaas_auth_total{outcome="success"}')).toBe(2);
});

test.each([
  ['is down', 'niosxaas'],
  ['refuses to sign in', 'niosxaas_sign_in'],
  ['deletes no service', 'niosxaas_delete'],
] as const)('a step that %s does not keep the sandbox from being deleted', async (_words, which) => {
  const { world, sandboxId } = await tenantWorld(['lab'], enabled);
  world.simulator.faults.set([{ kind: 'error', status: 503, call: which }]);
  expect(await world.run('cleanup')).toMatchObject({ outcome: 'success', result: { deleted: 1, failed: 0 } });
  expect(world.account(sandboxId)).toBeUndefined();
  const { cleanups } = await records(world);
  expect(cleanups).toMatchObject([{ outcome: 'failed', error: expect.stringContaining('503') }]);
  expect(await metric(world.broker.url, 'broker_niosxaas_cleanup_total{outcome="failed"}')).toBe(1);
});

test('a record that cannot be written does not keep the sandbox from being deleted', async () => {
  const { world, sandboxId } = await tenantWorld(['lab'], enabled);
  const database = tapDatabase(world.table.database, ({ operation }, next) =>
    operation === 'Put' ? Promise.reject(new Error('Item size has exceeded the maximum')) : next(),
  );
  const broker = await world.newBroker({ database });
  expect(await world.run('cleanup', {}, broker)).toMatchObject({
    outcome: 'success',
    result: { deleted: 1 },
  });
  expect(world.account(sandboxId)).toBeUndefined();
  expect(broker.log.join()).toContain('what the NIOSXaaS step did was not recorded');
});

test('a tenant with more services than a record can hold is deleted, and its record names the first hundred and counts all', async () => {
  const { world } = await tenantWorld(
    Array.from({ length: 250 }, (_, index) => `lab-${index}`),
    {
      NIOSXAAS_ENABLED: 'true',
    },
  );
  expect((await world.run('cleanup')).result).toMatchObject({ deleted: 1 });
  const { cleanups } = await records(world);
  expect(cleanups[0].found).toBe(250);
  expect(cleanups[0].services).toHaveLength(100);
});

test('records come the latest first over days, as many as are asked for, and stay for thirty days', async () => {
  const world = await jobsWorld({ accounts: 6, environment: { NIOSXAAS_ENABLED: 'true' } });
  const order: string[] = [];
  for (let day = 0; day < 5; day += 1) {
    order.unshift(...(await world.released(1, `student-${day}`)));
    await world.run('cleanup');
    await world.time.pass(20 * 3_600_000);
  }
  const ids = ({ cleanups }: { cleanups: { sandbox_id: string }[] }) =>
    cleanups.map((each) => each.sandbox_id);
  expect(ids(await records(world))).toEqual(order);
  expect(ids(await records(world, '?limit=3'))).toEqual(order.slice(0, 3));
  const kept = (await world.table.items()).filter((item) => String(item.PK).startsWith('NIOSXAAS#'));
  for (const record of kept) expect(Number(record.ttl) - Number(record.at)).toBe(30 * 86_400);
  await world.time.pass(40 * 86_400_000);
  // The engine may keep an expired item for days; nobody sees it.
  expect(await records(world)).toEqual({ cleanups: [], count: 0 });
});

test('no tenant is touched while the breaker of the deletions is open', async () => {
  const world = await jobsWorld({
    accounts: 10,
    environment: { ...enabled, CLEANUP_CONCURRENCY: '1', CIRCUIT_BREAKER_TIMEOUT_SEC: '3600' },
  });
  await world.released(10);
  world.simulator.faults.set([{ kind: 'error', call: 'delete' }]);
  await world.run('cleanup');
  world.simulator.log.clear();
  await world.time.pass(300_000);
  expect((await world.run('cleanup')).outcome).toBe('breaker_open');
  expect(world.simulator.log.all()).toEqual([]);
});
