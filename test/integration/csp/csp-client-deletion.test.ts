import { expect, test } from 'vitest';
import { startAnsweringServer } from '../../support/answering-server.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { failureOf, openClient, startSimulatedCsp } from '../../support/simulated-csp.ts';

test('an account is deleted by the last segment of its external id', async () => {
  const { simulator, client } = await startSimulatedCsp();
  const [first, ...others] = simulator.accounts.all();
  expect(await client.deleteAccount(first!.id)).toBe('deleted');
  expect(simulator.accounts.all()).toEqual(others);
  expect(simulator.log.all()[0]).toMatchObject({ method: 'DELETE', account: first!.id });
});

test('an account that is gone already is a success of its own kind', async () => {
  const { simulator, client } = await startSimulatedCsp();
  const [account] = simulator.accounts.all();
  await client.deleteAccount(account!.id);
  expect(await client.deleteAccount(account!.id)).toBe('already_gone');
});

test('a delete whose answer was lost is found done at the next try', async () => {
  const { simulator, client } = await startSimulatedCsp();
  const [account] = simulator.accounts.all();
  simulator.faults.set([{ kind: 'reset', call: 'delete', times: 1, after_effect: true }]);
  expect((await failureOf(client.deleteAccount(account!.id))).kind).toBe('network');
  expect(await client.deleteAccount(account!.id)).toBe('already_gone');
});

test.each(['', 'identity/accounts/', 'identity/accounts/.', 'identity/accounts/..'])(
  'an external id %j that ends in no name is refused without a request',
  async (externalId) => {
    const { simulator, client } = await startSimulatedCsp();
    expect(await failureOf(client.deleteAccount(externalId))).toMatchObject({
      kind: 'request',
      call: 'delete',
    });
    expect(simulator.log.all()).toHaveLength(0);
  },
);

test('characters that mean something in a path are encoded', async () => {
  const { simulator, client } = await startSimulatedCsp();
  expect(await client.deleteAccount('identity/accounts/a b?c#d%2e')).toBe('already_gone');
  expect(simulator.log.all()[0]?.path).toBe('/v2/sandbox/accounts/a%20b%3Fc%23d%252e');
});

async function clientOf(status: number, headers: Record<string, string>, body: string) {
  const origin = await startAnsweringServer((_request, response) =>
    response.writeHead(status, headers).end(body),
  );
  return openClient({ baseUrl: origin, clock: new ManualClock() });
}

test.each([
  [200, {}, ''],
  [200, { 'content-type': 'application/json' }, '{}'],
  [200, { 'content-type': 'text/plain' }, 'OK'],
  [204, {}, ''],
] as const)('status %i with headers %j and body %j is a deletion', async (status, headers, body) => {
  expect(await (await clientOf(status, headers, body)).deleteAccount('a/b')).toBe('deleted');
});

test.each(
  [200, 404].flatMap((status) =>
    ['text/html; charset=utf-8', 'application/json', ''].map((type) => [status, type] as const),
  ),
)('a page for people with status %i and type %j has deleted nothing', async (status, type) => {
  const page = '\n<!doctype html><title>Maintenance</title>';
  const client = await clientOf(status, { 'content-type': type }, page);
  const failure = await failureOf(client.deleteAccount('a/b'));
  expect(failure).toMatchObject({ kind: 'content', status, excerpt: 'Maintenance' });
});

test.each([
  [{ 'content-type': 'application/json' }, '{"error":[{"message":"Account not found"}]}'],
  [{ 'content-type': 'text/plain' }, 'Not found'],
  [{}, ''],
] as const)('status 404 with headers %j and body %j means that it is gone', async (headers, body) => {
  expect(await (await clientOf(404, headers, body)).deleteAccount('a/b')).toBe('already_gone');
});

test.each([202, 301, 400, 409, 410, 500, 502, 503, 504])('status %i is an error', async (status) => {
  const client = await clientOf(status, { location: '/elsewhere' }, '');
  expect(await failureOf(client.deleteAccount('a/b'))).toMatchObject({
    kind: 'status',
    status,
    call: 'delete',
  });
});
