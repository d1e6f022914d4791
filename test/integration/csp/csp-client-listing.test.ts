import { expect, test } from 'vitest';
import { PAGING_STYLES } from '../../../src/local/csp-simulator/settings.ts';
import { answerJson, startAnsweringServer } from '../../support/answering-server.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { failureOf, openClient, startSimulatedCsp } from '../../support/simulated-csp.ts';

test('every active sandbox of the tenant is listed, and nothing else', async () => {
  const { simulator, client } = await startSimulatedCsp({ accounts: 2 });
  simulator.accounts.create({ count: 1, name: 'a-customer', accountType: 'standard' });
  simulator.accounts.create({ count: 1, name: 'a-closed-one', state: 'disabled' });
  const { accounts, skipped } = await client.listSandboxes();
  expect(skipped).toBe(0);
  expect(accounts).toEqual(
    simulator.accounts
      .all()
      .slice(0, 2)
      .map((account) => ({
        sandboxId: String(account.csp_id),
        externalId: account.id,
        name: account.name,
        createdAt: Date.UTC(2025, 2, 27) / 1000,
        sfdcAccountId: account.sfdc_account_id,
      })),
  );
});

test('the first request is the documented one, with the token and the request id and without parameters', async () => {
  const seen: unknown[] = [];
  const origin = await startAnsweringServer((request, response) => {
    const { authorization, accept, 'x-request-id': requestId } = request.headers;
    seen.push([request.method, request.url, authorization, accept, requestId]);
    answerJson(response, { results: [] });
  });
  const client = openClient({ baseUrl: `${origin}/v2/`, clock: new ManualClock(), token: () => 'abc' });
  await client.listSandboxes({ requestId: 'run-7' });
  expect(seen).toEqual([['GET', '/v2/current_user/accounts', 'Token abc', 'application/json', 'run-7']]);
});

test('a token that is rotated is used at the next call', async () => {
  let token = 'wrong';
  const { simulator, client } = await startSimulatedCsp({}, { token: () => token });
  expect((await failureOf(client.listSandboxes())).kind).toBe('unauthorized');
  token = simulator.token;
  expect((await client.listSandboxes()).accounts).toHaveLength(3);
});

test('an empty listing that is well-formed is a listing: the brake judges it', async () => {
  const { simulator, client } = await startSimulatedCsp();
  simulator.faults.set([{ kind: 'empty_list' }]);
  expect(await client.listSandboxes()).toEqual({ accounts: [], skipped: 0 });
});

test.each(PAGING_STYLES)(
  'all of 250 accounts come from an API that pages in the way of %j',
  async (paging) => {
    const { simulator, client } = await startSimulatedCsp({
      accounts: 250,
      settings: { page_size: 100, paging },
    });
    const { accounts } = await client.listSandboxes();
    expect(new Set(accounts.map(({ externalId }) => externalId)).size).toBe(250);
    const requestIds = new Set(simulator.log.all().map((entry) => entry.request_id));
    expect([simulator.log.all().length, requestIds.size]).toEqual([3, 1]);
  },
);

test.each(['link', 'page', 'token', 'total'] as const)(
  'pages of a size that nobody expects are followed in the way of %j',
  async (paging) => {
    const { client } = await startSimulatedCsp({ accounts: 23, settings: { page_size: 7, paging } });
    expect((await client.listSandboxes()).accounts).toHaveLength(23);
  },
);

test.each([99, 101, 250])('an API that does not page is asked once for %i accounts', async (count) => {
  const { simulator, client } = await startSimulatedCsp({ accounts: count });
  expect((await client.listSandboxes()).accounts).toHaveLength(count);
  expect(simulator.log.all()).toHaveLength(1);
});

test.each([100, 300])(
  '%i accounts in one piece might be a page, so one more request makes sure, and doubles none',
  async (count) => {
    const { simulator, client } = await startSimulatedCsp({ accounts: count });
    expect((await client.listSandboxes()).accounts).toHaveLength(count);
    expect(simulator.log.all().map(({ path }) => path)).toEqual([
      '/v2/current_user/accounts',
      `/v2/current_user/accounts?_limit=100&_offset=${count}`,
    ]);
  },
);

test.each([
  'error',
  'html',
  'reset',
  'truncated_json',
  'cut_connection',
  'unauthorized',
  'rate_limited',
] as const)('a listing whose second page ends in %j is an error, not its first page', async (kind) => {
  const { simulator, client } = await startSimulatedCsp({
    accounts: 20,
    settings: { page_size: 10, paging: 'link' },
  });
  const first = client.listSandboxes();
  simulator.log.untilAsked(({ call }) => call === 'list').then(() => simulator.faults.set([{ kind }]));
  // The fault is set while the first page is being answered, so it strikes the second.
  await failureOf(first);
  expect(simulator.log.all().map(({ fault }) => fault)).toEqual([null, kind]);
});

/** Answers the same to every request, or one answer after the other and the last for ever. */
async function listingOf(...bodies: unknown[]) {
  const paths: string[] = [];
  const origin = await startAnsweringServer((request, response) => {
    paths.push(request.url ?? '');
    answerJson(response, bodies[Math.min(paths.length, bodies.length) - 1]);
  });
  const client = openClient({ baseUrl: `${origin}/v2`, clock: new ManualClock() });
  return { client, paths, origin };
}

