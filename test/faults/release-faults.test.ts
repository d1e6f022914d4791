import { expect, test } from 'vitest';
import { allocate, release } from '../support/client.ts';
import type { Environment } from '../support/table.ts';
import { expectAllocated, type FaultyInstallation, faultyInstallation, SOON } from './faulty-installation.ts';
import {
  conflictOn,
  type FaultRule,
  isRelease,
  isTransaction,
  resetAfter,
  resetBefore,
  serverError,
  silenceAfter,
  silenceBefore,
  throttled,
  transactionInProgress,
} from './wire-faults.ts';

async function withAllocation(
  impatience: Environment = {},
): Promise<{ installation: FaultyInstallation; sandboxId: string }> {
  const installation = await faultyInstallation(3, { impatience });
  const { body } = await allocate(installation.broker.url, 'ann');
  return { installation, sandboxId: body.sandbox_id };
}

const PASSING: Record<string, FaultRule['fault']> = {
  'is throttled': throttled,
  'meets another transaction': conflictOn(),
  'is still under way under its token': transactionInProgress,
  'fails with a 500': serverError,
  'is reset before the engine hears of it': resetBefore,
  'is reset after its commit': resetAfter,
  'is not answered, and never reached the engine': silenceBefore,
  'is not answered, and was committed': silenceAfter,
};

for (const [what, fault] of Object.entries(PASSING)) {
  test(`a release whose transaction ${what}, twice, ends the allocation once, and repeats its answer`, async () => {
    const { installation, sandboxId } = await withAllocation();
    const { proxy, broker, row, table } = installation;
    proxy.add({ on: isRelease, fault, times: 2 });
    const answer = await release(broker.url, 'ann', sandboxId);
    expect(answer.status).toBe(200);
    expect((await release(broker.url, 'ann', sandboxId)).body).toEqual(answer.body);
    expect(await row(sandboxId)).toMatchObject({ status: 'pending_deletion' });
    const events = (await table.items()).filter(({ SK }) => String(SK).startsWith('EVT#'));
    expect(events).toHaveLength(1);
    await expectAllocated(installation, 0);
  });
}

for (const [what, fault] of [
  ['a 500', serverError],
  ['a lost answer', resetAfter],
  ['"in progress"', transactionInProgress],
] as const) {
  test(`after ${what} a release is repeated as the same transaction, under its token`, async () => {
    const { installation, sandboxId } = await withAllocation();
    const { proxy, broker } = installation;
    proxy.add({ on: isRelease, fault, times: 2 });
    expect((await release(broker.url, 'ann', sandboxId)).status).toBe(200);
    const sent = proxy.calls.filter(isRelease).map(({ input }) => JSON.stringify(input));
    expect(sent.length).toBeGreaterThanOrEqual(3);
    expect(new Set(sent).size).toBe(1);
  });
}

test('a release whose commit went unheard, and that is then said to be still under way, is answered once it is known', async () => {
  const { installation, sandboxId } = await withAllocation();
  const { proxy, broker, table } = installation;
  proxy.add({ on: isRelease, fault: resetAfter, times: 1 });
  proxy.add({ on: isRelease, fault: transactionInProgress, times: 1 });
  expect((await release(broker.url, 'ann', sandboxId)).status).toBe(200);
  expect(proxy.struck).toBe(2);
  const events = (await table.items()).filter(({ SK }) => String(SK).startsWith('EVT#'));
  expect(events).toHaveLength(1);
  await expectAllocated(installation, 0);
});

for (const [what, fault, isLeftAllocated] of [
  ['throttled', throttled, true],
  ['not answered, without reaching the engine,', silenceBefore, true],
  ['committed, and not answered,', silenceAfter, false],
] as const) {
  test(`a release that is ${what} to its deadline is a 503, and its repetition succeeds`, async () => {
    const { installation, sandboxId } = await withAllocation(SOON);
    const { proxy, broker } = installation;
    proxy.add({ on: isRelease, fault });
    const answer = await release(broker.url, 'ann', sandboxId);
    expect(answer.status).toBe(503);
    expect(answer.body.error.retry_after).toBeGreaterThan(0);
    await expectAllocated(installation, isLeftAllocated ? 1 : 0);
    expect((await release(broker.url, 'ann', sandboxId)).status).toBe(200);
    await expectAllocated(installation, 0);
  });
}

test('a release that arrives when its caller has long got another sandbox leaves that one and its claim alone', async () => {
  const { installation, sandboxId } = await withAllocation(SOON);
  const { proxy, broker, another, claims } = installation;
  const others = await another();
  const late = Promise.withResolvers<void>();
  proxy.add({ on: isRelease, fault: { is: 'late', until: late.promise } });
  expect((await release(broker.url, 'ann', sandboxId)).status).toBe(503);
  expect((await release(others.url, 'ann', sandboxId)).status).toBe(200);
  const next = await allocate(others.url, 'ann');
  expect(next.status).toBe(201);
  const held = proxy.calls.filter(isRelease).length;
  late.resolve();
  await expect.poll(() => proxy.answered.filter(isRelease).length).toBe(held);
  expect(await claims()).toMatchObject([{ sandbox_id: next.body.sandbox_id }]);
  await expectAllocated(installation, 1);
});

test('a row that cannot be read just now is a 503, not a 404', async () => {
  const { installation, sandboxId } = await withAllocation(SOON);
  const { proxy, broker } = installation;
  proxy.add({ on: (call) => !isTransaction(call), fault: serverError });
  expect((await release(broker.url, 'ann', sandboxId)).status).toBe(503);
  // The table is read through the same proxy; nothing of the release is under way.
  proxy.clear();
  await expectAllocated(installation, 1);
});
