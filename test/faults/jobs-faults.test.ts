import { expect, onTestFinished, test } from 'vitest';
import { startCspSimulator } from '../../src/local/csp-simulator.ts';
import type { JobName } from '../../src/workers/job.ts';
import type { TestBroker } from '../support/broker.ts';
import { allocate, asAdmin, call, release } from '../support/client.ts';
import { violations } from '../support/invariants.ts';
import { type FaultyInstallation, faultyInstallation } from './faulty-installation.ts';
import {
  conflictOn,
  type FaultRule,
  isRelease,
  isTransaction,
  resetAfter,
  resetBefore,
  serverError,
  throttled,
  transactionInProgress,
  type WireCall,
} from './wire-faults.ts';

/** An installation whose provider has so many accounts, all of them in the pool, or not yet. */
async function withProvider(
  accounts: number,
  options: { laggingIndexes?: boolean; environment?: Record<string, string> } = {},
) {
  const provider = await startCspSimulator({ accounts });
  onTestFinished(() => provider.close());
  const installation = await faultyInstallation(0, {
    ...options,
    environment: {
      CSP_BASE_URL: provider.baseUrl,
      CSP_API_TOKEN: provider.token,
      CLEANUP_BATCH_DELAY_SEC: '0',
      LAB_DURATION_HOURS: '0.01',
      GRACE_PERIOD_MINUTES: '0',
      ...options.environment,
    },
  });
  return { ...installation, provider };
}

async function run(broker: TestBroker, job: JobName) {
  const answer = await call('POST', `${broker.url}/v1/admin/jobs/${job}/run`, asAdmin());
  expect(answer.status).toBe(200);
  return answer.body.run;
}

async function expectSound({ proxy, table }: FaultyInstallation): Promise<void> {
  proxy.clear();
  expect(violations(await table.items())).toEqual([]);
}

const PASSING: Record<string, FaultRule['fault']> = {
  throttled,
  'refused for others that are under way': conflictOn(),
  'said to be still under way under its token': transactionInProgress,
  'answered with a 500': serverError,
  'reset before the engine hears of it': resetBefore,
  'reset after its commit': resetAfter,
};

/** Every other one. */
const often = (on: (call: WireCall) => boolean, fault: FaultRule['fault']): FaultRule => {
  let number = 0;
  return { on: (each) => on(each) && ++number % 2 === 1, fault };
};

for (const [what, fault] of Object.entries(PASSING)) {
  test(`with every other transaction ${what}, sync takes in the listing, cleanup deletes what was released, and nothing twice`, async () => {
    const installation = await withProvider(8);
    const { proxy, broker, provider, rows, table } = installation;
    proxy.add(often(isTransaction, fault));
    expect((await run(broker, 'sync')).outcome).toBe('success');
    expect(await rows('available')).toHaveLength(8);

    proxy.clear();
    const held = await allocate(broker.url, 'ann');
    for (const track of ['ben', 'cleo', 'dan']) {
      const { body } = await allocate(broker.url, track);
      await release(broker.url, track, body.sandbox_id);
    }
    proxy.add(often(isTransaction, fault));
    expect((await run(broker, 'cleanup')).outcome).toBe('success');
    expect(await rows('pending_deletion')).toEqual([]);
    expect((await table.items()).filter(({ PK }) => String(PK).startsWith('TOMB#'))).toHaveLength(3);
    expect(provider.accounts.size).toBe(5);
    expect(provider.accounts.find(held.body.sandbox_id)).toBeDefined();
    expect(provider.log.of('delete')).toHaveLength(3);
    await expectSound(installation);
  });
}

test('with every other transaction lost after its commit, expiry ends each allocation once', async () => {
  const installation = await withProvider(4, { environment: { LAB_DURATION_HOURS: '0.01' } });
  const { proxy, broker, table, rows } = installation;
  await run(broker, 'sync');
  for (const track of ['ann', 'ben', 'cleo']) await allocate(broker.url, track);
  await backdate(installation, 3_600);
  proxy.add(often(isTransaction, resetAfter));
  await run(broker, 'expiry');
  expect(await rows('pending_deletion')).toHaveLength(3);
  expect((await table.items()).filter(({ move }) => move === 'expire')).toHaveLength(3);
  await expectSound(installation);
});

test('a lease whose acquisition was not answered is held all the same, and is given back', async () => {
  const installation = await withProvider(2);
  const { proxy, broker, rows } = installation;
  const isLeaseWrite = ({ operation, keys }: WireCall) =>
    operation === 'UpdateItem' && keys[0] === 'LEASE#sync';
  proxy.add({ on: isLeaseWrite, fault: resetAfter, times: 1 });
  expect((await run(broker, 'sync')).outcome).toBe('success');
  expect(await rows('available')).toHaveLength(2);
  expect((await run(broker, 'sync')).outcome).toBe('success');
  await expectSound(installation);
});