const row = (number: number) => ({
  id: `identity/accounts/${number}`,
  csp_id: number,
  name: `lab-${number}`,
  account_type: 'sandbox',
  state: 'active',
});

test.each([
  { results: {} },
  { results: null },
  { results: 'none' },
  { result: [] },
  { error: [{ message: 'licence' }] },
  [],
  [row(1)],
  'text',
  null,
  7,
])('%j with status 200 is an error, not an empty listing', async (body) => {
  const { client } = await listingOf(body);
  expect((await failureOf(client.listSandboxes())).kind).toBe('content');
});

test.each([204, 206, 202, 302, 404])(
  'status %i is an error, though its body may look like a listing',
  async (status) => {
    const origin = await startAnsweringServer((_request, response) =>
      answerJson(response, { results: [row(1)] }, status),
    );
    const client = openClient({ baseUrl: origin, clock: new ManualClock() });
    expect(await failureOf(client.listSandboxes())).toMatchObject({ kind: 'status', status, call: 'list' });
  },
);

test('malformed rows are counted beside those that are well', async () => {
  const { client } = await listingOf({ results: [row(1), { ...row(2), name: null }, row(3)] });
  const { accounts, skipped } = await client.listSandboxes();
  expect([accounts.length, skipped]).toEqual([2, 1]);
});

test('rows of another shape altogether are an error', async () => {
  const { client } = await listingOf({ results: [{ uuid: 1 }, { uuid: 2 }] });
  expect((await failureOf(client.listSandboxes())).kind).toBe('content');
});

test('a next page on another host is refused, and is not sent the token', async () => {
  let asked = 0;
  const elsewhere = await startAnsweringServer((_request, response) => {
    asked += 1;
    answerJson(response, { results: [] });
  });
  const { client } = await listingOf({
    results: [row(1)],
    next: `${elsewhere}/v2/current_user/accounts?_offset=1`,
  });
  const failure = await failureOf(client.listSandboxes());
  expect(failure).toMatchObject({ kind: 'content', message: expect.stringContaining('at another address') });
  expect(asked).toBe(0);
});

test('a next page that leads back to itself is an error, not a listing without end', async () => {
  const { client, paths } = await listingOf({
    results: [row(1)],
    next: '/v2/current_user/accounts?_offset=0',
  });
  expect((await failureOf(client.listSandboxes())).kind).toBe('content');
  expect(paths).toHaveLength(2);
});

test('pages that never end are given up', async () => {
  let number = 0;
  const origin = await startAnsweringServer((_request, response) => {
    number += 1;
    answerJson(response, { results: [row(number)], page: { page_token: `token-${number}` } });
  });
  const client = openClient({ baseUrl: origin, clock: new ManualClock() });
  const failure = await failureOf(client.listSandboxes());
  expect([failure.kind, number]).toEqual(['content', 1000]);
});

test('a listing that names more rows than come is an error', async () => {
  const { client } = await listingOf({ results: [row(1), row(2)], total_count: 3 });
  expect((await failureOf(client.listSandboxes())).kind).toBe('content');
});

test('rows that two pages share are listed once', async () => {
  const { client } = await listingOf(
    { results: [row(1), row(2)], next: '?_offset=2' },
    { results: [row(2), row(3)] },
  );
  expect((await client.listSandboxes()).accounts.map(({ sandboxId }) => sandboxId)).toEqual(['1', '2', '3']);
});

test('an API that repeats the offset of its own page is not followed for ever', async () => {
  const { client, paths } = await listingOf({ results: [row(1)], page: { offset: 0 } });
  expect((await client.listSandboxes()).accounts).toHaveLength(1);
  expect(paths).toHaveLength(1);
});

test('a last page that names its own offset is the last', async () => {
  const rows = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => row(from + index));
  const { client, paths } = await listingOf(
    { results: rows(0, 100), page: { offset: 0 } },
    { results: rows(100, 20), page: { offset: 100 } },
  );
  expect((await client.listSandboxes()).accounts).toHaveLength(120);
  expect(paths).toHaveLength(2);
});

test.each([
  { next: 7 },
  { next: { url: '/v2/page-2' } },
  { links: { next: 7 } },
  { page: { page_token: 7 } },
  { page: { offset: 'far' } },
  { total_count: 'many' },
])('%j may say that there is more, and is an error where it cannot be read', async (extra) => {
  const { client } = await listingOf({ results: [row(1)], ...extra });
  expect((await failureOf(client.listSandboxes())).kind).toBe('content');
});

test.each([
  { next: null, links: { next: null }, page: { offset: null, page_token: null }, total_count: 1 },
  { next: '', page: { page_token: '' } },
  { page: 1, links: [], _links: 'none' },
])('%j says that there is no more', async (extra) => {
  const { client, paths } = await listingOf({ results: [row(1)], ...extra });
  expect((await client.listSandboxes()).accounts).toHaveLength(1);
  expect(paths).toHaveLength(1);
});
