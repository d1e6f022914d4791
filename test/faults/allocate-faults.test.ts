import { expect, test } from 'vitest';
import { allocate } from '../support/client.ts';
import { expectAllocated, faultyInstallation, SOON } from './faulty-installation.ts';
import {
  conflictOn,
  type FaultRule,
  gatewayError,
  isIndexQuery,
  isOn,
  isTransaction,
  resetAfter,
  resetBefore,
  serverError,
  silenceAfter,
  silenceBefore,
  throttled,
  throughputExceeded,
  transactionInProgress,
  unprocessed,
  type WireCall,
} from './wire-faults.ts';

const PASSING: Record<string, FaultRule['fault']> = {
  'is throttled': throttled,
  'is refused for its throughput': throughputExceeded,
  'meets another transaction on its claim': conflictOn((key) => key.startsWith('CLAIM#')),
  'meets another transaction on its sandbox': conflictOn((key) => key.startsWith('SBX#')),
  'is still under way under its token': transactionInProgress,
  'fails with a 500': serverError,
  'meets a gateway that is out of order': gatewayError,
  'is reset before the engine hears of it': resetBefore,
  'is reset after its commit': resetAfter,
  'is not answered, and never reached the engine': silenceBefore,
  'is not answered, and was committed': silenceAfter,
};

for (const [what, fault] of Object.entries(PASSING)) {
  test(`an allocation whose transaction ${what}, twice, gets one sandbox all the same`, async () => {
    const installation = await faultyInstallation(3);
    const { proxy, broker, claims } = installation;
    proxy.add({ on: isTransaction, fault, times: 2 });
    const answer = await allocate(broker.url, 'ann');
    expect(answer.status).toBe(201);
    expect(proxy.struck).toBe(2);
    await expectAllocated(installation, 1);
    expect((await claims())[0]).toMatchObject({ PK: 'CLAIM#ann ', sandbox_id: answer.body.sandbox_id });
  });
}

for (const [what, fault] of [
  ['a conflict', conflictOn()],
  ['throttling', throttled],
] as const) {
  test(`an allocation whose commit went unheard, and whose repetition met ${what}, knows its own claim: 201, not a replay`, async () => {
    const installation = await faultyInstallation(3);
    const { proxy, broker } = installation;
    proxy.add({ on: isTransaction, fault: resetAfter, times: 1 });
    proxy.add({ on: isTransaction, fault, times: 1 });
    const answer = await allocate(broker.url, 'ann');
    expect(answer.status).toBe(201);
    expect(proxy.struck).toBe(2);
    await expectAllocated(installation, 1);
    expect((await allocate(broker.url, 'ann')).status).toBe(200);
  });
}

for (const [what, fault] of [
  ['a 500', serverError],
  ['a lost answer', resetAfter],
  ['a time-out', silenceAfter],
  ['"in progress"', transactionInProgress],
] as const) {
  test(`after ${what} nobody knows what became of the transaction: it is repeated as the same one, under its token`, async () => {
    const installation = await faultyInstallation(3);
    const { proxy, broker } = installation;
    proxy.add({ on: isTransaction, fault, times: 2 });
    await allocate(broker.url, 'ann');
    const sent = proxy.calls.filter(isTransaction).map(({ input }) => JSON.stringify(input));
    expect(sent.length).toBeGreaterThanOrEqual(3);
    expect(new Set(sent).size).toBe(1);
  });
}

for (const [what, fault, code] of [
  ['throttled', throttled, 'SERVICE_UNAVAILABLE'],
  ['refused because of others on the same rows', conflictOn(), 'ALLOCATION_CONTENTION'],
  ['answered with a 500', serverError, 'SERVICE_UNAVAILABLE'],
  ['not answered', silenceBefore, 'SERVICE_UNAVAILABLE'],
] as const) {
  test(`an allocation that is ${what} to its deadline is a 503 ${code} that says when to come again, and took nothing`, async () => {
    const installation = await faultyInstallation(3, { impatience: SOON });
    const { proxy, broker } = installation;
    proxy.add({ on: isTransaction, fault });
    const answer = await allocate(broker.url, 'ann');
    expect(answer.status).toBe(503);
    expect(answer.body.error.code).toBe(code);
    expect(answer.body.error.retry_after).toBeGreaterThan(0);
    // The fault stays: a last try may be on its way still, and would be right to succeed.
    expect(await installation.rows('allocated')).toEqual([]);
    expect(await installation.claims()).toEqual([]);
  });
}

