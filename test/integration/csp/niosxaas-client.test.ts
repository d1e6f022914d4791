import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import type { FaultInput } from '../../../src/local/csp-simulator/faults.ts';
import { answerJson, startAnsweringServer } from '../../support/answering-server.ts';
import { openNiosxaasClient, type SimulatedCsp, startSimulatedCsp } from '../../support/simulated-csp.ts';

/** A tenant with services of two names. */
async function startTenant(): Promise<SimulatedCsp & { tenant: string }> {
  const csp = await startSimulatedCsp({ accounts: 2 });
  const [account, neighbour] = csp.simulator.accounts.all();
  for (const name of ['Instruqt-SaaS', 'Instruqt-SaaS', 'of-the-student']) {
    csp.simulator.accounts.addService(account!.id, name);
  }
  csp.simulator.accounts.addService(neighbour!.id, 'Instruqt-SaaS');
  return { ...csp, tenant: account!.id };
}

const asked = ({ simulator }: SimulatedCsp) => simulator.log.all().map(({ call }) => call);

test('switched off, it asks nothing', async () => {
  const csp = await startTenant();
  const result = await openNiosxaasClient(csp, { enabled: false }).cleanUp(csp.tenant);
  expect(result).toEqual({ outcome: 'disabled', found: 0, deleted: 0, failed: 0, services: [] });
  expect(asked(csp)).toEqual([]);
});

test('without a name, every service of the tenant is deleted, and none of its neighbour', async () => {
  const csp = await startTenant();
  const result = await openNiosxaasClient(csp).cleanUp(csp.tenant, { requestId: 'run-7' });
  expect(result).toMatchObject({ outcome: 'cleaned', found: 3, deleted: 3, failed: 0 });
  expect(result.services.map(({ result }) => result)).toEqual(['deleted', 'deleted', 'deleted']);
  expect(csp.simulator.accounts.services(csp.tenant)).toEqual([]);
  expect(csp.simulator.accounts.services(csp.simulator.accounts.all()[1]!.id)).toHaveLength(1);
  expect(asked(csp)).toEqual([
    'niosxaas_sign_in',
    'niosxaas_switch',
    'niosxaas_list',
    'niosxaas_delete',
    'niosxaas_delete',
    'niosxaas_delete',
  ]);
  expect(new Set(csp.simulator.log.all().map((entry) => entry.request_id))).toEqual(new Set(['run-7']));
});

test('with a name, services of exactly that name are deleted', async () => {
  const csp = await startTenant();
  csp.simulator.accounts.addService(csp.tenant, 'Instruqt-SaaS-2');
  const result = await openNiosxaasClient(csp, { serviceName: 'Instruqt-SaaS' }).cleanUp(csp.tenant);
  expect(result).toMatchObject({ outcome: 'cleaned', found: 2, deleted: 2 });
  expect(csp.simulator.accounts.services(csp.tenant).map(({ name }) => name)).toEqual([
    'of-the-student',
    'Instruqt-SaaS-2',
  ]);
});

test('a tenant without such a service needs nothing', async () => {
  const csp = await startTenant();
  const result = await openNiosxaasClient(csp, { serviceName: 'another' }).cleanUp(csp.tenant);
  expect(result).toEqual({ outcome: 'nothing', found: 0, deleted: 0, failed: 0, services: [] });
});

test('shadow mode says what it would delete and deletes nothing', async () => {
  const csp = await startTenant();
  const before = csp.simulator.accounts.services(csp.tenant);
  const client = openNiosxaasClient(csp, { shadowMode: true, serviceName: 'Instruqt-SaaS' });
  expect(await client.cleanUp(csp.tenant)).toEqual({
    outcome: 'shadow',
    found: 2,
    deleted: 0,
    failed: 0,
    services: before.slice(0, 2).map((service) => ({ ...service, result: 'would_delete' })),
  });
  expect(csp.simulator.accounts.services(csp.tenant)).toEqual(before);
  expect(asked(csp)).not.toContain('niosxaas_delete');
});

test('one sign-in serves many sandboxes, each with a switch of its own', async () => {
  const csp = await startTenant();
  const client = openNiosxaasClient(csp);
  for (const { id } of csp.simulator.accounts.all()) await client.cleanUp(id);
  expect(csp.simulator.log.of('niosxaas_sign_in')).toHaveLength(1);
  expect(csp.simulator.log.of('niosxaas_switch')).toHaveLength(2);
});

