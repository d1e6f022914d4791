import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/local/csp-simulator/seeded-random.ts';
import type { CspSimulator } from '../../../src/local/csp-simulator.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { startSimulator } from '../../support/simulated-csp.ts';

interface Row {
  id: string;
  csp_id: number;
  name: string;
}

function call(simulator: CspSimulator, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(simulator.url + path, {
    ...init,
    headers: { authorization: `Token ${simulator.token}`, ...(init.headers as Record<string, string>) },
  });
}

async function listed(simulator: CspSimulator, query = ''): Promise<Row[]> {
  const response = await call(simulator, `/v2/current_user/accounts${query}`);
  return ((await response.json()) as { results: Row[] }).results;
}

function remove(simulator: CspSimulator, id: string): Promise<Response> {
  return call(simulator, `/v2/sandbox/accounts/${id.split('/').at(-1)}`, { method: 'DELETE' });
}

test('a listing has the shape of the real one', async () => {
  const simulator = await startSimulator({ accounts: 1, clock: new ManualClock() });
  const response = await call(simulator, '/v2/current_user/accounts');
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(await response.json()).toEqual({
    results: [
      {
        id: expect.stringMatching(/^identity\/accounts\/[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/),
        csp_id: 2009001,
        name: 'lab-adventure-0001',
        account_type: 'sandbox',
        state: 'active',
        created_at: '2025-03-27T00:00:00.000Z',
        sfdc_account_id: '001SAND00000001',
      },
    ],
  });
});

test('a request without the token, or with another, is refused and changes nothing', async () => {
  const simulator = await startSimulator({ accounts: 1 });
  const [account] = simulator.accounts.all();
  for (const authorization of ['', 'Token wrong', `Bearer ${simulator.token}`]) {
    const headers = { authorization };
    expect((await call(simulator, '/v2/current_user/accounts', { headers })).status).toBe(401);
    const path = `/v2/sandbox/accounts/${account!.id.split('/').at(-1)}`;
    expect((await call(simulator, path, { headers, method: 'DELETE' })).status).toBe(401);
  }
  expect(simulator.accounts.size).toBe(1);
});

test('an account that is created is listed, one that is deleted is not, and deleting it again is a 404', async () => {
  const simulator = await startSimulator({});
  const created = await call(simulator, '/v2/sandbox/accounts', { method: 'POST', body: '{"name":"lab-1"}' });
  expect(created.status).toBe(201);
  const [account] = await listed(simulator);
  expect(account?.name).toBe('lab-1');
  expect((await remove(simulator, account!.id)).status).toBe(204);
  expect(await listed(simulator)).toEqual([]);
  expect((await remove(simulator, account!.id)).status).toBe(404);
});

test('accounts of an earlier run are taken up, and new ones repeat none of their numbers', async () => {
  const earlier = await startSimulator({ accounts: 3 });
  const simulator = await startSimulator({ accounts: earlier.accounts.all(), random: seededRandom(2) });
  const [added] = simulator.accounts.create({ count: 1 });
  expect(simulator.accounts.all().slice(0, 3)).toEqual(earlier.accounts.all());
  expect(added!.csp_id).toBe(2009004);
});

test('a deleted account lingers in as many listings as are set, and is gone from the next', async () => {
  const simulator = await startSimulator({ accounts: 2, settings: { linger_listings: 2 } });
  await remove(simulator, simulator.accounts.all()[0]!.id);
  const counts = [];
  for (let listing = 0; listing < 4; listing += 1) counts.push((await listed(simulator)).length);
  expect(counts).toEqual([2, 2, 1, 1]);
});

test('the pages of one listing agree on which deleted accounts linger', async () => {
  const simulator = await startSimulator({ accounts: 3, settings: { linger_listings: 1, page_size: 2 } });
  await remove(simulator, simulator.accounts.all()[0]!.id);
  const first = await listed(simulator);
  const second = await listed(simulator, '?_offset=2');
  expect([first.length, second.length]).toEqual([2, 1]);
  expect(await listed(simulator, '?_limit=2')).toHaveLength(2);
  expect(await listed(simulator, '?_offset=2')).toHaveLength(0);
});

test('a deleted account lingers for as long as is set, on the clock of the simulator', async () => {
  const clock = new ManualClock();
  const simulator = await startSimulator({ accounts: 1, clock, settings: { linger_seconds: 60 } });
  await remove(simulator, simulator.accounts.all()[0]!.id);
  await clock.advance(59_999);
  expect(await listed(simulator)).toHaveLength(1);
  await clock.advance(1);
  expect(await listed(simulator)).toHaveLength(0);
});

test('a delete takes the time that is set, between its two bounds', async () => {
  const clock = new ManualClock();
  const settings = { delete_min_ms: 5_000, delete_max_ms: 10_000 };
  const simulator = await startSimulator({ accounts: 20, clock, settings });
  const deletes = simulator.accounts.all().map(({ id }) => remove(simulator, id));
  await clock.untilWaiting(20);
  await clock.advance(4_999);
  expect(simulator.accounts.size).toBe(20);
  await clock.advance(2_500);
  expect(simulator.accounts.size).toBeGreaterThan(0);
  expect(simulator.accounts.size).toBeLessThan(20);
  await clock.advance(2_501);
  expect(simulator.accounts.size).toBe(0);
  await Promise.all(deletes);
  expect(Math.max(...simulator.log.of('delete').map((entry) => entry.in_flight))).toBe(20);
});

test('a burst of deletes beyond the limit fails, and the same deletes succeed when they are spaced', async () => {
  const clock = new ManualClock();
  const simulator = await startSimulator({ accounts: 10, clock });
  simulator.faults.set([{ kind: 'delete_burst', limit: 4, window_seconds: 60 }]);
  const statuses = [];
  for (const { id } of simulator.accounts.all()) statuses.push((await remove(simulator, id)).status);
  expect(statuses).toEqual([204, 204, 204, 204, 500, 500, 500, 500, 500, 500]);
  for (const { id } of simulator.accounts.all()) {
    await clock.advance(30_000);
    if (simulator.log.all().length === 10) await clock.advance(30_000);
    expect((await remove(simulator, id)).status).toBe(204);
  }
});

test('a fault strikes as many times as it says, and is gone', async () => {
  const simulator = await startSimulator({});
  simulator.faults.set([{ kind: 'error', times: 2 }]);
  const statuses = [];
  for (let time = 0; time < 3; time += 1)
    statuses.push((await call(simulator, '/v2/current_user/accounts')).status);
  expect(statuses).toEqual([500, 500, 200]);
  expect(simulator.faults.list()).toEqual([]);
});

test('a fault for one call and one account strikes no other', async () => {
  const simulator = await startSimulator({ accounts: 2 });
  const [first, second] = simulator.accounts.all();
  simulator.faults.set([{ kind: 'error', call: 'delete', account: second!.name }]);
  expect((await call(simulator, '/v2/current_user/accounts')).status).toBe(200);
  expect((await remove(simulator, first!.id)).status).toBe(204);
  expect((await remove(simulator, second!.id)).status).toBe(500);
});

test('a fault of some probability strikes about so often, and the same seed the same calls', async () => {
  const run = async () => {
    const simulator = await startSimulator({ random: seededRandom(7) });
    simulator.faults.set([{ kind: 'error', probability: 0.3 }]);
    const statuses = [];
    for (let time = 0; time < 60; time += 1)
      statuses.push((await call(simulator, '/v2/current_user/accounts')).status);
    return statuses;
  };
  const statuses = await run();
  expect(statuses.filter((status) => status === 500).length).toBeGreaterThan(8);
  expect(statuses.filter((status) => status === 500).length).toBeLessThan(30);
  expect(await run()).toEqual(statuses);
});

test('latency delays a call that another fault then strikes', async () => {
  const clock = new ManualClock();
  const simulator = await startSimulator({ clock });
  simulator.faults.set([{ kind: 'latency', milliseconds: 5_000 }, { kind: 'html' }]);
  const response = call(simulator, '/v2/current_user/accounts');
  await clock.untilWaiting(1);
  await clock.advance(5_000);
  expect((await response).status).toBe(503);
});

test('a fault before the effect leaves the account, one after it does not', async () => {
  const simulator = await startSimulator({ accounts: 2 });
  const [first, second] = simulator.accounts.all();
  simulator.faults.set([{ kind: 'error', account: first!.id }]);
  await remove(simulator, first!.id);
  simulator.faults.set([{ kind: 'error', account: second!.id, after_effect: true }]);
  await remove(simulator, second!.id);
  expect(simulator.accounts.all()).toEqual([first]);
});

test('the help page shows commands for this very simulator', async () => {
  const simulator = await startSimulator({});
  const response = await fetch(`${simulator.url}/_simulator`);
  expect(response.headers.get('content-type')).toContain('text/plain');
  expect(await response.text()).toContain(`curl -X PUT ${simulator.url}/_simulator/faults`);
});

test('every command of the help page with a body is accepted as it stands', async () => {
  const simulator = await startSimulator({ accounts: 1 });
  const help = await (await fetch(`${simulator.url}/_simulator`)).text();
  const commands = [...help.matchAll(/curl (-X PUT )?(\S+\/_simulator\/\S+) -d '([^']+)'/g)];
  expect(commands.length).toBeGreaterThan(12);
  for (const [command, put, url, body] of commands) {
    // The type that curl gives a body by default.
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const response = await fetch(url!, { method: put ? 'PUT' : 'POST', body: body!, headers });
    expect([command, response.ok]).toEqual([command, true]);
  }
});

test.each([
  ['/faults', 'PUT', '{"faults":[{"kind":"error"},{"kind":"error","status":99}]}', 'faults.1.status'],
  ['/faults', 'PUT', '{"faults":[{"kind":"hang","stauts":1}]}', 'faults.0.stauts'],
  ['/faults', 'PUT', '{"faults":[{"kind":"wrong"}]}', 'faults.0.kind'],
  ['/faults', 'PUT', '{}', 'faults'],
  ['/faults', 'POST', '{"kind":"short_list"}', 'keep'],
  ['/faults', 'POST', '{"kind":"error","probability":2}', 'probability'],
  ['/faults', 'POST', '{"kind":"error","call":"destroy"}', 'call'],
  ['/faults', 'POST', '[', 'JSON'],
  ['/settings', 'PUT', '{"page_size":0}', 'page_size'],
  ['/settings', 'PUT', '{"page_sise":1}', 'page_sise'],
  ['/settings', 'PUT', '{"delete_min_ms":10,"delete_max_ms":5}', 'delete_max_ms'],
  ['/accounts', 'POST', '{"count":"many"}', 'count'],
])('%s refuses %s %s and names what is wrong', async (path, method, body, field) => {
  const simulator = await startSimulator({});
  const before = [simulator.faults.list(), simulator.settings, simulator.accounts.all()];
  const response = await fetch(`${simulator.url}/_simulator${path}`, { method, body });
  expect(response.status).toBe(400);
  expect(((await response.json()) as { error: { message: string } }).error.message).toContain(field);
  expect([simulator.faults.list(), simulator.settings, simulator.accounts.all()]).toEqual(before);
});

test('a person sets, sees and takes away faults over HTTP', async () => {
  const simulator = await startSimulator({});
  const control = async (method: string, body?: string) => {
    const response = await fetch(`${simulator.url}/_simulator/faults`, { method, ...(body ? { body } : {}) });
    return ((await response.json()) as { faults: object[] }).faults;
  };
  await control('PUT', '{"faults":[{"kind":"html","call":"list"}]}');
  await control('POST', '{"kind":"hang","call":"delete"}');
  expect((await call(simulator, '/v2/current_user/accounts')).status).toBe(503);
  expect(await control('GET')).toMatchObject([
    { kind: 'html', struck: 1 },
    { kind: 'hang', struck: 0 },
  ]);
  expect(await control('DELETE')).toEqual([]);
  expect((await call(simulator, '/v2/current_user/accounts')).status).toBe(200);
});

test('settings that are not named keep their values', async () => {
  const simulator = await startSimulator({ settings: { linger_listings: 2 } });
  await fetch(`${simulator.url}/_simulator/settings`, { method: 'PUT', body: '{"page_size":7}' });
  expect(simulator.settings).toMatchObject({ linger_listings: 2, page_size: 7 });
});

test('accounts are made in bulk, and an outsider takes one away at once', async () => {
  const simulator = await startSimulator({ settings: { linger_listings: 5 } });
  const made = await fetch(`${simulator.url}/_simulator/accounts`, {
    method: 'POST',
    body: '{"count":56,"name_prefix":"lab-","services":["Instruqt-SaaS"]}',
  });
  const { accounts } = (await made.json()) as { accounts: Row[] };
  expect([made.status, accounts.length, simulator.accounts.services(accounts[0]!.id).length]).toEqual([
    201, 56, 1,
  ]);
  const control = `${simulator.url}/_simulator/accounts`;
  expect((await fetch(`${control}/${accounts[7]!.name}`, { method: 'DELETE' })).status).toBe(200);
  expect(await listed(simulator)).toHaveLength(55);
  expect((await fetch(`${control}/${accounts[7]!.name}`, { method: 'DELETE' })).status).toBe(404);
  await fetch(control, { method: 'DELETE' });
  expect(await listed(simulator)).toEqual([]);
});

test('the log tells what was asked, in order, with what struck it', async () => {
  const simulator = await startSimulator({ accounts: 1 });
  const [account] = simulator.accounts.all();
  simulator.faults.set([{ kind: 'rate_limited', call: 'list', times: 1 }]);
  await call(simulator, '/v2/current_user/accounts', { headers: { 'x-request-id': 'run-7' } });
  await remove(simulator, account!.id);
  const log = (await (await fetch(`${simulator.url}/_simulator/log`)).json()) as {
    count: number;
    entries: object[];
  };
  expect(log).toMatchObject({
    count: 2,
    entries: [
      { call: 'list', fault: 'rate_limited', status: 429, request_id: 'run-7', account: null },
      { call: 'delete', fault: null, status: 204, request_id: null, account: account!.id },
    ],
  });
  const deletes = await fetch(`${simulator.url}/_simulator/log?call=delete`);
  expect(((await deletes.json()) as { count: number }).count).toBe(1);
  await fetch(`${simulator.url}/_simulator/log`, { method: 'DELETE' });
  expect(simulator.log.all()).toEqual([]);
});

test('closing ends requests that hang or are delayed', async () => {
  const clock = new ManualClock();
  const simulator = await startSimulator({ clock });
  simulator.faults.set([
    { kind: 'hang', times: 1 },
    { kind: 'latency', milliseconds: 60_000 },
  ]);
  const hanging = call(simulator, '/v2/current_user/accounts');
  await simulator.log.untilAsked(() => true);
  const delayed = call(simulator, '/v2/current_user/accounts');
  const ended = Promise.allSettled([hanging, delayed]);
  await clock.untilWaiting(1);
  await simulator.close();
  expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});
