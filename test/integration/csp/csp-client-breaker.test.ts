import { expect, test } from 'vitest';
import type { FaultInput } from '../../../src/local/csp-simulator/faults.ts';
import { failureOf, type SimulatedCsp, startSimulatedCsp } from '../../support/simulated-csp.ts';

const first = ({ simulator }: SimulatedCsp) => simulator.accounts.all()[0]!.id;

test('five failures of lists and deletes together open the breaker for both, and nothing more is sent', async () => {
  const csp = await startSimulatedCsp();
  csp.simulator.faults.set([{ kind: 'error' }]);
  for (let failure = 0; failure < 2; failure += 1) {
    await failureOf(csp.client.listSandboxes());
    await failureOf(csp.client.deleteAccount(first(csp)));
  }
  expect(csp.client.breakerState()).toBe('closed');
  await failureOf(csp.client.listSandboxes());
  expect(csp.client.breakerState()).toBe('open');

  csp.simulator.faults.clear();
  csp.simulator.log.clear();
  expect(await failureOf(csp.client.deleteAccount(first(csp)))).toMatchObject({
    kind: 'breaker_open',
    call: 'delete',
    status: null,
    retryAfterSeconds: 60,
  });
  expect((await failureOf(csp.client.listSandboxes())).kind).toBe('breaker_open');
  expect(csp.simulator.log.all()).toHaveLength(0);
  expect(csp.observer.breaker).toEqual(['open']);
});

test('after its time one probe goes out of many calls, and its success closes the breaker', async () => {
  const csp = await startSimulatedCsp({ accounts: 10 }, { breakerThreshold: 1 });
  csp.simulator.faults.set([{ kind: 'error', times: 1 }]);
  await failureOf(csp.client.listSandboxes());
  await csp.clock.advance(60_000);
  expect(csp.client.breakerState()).toBe('half_open');

  csp.simulator.log.clear();
  const outcomes = await Promise.allSettled(
    csp.simulator.accounts.all().map(({ id }) => csp.client.deleteAccount(id)),
  );
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(csp.simulator.log.all()).toHaveLength(1);
  expect(csp.client.breakerState()).toBe('closed');
  expect(csp.observer.breaker).toEqual(['open', 'half_open', 'closed']);
});

test('a probe that fails keeps the breaker open for its whole time again', async () => {
  const csp = await startSimulatedCsp({}, { breakerThreshold: 1 });
  csp.simulator.faults.set([{ kind: 'html' }]);
  await failureOf(csp.client.listSandboxes());
  await csp.clock.advance(60_000);
  expect((await failureOf(csp.client.listSandboxes())).kind).toBe('status');
  await csp.clock.advance(59_999);
  expect((await failureOf(csp.client.listSandboxes())).kind).toBe('breaker_open');
});

test.each<[FaultInput]>([
  [{ kind: 'error' }],
  [{ kind: 'html', status: 200 }],
  [{ kind: 'rate_limited' }],
  [{ kind: 'truncated_json' }],
  [{ kind: 'cut_connection' }],
  [{ kind: 'reset' }],
])('%j counts towards opening', async (fault) => {
  const csp = await startSimulatedCsp({}, { breakerThreshold: 2 });
  csp.simulator.faults.set([fault]);
  await failureOf(csp.client.listSandboxes());
  await failureOf(csp.client.listSandboxes());
  expect(csp.client.breakerState()).toBe('open');
});

test('time-outs count towards opening', async () => {
  const csp = await startSimulatedCsp({}, { breakerThreshold: 1 });
  csp.simulator.faults.set([{ kind: 'hang' }]);
  const failure = failureOf(csp.client.listSandboxes());
  await csp.simulator.log.untilAsked(({ call }) => call === 'list');
  await csp.clock.advance(15_000);
  await failure;
  expect(csp.client.breakerState()).toBe('open');
});

test.each<[FaultInput]>([
  [{ kind: 'unauthorized' }],
  [{ kind: 'unauthorized', status: 403 }],
  [{ kind: 'error', status: 400 }],
])('%j does not count: the provider is well', async (fault) => {
  const csp = await startSimulatedCsp({}, { breakerThreshold: 1 });
  csp.simulator.faults.set([fault]);
  await failureOf(csp.client.listSandboxes());
  await failureOf(csp.client.deleteAccount(first(csp)));
  expect(csp.client.breakerState()).toBe('closed');
});

test('accounts that are gone already do not count', async () => {
  const csp = await startSimulatedCsp({}, { breakerThreshold: 1 });
  expect(await csp.client.deleteAccount('identity/accounts/gone')).toBe('already_gone');
  expect(csp.client.breakerState()).toBe('closed');
});

test('a call that could not be sent does not close a breaker that is half open', async () => {
  let token = 'simulated-csp-token';
  const csp = await startSimulatedCsp({}, { breakerThreshold: 1, token: () => token });
  csp.simulator.faults.set([{ kind: 'error', times: 1 }]);
  await failureOf(csp.client.listSandboxes());
  await csp.clock.advance(60_000);
  token = 'two\nlines';
  expect((await failureOf(csp.client.listSandboxes())).kind).toBe('request');
  expect(csp.client.breakerState()).toBe('half_open');
});

test.each([429, 503])(
  'a Retry-After of a %i keeps every call away for as long as it says',
  async (status) => {
    const csp = await startSimulatedCsp();
    csp.simulator.faults.set([
      status === 429
        ? { kind: 'rate_limited', retry_after: 120, times: 1 }
        : { kind: 'html', status, retry_after: 120, times: 1 },
    ]);
    await failureOf(csp.client.deleteAccount(first(csp)));
    expect(await failureOf(csp.client.listSandboxes())).toMatchObject({
      kind: 'breaker_open',
      retryAfterSeconds: 120,
    });
    await csp.clock.advance(119_999);
    expect((await failureOf(csp.client.listSandboxes())).kind).toBe('breaker_open');
    await csp.clock.advance(1);
    expect((await csp.client.listSandboxes()).accounts).toHaveLength(3);
  },
);

test('a 429 without Retry-After is one failure among others', async () => {
  const csp = await startSimulatedCsp();
  csp.simulator.faults.set([{ kind: 'rate_limited', times: 1 }]);
  await failureOf(csp.client.listSandboxes());
  expect((await csp.client.listSandboxes()).accounts).toHaveLength(3);
});

test('replaying the day on which deletes in bursts failed for 16 minutes ends with every account deleted', async () => {
  const csp = await startSimulatedCsp({ accounts: 56 });
  const { simulator, client, clock } = csp;
  simulator.faults.set([{ kind: 'error', call: 'delete' }]);
  const pending = new Set(simulator.accounts.all().map(({ id }) => id));
  let refused = 0;
  let minutes = 0;
  for (; pending.size > 0 && minutes < 60; minutes += 1) {
    if (minutes === 16) simulator.faults.clear();
    for (const id of pending) {
      try {
        await client.deleteAccount(id);
        pending.delete(id);
      } catch {
        refused += 1;
        if (client.breakerState() === 'open') break;
      }
    }
    await clock.advance(60_000);
  }
  expect(simulator.accounts.size).toBe(0);
  expect(minutes).toBe(17);
  // Five to open it and one probe a minute, where the previous broker sent all 56.
  expect(refused).toBe(5 + 15);
});
