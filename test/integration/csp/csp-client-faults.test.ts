import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { blamesProvider } from '../../../src/csp/csp-error.ts';
import { systemClock } from '../../../src/domain/clock.ts';
import type { FaultInput } from '../../../src/local/csp-simulator/faults.ts';
import { startAnsweringServer } from '../../support/answering-server.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { failureOf, openClient, startSimulatedCsp } from '../../support/simulated-csp.ts';

const CASES: [FaultInput, object][] = [
  [
    { kind: 'error' },
    { kind: 'status', status: 500, excerpt: expect.stringContaining('unable to get licenses for account') },
  ],
  [
    { kind: 'error', status: 502, body: 'empty' },
    { kind: 'status', status: 502, excerpt: null },
  ],
  [{ kind: 'html' }, { kind: 'status', status: 503, excerpt: '503 Service Temporarily Unavailable' }],
  [
    { kind: 'html', status: 200 },
    { kind: 'content', status: 200, excerpt: '503 Service Temporarily Unavailable' },
  ],
  [{ kind: 'unauthorized' }, { kind: 'unauthorized', status: 401, excerpt: 'Authentication failed' }],
  [
    { kind: 'unauthorized', status: 403 },
    { kind: 'unauthorized', status: 403 },
  ],
  [{ kind: 'rate_limited' }, { kind: 'rate_limited', status: 429, retryAfterSeconds: null }],
  [
    { kind: 'rate_limited', retry_after: 30 },
    { kind: 'rate_limited', status: 429, retryAfterSeconds: 30 },
  ],
  [
    // The clock stands at midnight.
    { kind: 'rate_limited', retry_after: 'Thu, 27 Mar 2025 00:01:30 GMT' },
    { kind: 'rate_limited', retryAfterSeconds: 90 },
  ],
  [
    { kind: 'html', retry_after: 120 },
    { kind: 'status', status: 503, retryAfterSeconds: 120 },
  ],
  [{ kind: 'reset' }, { kind: 'network', status: null }],
];

test.each(CASES)('%j makes an error of a listing and of a delete that says %j', async (fault, expected) => {
  for (const call of ['list', 'delete'] as const) {
    const { simulator, client } = await startSimulatedCsp();
    simulator.faults.set([fault]);
    const attempt =
      call === 'list' ? client.listSandboxes() : client.deleteAccount(simulator.accounts.all()[0]!.id);
    expect(await failureOf(attempt)).toMatchObject({ ...expected, call });
    expect(simulator.accounts.size).toBe(3);
  }
});

test.each([
  [{ kind: 'truncated_json' }, 'content'],
  [{ kind: 'cut_connection' }, 'network'],
] as const)('%j makes an error of kind %j of a listing, never a short one', async (fault, kind) => {
  const { simulator, client } = await startSimulatedCsp({ accounts: 500 });
  simulator.faults.set([fault]);
  expect(await failureOf(client.listSandboxes())).toMatchObject({ kind, call: 'list' });
});

test('an error names the call, the status and both ids of the request', async () => {
  const { simulator, client } = await startSimulatedCsp();
  simulator.faults.set([{ kind: 'unauthorized' }]);
  const failure = await failureOf(client.listSandboxes({ requestId: 'run-7' }));
  expect(failure.message).toBe(
    "CSP list answered 401 (request run-7, the provider's simulator-1): Authentication failed",
  );
  expect(failure).toMatchObject({ requestId: 'run-7', providerRequestId: 'simulator-1' });
});

test('a call without a request id is given one, which is sent', async () => {
  const { simulator, client } = await startSimulatedCsp({}, { newRequestId: () => 'made-here' });
  await client.listSandboxes();
  expect(simulator.log.all()[0]?.request_id).toBe('made-here');
});

test('a call that hangs ends at its time and not a millisecond earlier', async () => {
  const { simulator, client, clock } = await startSimulatedCsp();
  simulator.faults.set([{ kind: 'hang' }]);
  let over = false;
  const failure = failureOf(client.listSandboxes()).finally(() => (over = true));
  await simulator.log.untilAsked(({ fault, call }) => call === 'list' && fault !== undefined);
  await clock.advance(14_999);
  expect(over).toBe(false);
  await clock.advance(1);
  expect(await failure).toMatchObject({ kind: 'timeout', status: null, call: 'list' });
});