test('sync over indexes that show nothing of the pool overwrites nothing of it', async () => {
  const installation = await withProvider(4, { laggingIndexes: true });
  const { proxy, broker, row, rows } = installation;
  await run(broker, 'sync');
  const held = await allocate(broker.url, 'ann');
  const gone = await allocate(broker.url, 'ben');
  await release(broker.url, 'ben', gone.body.sandbox_id);
  proxy.indexes.lagBy(Number.POSITIVE_INFINITY);
  await run(broker, 'sync');
  expect(await row(held.body.sandbox_id)).toMatchObject({ status: 'allocated', allocated_to_track: 'ann' });
  expect(await row(gone.body.sandbox_id)).toMatchObject({ status: 'pending_deletion' });
  expect(await rows('available')).toHaveLength(2);
  await expectSound(installation);
});

test('sync over indexes that show allocated sandboxes as available stales none of them when they are not listed', async () => {
  const installation = await withProvider(4, { laggingIndexes: true });
  const { proxy, broker, provider, row } = installation;
  await run(broker, 'sync');
  await run(broker, 'statistics');
  proxy.indexes.lagBy(Number.POSITIVE_INFINITY);
  const held = await allocate(broker.url, 'ann');
  provider.accounts.remove(held.body.sandbox_id);
  await run(broker, 'sync');
  expect(await row(held.body.sandbox_id)).toMatchObject({ status: 'allocated', allocated_to_track: 'ann' });
  await expectSound(installation);
});

test('a release whose commit went unheard is a 200 though the sandbox is deleted before it is tried anew', async () => {
  const installation = await withProvider(3);
  const { proxy, broker, another, row, table } = installation;
  await run(broker, 'sync');
  const { body: held } = await allocate(broker.url, 'ann');
  const deleted = Promise.withResolvers<void>();
  proxy.add({ on: isRelease, fault: resetAfter, times: 1 });
  // Refused under its token, it is another transaction from now on, and no repetition.
  proxy.add({ on: isRelease, fault: conflictOn(), times: 1 });
  proxy.add({ on: isRelease, fault: { is: 'late', until: deleted.promise } });
  const answer = release(broker.url, 'ann', held.sandbox_id);
  await expect.poll(() => proxy.calls.filter(isRelease).length).toBeGreaterThan(2);
  const { deletion_requested_at: requestedAt } = (await row(held.sandbox_id)) ?? {};
  expect((await run(await another(), 'cleanup')).result.deleted).toBe(1);
  deleted.resolve();
  expect([(await answer).status, (await answer).body]).toEqual([
    200,
    { sandbox_id: held.sandbox_id, status: 'pending_deletion', deletion_requested_at: requestedAt },
  ]);
  expect((await table.items()).filter(({ move }) => move === 'release')).toHaveLength(1);
  await expectSound(installation);
});

test('cleanup over indexes that still show what it has deleted brings nothing back', async () => {
  const installation = await withProvider(3, { laggingIndexes: true });
  const { proxy, broker, table, rows } = installation;
  await run(broker, 'sync');
  const { body } = await allocate(broker.url, 'ann');
  await release(broker.url, 'ann', body.sandbox_id);
  await run(broker, 'statistics');
  proxy.indexes.lagBy(Number.POSITIVE_INFINITY);
  expect((await run(broker, 'cleanup')).result.deleted).toBe(1);
  expect((await run(broker, 'cleanup')).result).toMatchObject({ deleted: 0, overtaken: 1 });
  expect(await rows('pending_deletion')).toEqual([]);
  expect((await table.items()).filter(({ PK }) => String(PK).startsWith('TOMB#'))).toHaveLength(1);
  await expectSound(installation);
});

test('expiry over indexes that show a released allocation as active ends nothing again', async () => {
  const installation = await withProvider(3, {
    laggingIndexes: true,
    environment: { LAB_DURATION_HOURS: '0.01' },
  });
  const { proxy, broker, row } = installation;
  await run(broker, 'sync');
  const { body } = await allocate(broker.url, 'ann');
  await backdate(installation, 3_600);
  await run(broker, 'statistics');
  proxy.indexes.lagBy(Number.POSITIVE_INFINITY);
  await release(broker.url, 'ann', body.sandbox_id);
  const before = await row(body.sandbox_id);
  expect((await run(broker, 'expiry')).result).toMatchObject({ expired: 0, overtaken: 1 });
  expect(await row(body.sandbox_id)).toEqual(before);
  await expectSound(installation);
});

/** All allocations were made so many seconds earlier, as their rows and claims say. */
async function backdate({ table }: FaultyInstallation, seconds: number): Promise<void> {
  const { PutCommand } = await import('@aws-sdk/lib-dynamodb');
  for (const item of await table.items()) {
    if (item.status !== 'allocated' && item.claimed_at === undefined) continue;
    const time = item.status === 'allocated' ? 'allocated_at' : 'claimed_at';
    const Item = { ...item, [time]: Number(item[time]) - seconds };
    await table.database.documents.send(new PutCommand({ TableName: table.database.tableName, Item }));
  }
}