test('an allocation that was committed and could not be answered is recovered by its key, at any broker', async () => {
  const installation = await faultyInstallation(3, { impatience: SOON });
  const { proxy, broker, another, claims } = installation;
  const others = await another();
  proxy.add({ on: isTransaction, fault: silenceAfter });
  expect((await allocate(broker.url, 'ann')).status).toBe(503);
  const [claim] = await claims();
  const again = await allocate(others.url, 'ann');
  expect(again.status).toBe(200);
  expect(again.body.sandbox_id).toBe(claim?.sandbox_id);
  await expectAllocated(installation, 1);
});

test('a transaction that arrives long after its client went to another broker takes no second sandbox', async () => {
  const installation = await faultyInstallation(3, { impatience: SOON });
  const { proxy, broker, another } = installation;
  const others = await another();
  const late = Promise.withResolvers<void>();
  proxy.add({ on: isTransaction, fault: { is: 'late', until: late.promise } });
  expect((await allocate(broker.url, 'ann')).status).toBe(503);
  const elsewhere = await allocate(others.url, 'ann');
  expect(elsewhere.status).toBe(201);
  const held = proxy.calls.filter(isTransaction).length;
  late.resolve();
  await expect.poll(() => proxy.answered.filter(isTransaction).length).toBe(held);
  await expectAllocated(installation, 1);
  expect((await allocate(broker.url, 'ann')).body.sandbox_id).toBe(elsewhere.body.sandbox_id);
});

test('a conflict on one of thirty allocations at once leaves thirty callers with thirty sandboxes, each in the table', async () => {
  const installation = await faultyInstallation(30);
  const { proxy, broker, claims } = installation;
  proxy.add({ on: isTransaction, fault: conflictOn((key) => key === 'CLAIM#student-7 '), times: 3 });
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, index) => allocate(broker.url, `student-${index}`)),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(201));
  expect(proxy.struck).toBe(3);
  const held = new Map((await claims()).map((claim) => [claim.PK, claim.sandbox_id]));
  for (const [index, answer] of answers.entries())
    expect(held.get(`CLAIM#student-${index} `)).toBe(answer.body.sandbox_id);
  await expectAllocated(installation, 30);
});

test('every third answer lost among fifty callers who retry leaves each with one sandbox', async () => {
  const installation = await faultyInstallation(60, { impatience: SOON });
  const { proxy, broker } = installation;
  let number = 0;
  proxy.add({ on: (call) => isTransaction(call) && ++number % 3 === 0, fault: resetAfter });
  const untilAnswered = async (track: string): Promise<string> => {
    for (;;) {
      const answer = await allocate(broker.url, track);
      if (answer.status < 300) return answer.body.sandbox_id;
      expect(answer.status).toBe(503);
    }
  };
  const sandboxes = await Promise.all(
    Array.from({ length: 50 }, (_, index) => untilAnswered(`student-${index}`)),
  );
  expect(new Set(sandboxes).size).toBe(50);
  await expectAllocated(installation, 50);
});

test('a throttled index is no empty pool: the answer is a 503, never a 409', async () => {
  const installation = await faultyInstallation(3, { impatience: SOON });
  const { proxy, broker } = installation;
  const end = proxy.add({ on: isIndexQuery, fault: throttled });
  const answer = await allocate(broker.url, 'ann');
  expect(answer.status).toBe(503);
  expect(answer.body.error.code).toBe('SERVICE_UNAVAILABLE');
  end();
  expect((await allocate(broker.url, 'ann')).status).toBeLessThan(300);
  await expectAllocated(installation, 1);
});

test('a replay from an empty pool is answered though the claim comes back unread, and fails, at first', async () => {
  const installation = await faultyInstallation(1);
  const { proxy, broker, another } = installation;
  const { body } = await allocate(broker.url, 'ann');
  const others = await another('through the proxy');
  const isClaimRead = (call: WireCall) => isOn('CLAIM#')(call) && !isTransaction(call);
  proxy.add({ on: isClaimRead, fault: unprocessed, times: 2 });
  proxy.add({ on: isClaimRead, fault: serverError, times: 1 });
  const again = await allocate(others.url, 'ann');
  expect(again.status).toBe(200);
  expect(again.body.sandbox_id).toBe(body.sandbox_id);
  expect(proxy.struck).toBe(3);
  await expectAllocated(installation, 1);
});

test('while the engine refuses every connection health is answered, an allocation is a 503 in time, and all is well after it', async () => {
  const installation = await faultyInstallation(3, { impatience: SOON });
  const { proxy, broker } = installation;
  const end = proxy.add({ on: () => true, fault: resetBefore });
  const [answer, health] = await Promise.all([allocate(broker.url, 'ann'), fetch(`${broker.url}/healthz`)]);
  expect(health.status).toBe(200);
  expect(answer.status).toBe(503);
  end();
  expect((await allocate(broker.url, 'ann')).status).toBeLessThan(300);
  await expectAllocated(installation, 1);
});