test('it signs in again a minute before its token ends, and not before that', async () => {
  const csp = await startTenant();
  const client = openNiosxaasClient(csp);
  await client.cleanUp(csp.tenant);
  await csp.clock.advance(3_539_000);
  await client.cleanUp(csp.tenant);
  expect(csp.simulator.log.of('niosxaas_sign_in')).toHaveLength(1);
  await csp.clock.advance(1_000);
  await client.cleanUp(csp.tenant);
  expect(csp.simulator.log.of('niosxaas_sign_in')).toHaveLength(2);
});

test('a kept token that the provider rejects is replaced by a new one, once', async () => {
  const csp = await startTenant();
  const client = openNiosxaasClient(csp);
  await client.cleanUp(csp.tenant);
  csp.simulator.accounts.addService(csp.tenant, 'later');
  csp.simulator.faults.set([{ kind: 'unauthorized', call: 'niosxaas_switch', times: 1 }]);
  expect(await client.cleanUp(csp.tenant)).toMatchObject({ outcome: 'cleaned', deleted: 1 });
  expect(csp.simulator.log.of('niosxaas_sign_in')).toHaveLength(2);
});

test.each(['niosxaas_list', 'niosxaas_delete'] as const)(
  'a tenant token that is rejected at %s is renewed, and the call repeated',
  async (call) => {
    const csp = await startTenant();
    csp.simulator.faults.set([{ kind: 'unauthorized', call, times: 1 }]);
    expect(await openNiosxaasClient(csp).cleanUp(csp.tenant)).toMatchObject({
      outcome: 'cleaned',
      deleted: 3,
      failed: 0,
    });
    expect(csp.simulator.log.of('niosxaas_sign_in')).toHaveLength(2);
  },
);

test('tokens that are rejected however new they are end the clean-up', async () => {
  const csp = await startTenant();
  csp.simulator.faults.set([{ kind: 'unauthorized', call: 'niosxaas_list' }]);
  expect(await openNiosxaasClient(csp).cleanUp(csp.tenant)).toMatchObject({ outcome: 'failed' });
  expect(csp.simulator.log.of('niosxaas_list')).toHaveLength(2);
});

test('refused credentials are sent once in five minutes, so that the account is not locked', async () => {
  const csp = await startTenant();
  let password = 'wrong';
  const client = openNiosxaasClient(csp, { credentials: () => ({ ...csp.simulator.niosxaas, password }) });
  for (let sandbox = 0; sandbox < 20; sandbox += 1) {
    expect(await client.cleanUp(csp.tenant)).toMatchObject({ outcome: 'failed' });
  }
  expect(csp.simulator.log.of('niosxaas_sign_in')).toHaveLength(1);
  await csp.clock.advance(5 * 60_000);
  await client.cleanUp(csp.tenant);
  expect(csp.simulator.log.of('niosxaas_sign_in')).toHaveLength(2);
  password = csp.simulator.niosxaas.password;
  expect(await client.cleanUp(csp.tenant)).toMatchObject({ outcome: 'cleaned' });
});

test('missing credentials are a failure that says which', async () => {
  const csp = await startTenant();
  const client = openNiosxaasClient(csp, { credentials: () => ({ email: '', password: '' }) });
  expect((await client.cleanUp(csp.tenant)).error).toContain('NIOSXAAS_PASSWORD');
  expect(asked(csp)).toEqual([]);
});

const FAULTS: FaultInput[] = [
  { kind: 'error' },
  { kind: 'error', body: 'echo' },
  { kind: 'error', status: 404 },
  { kind: 'html' },
  { kind: 'html', status: 200 },
  { kind: 'rate_limited', retry_after: 30 },
  { kind: 'unauthorized', status: 403 },
  { kind: 'reset' },
  { kind: 'truncated_json' },
  { kind: 'cut_connection' },
];

test.each(
  (['niosxaas_sign_in', 'niosxaas_switch', 'niosxaas_list'] as const).flatMap((call) =>
    FAULTS.map((fault) => ({ ...fault, call })),
  ),
)('%j is a failure in the result, and never an exception', async (fault) => {
  const csp = await startTenant();
  csp.simulator.faults.set([fault]);
  const result = await openNiosxaasClient(csp).cleanUp(csp.tenant);
  expect(result).toMatchObject({
    outcome: 'failed',
    deleted: 0,
    error: expect.stringContaining(`CSP ${fault.call} `),
  });
  expect(csp.simulator.accounts.services(csp.tenant)).toHaveLength(3);
});

test('a service that cannot be deleted is counted, and the others are deleted', async () => {
  const csp = await startTenant();
  csp.simulator.faults.set([{ kind: 'error', call: 'niosxaas_delete', times: 1 }]);
  const result = await openNiosxaasClient(csp).cleanUp(csp.tenant);
  expect(result).toMatchObject({ outcome: 'failed', found: 3, deleted: 2, failed: 1 });
  expect(result.services[0]!.result).toBe('failed');
  expect(csp.simulator.accounts.services(csp.tenant)).toHaveLength(1);
});