test('an answer that begins and does not end in time is a time-out, too', async () => {
  const clock = new ManualClock();
  const begun = Promise.withResolvers<void>();
  const origin = await startAnsweringServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write('{"results":[', () => begun.resolve());
  });
  const failure = failureOf(openClient({ baseUrl: origin, clock }).listSandboxes());
  await begun.promise;
  await clock.advance(15_000);
  expect((await failure).kind).toBe('timeout');
});

test('a slow delete that ends within its time is a success', async () => {
  const { simulator, client, clock } = await startSimulatedCsp({
    settings: { delete_min_ms: 5_000, delete_max_ms: 10_000 },
  });
  const deletion = client.deleteAccount(simulator.accounts.all()[0]!.id);
  await clock.untilWaiting(2);
  await clock.advance(10_000);
  expect(await deletion).toBe('deleted');
});

test('on the clock of the process a call that hangs ends by itself', async () => {
  const { simulator, client } = await startSimulatedCsp({}, { clock: systemClock, callTimeoutMs: 60 });
  simulator.faults.set([{ kind: 'hang' }]);
  expect((await failureOf(client.listSandboxes())).kind).toBe('timeout');
});

test('a refused connection is a network error that says so', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const client = openClient({ baseUrl: `http://127.0.0.1:${port}`, clock: new ManualClock() });
  const failure = await failureOf(client.listSandboxes());
  expect(failure.kind).toBe('network');
  expect(failure.message).toContain('ECONNREFUSED');
});

test('a host that never shakes hands is a time-out of connecting, in the time set for that', {
  // The client has a time-out of its own, of 10 s.
  timeout: 9_000,
}, async () => {
  // TLS: the listener accepts and stays silent, so the handshake never ends.
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const client = openClient({
    baseUrl: `https://127.0.0.1:${port}`,
    clock: new ManualClock(),
    connectTimeoutMs: 60,
  });
  const failure = await failureOf(client.listSandboxes());
  expect(failure.kind).toBe('timeout');
  expect(failure.message).toContain('could not connect in time');
});

test('an aborted signal ends a call with its own reason, and counts for no outage', async () => {
  const { simulator, client, observer } = await startSimulatedCsp({}, { breakerThreshold: 1 });
  simulator.faults.set([{ kind: 'hang' }]);
  const abort = new AbortController();
  const listing = client.listSandboxes({ signal: abort.signal });
  await simulator.log.untilAsked(({ call }) => call === 'list');
  abort.abort(new Error('stopping'));
  await expect(listing).rejects.toThrow('stopping');
  await expect(client.listSandboxes({ signal: abort.signal })).rejects.toThrow('stopping');
  expect(client.breakerState()).toBe('closed');
  expect(observer.calls.map(({ outcome }) => outcome)).toEqual(['aborted']);
});

test('no timer is left behind by a call that is over', async () => {
  const { client, clock } = await startSimulatedCsp();
  await client.listSandboxes();
  expect(clock.waiting).toBe(0);
});

test('every call is told to the observer with its outcome, status and duration', async () => {
  const { simulator, client, clock, observer } = await startSimulatedCsp({
    settings: { delete_min_ms: 7_000 },
  });
  await client.listSandboxes();
  const deletion = client.deleteAccount(simulator.accounts.all()[0]!.id);
  await clock.untilWaiting(2);
  await clock.advance(7_000);
  await deletion;
  simulator.faults.set([{ kind: 'error' }]);
  await failureOf(client.listSandboxes());
  expect(observer.calls).toEqual([
    { call: 'list', outcome: 'success', seconds: 0, status: 200 },
    { call: 'delete', outcome: 'success', seconds: 7, status: 204 },
    { call: 'list', outcome: 'status', seconds: 0, status: 500 },
  ]);
});

test('only what an outage looks like is blamed on the provider', async () => {
  const blamed: [FaultInput, boolean][] = [
    [{ kind: 'error' }, true],
    [{ kind: 'html' }, true],
    [{ kind: 'html', status: 200 }, true],
    [{ kind: 'rate_limited' }, true],
    [{ kind: 'reset' }, true],
    [{ kind: 'error', status: 302 }, true],
    [{ kind: 'error', status: 408 }, true],
    [{ kind: 'error', status: 400 }, false],
    [{ kind: 'error', status: 404 }, false],
    [{ kind: 'unauthorized' }, false],
    [{ kind: 'unauthorized', status: 403 }, false],
  ];
  const { simulator, client } = await startSimulatedCsp({}, { breakerThreshold: 1000 });
  for (const [fault, expected] of blamed) {
    simulator.faults.set([fault]);
    expect([fault, blamesProvider(await failureOf(client.listSandboxes()))]).toEqual([fault, expected]);
  }
});