test('a service that is gone before its turn is a success', async () => {
  const csp = await startTenant();
  csp.simulator.faults.set([
    { kind: 'error', status: 404, call: 'niosxaas_delete', times: 1, after_effect: true },
  ]);
  const result = await openNiosxaasClient(csp).cleanUp(csp.tenant);
  expect(result).toMatchObject({ outcome: 'cleaned', deleted: 3 });
  expect(result.services[0]!.result).toBe('already_gone');
});

test('a call that hangs ends at its time, as a failure in the result', async () => {
  const csp = await startTenant();
  csp.simulator.faults.set([{ kind: 'hang', call: 'niosxaas_list' }]);
  const result = openNiosxaasClient(csp).cleanUp(csp.tenant);
  await csp.simulator.log.untilAsked(({ call }) => call === 'niosxaas_list');
  await csp.clock.advance(30_000);
  expect((await result).error).toContain('30000 ms');
});

test('its breaker opens on its own failures and leaves that of the accounts closed', async () => {
  const csp = await startTenant();
  csp.simulator.faults.set([{ kind: 'error', call: 'niosxaas' }]);
  const client = openNiosxaasClient(csp, { breakerThreshold: 2 });
  for (let sandbox = 0; sandbox < 4; sandbox += 1) await client.cleanUp(csp.tenant);
  expect(client.breakerState()).toBe('open');
  expect(asked(csp)).toHaveLength(2);
  expect((await client.cleanUp(csp.tenant)).error).toContain('the provider is unwell');
  expect(csp.client.breakerState()).toBe('closed');
  expect(await csp.client.deleteAccount(csp.tenant)).toBe('deleted');

  csp.simulator.faults.clear();
  await csp.clock.advance(60_000);
  expect(client.breakerState()).toBe('half_open');
  await client.cleanUp(csp.simulator.accounts.all()[0]!.id);
  expect(client.breakerState()).toBe('closed');
});

test('an aborted signal is the one thing that it throws', async () => {
  const csp = await startTenant();
  csp.simulator.faults.set([{ kind: 'hang', call: 'niosxaas_switch' }]);
  const abort = new AbortController();
  const result = openNiosxaasClient(csp).cleanUp(csp.tenant, { signal: abort.signal });
  await csp.simulator.log.untilAsked(({ call }) => call === 'niosxaas_switch');
  abort.abort(new Error('stopping'));
  await expect(result).rejects.toThrow('stopping');
});

test('services that have no id make the clean-up a failure, not a success of the others alone', async () => {
  const csp = await startTenant();
  const origin = await startAnsweringServer((request, response) =>
    answerJson(
      response,
      request.method === 'GET' ? { results: [{ name: 'x' }, { id: 'a/..', name: 'y' }] } : { jwt: 'j' },
    ),
  );
  const result = await openNiosxaasClient(csp, { baseUrl: origin }).cleanUp(csp.tenant);
  expect(result).toMatchObject({ outcome: 'failed', found: 0, error: '2 services have no id or no name' });
});

test('no result holds the email, the password or a token, though the provider repeats all of them', async () => {
  const csp = await startTenant();
  const { email, password } = csp.simulator.niosxaas;
  const jwt = 'opaque-token-of-a-session';
  for (const failing of ['/sign_in', '/account_switch', '/universalservices', '/universalservices/7']) {
    const origin = await startAnsweringServer((request, response) => {
      if (request.url?.endsWith(failing)) {
        answerJson(response, { message: `${email} ${password} ${request.headers.authorization}` }, 500);
      } else if (request.method === 'GET') {
        answerJson(response, { results: [{ id: 'infra/universal_service/7', name: 'x' }] });
      } else {
        answerJson(response, { jwt });
      }
    });
    const result = await openNiosxaasClient(csp, { baseUrl: origin }).cleanUp(csp.tenant);
    expect(result.outcome).toBe('failed');
    const text = `${JSON.stringify(result)} ${inspect(result, { depth: 10 })}`;
    for (const secret of [email, password, jwt]) expect(text).not.toContain(secret);
  }
});

test('sign-ins are told to the observer, for the metric of that name', async () => {
  const csp = await startTenant();
  await openNiosxaasClient(csp).cleanUp(csp.tenant);
  expect(csp.observer.calls.filter(({ call }) => call === 'niosxaas_sign_in')).toEqual([
    { call: 'niosxaas_sign_in', outcome: 'success', seconds: 0, status: 200 },
  ]);
});
