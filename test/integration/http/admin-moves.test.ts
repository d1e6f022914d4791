import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../../support/broker.ts';
import { violations } from '../../support/invariants.ts';
import { makeTable, type TestTable } from '../../support/table.ts';
import { type Api, apiOf, refusal, wrongFields } from './support/api.ts';
import { itemOf, putSandbox } from './support/rows.ts';

let table: TestTable;
let broker: TestBroker;
let api: Api;

beforeAll(async () => {
  table = await makeTable();
  broker = await startBroker(table.environment);
  api = await apiOf(broker.url);
});

afterAll(async () => {
  expect(violations(await table.items())).toEqual([]);
  await broker.close();
  await table.drop();
});

const STATUSES = ['available', 'allocated', 'pending_deletion', 'stale', 'deletion_failed', 'quarantined'];
const MOVES = ['retry-deletion', 'quarantine', 'restore', 'release'];

/** Every legal move by an operator; all others are refused. */
const LEGAL: Record<string, string> = {
  'deletion_failed retry-deletion': 'pending_deletion',
  'available quarantine': 'quarantined',
  'stale quarantine': 'quarantined',
  'quarantined restore': 'available',
  'allocated release': 'pending_deletion',
};

let number = 0;

/** A sandbox in a state that it came to by the legal way, so far as there is one over HTTP. */
async function sandboxIn(status: string): Promise<string> {
  number += 1;
  const id = `sandbox-${number}`;
  if (status !== 'allocated') return putSandbox(table, id, { status, name: `${id}-` });
  await putSandbox(table, id, { name: `${id}-` });
  const { body } = await api.allocate(`holder-of-${id}`, { 'x-sandbox-name-prefix': `${id}-` });
  expect(body.sandbox_id).toBe(id);
  return id;
}

const CASES = STATUSES.flatMap((from) => MOVES.map((move) => ({ from, move, to: LEGAL[`${from} ${move}`] })));

describe('POST /v1/admin/sandboxes/{id}/', () => {
  test.each(CASES.filter(({ to }) => to !== undefined))(
    '$move takes a row that is $from to $to, and leaves a trace of who, when and why',
    async ({ from, move, to }) => {
      const id = await sandboxIn(from);
      const headers = { 'x-request-id': `request-${id}` };
      const answer = await api.admin(
        'POST',
        `/sandboxes/${id}/${move}`,
        { reason: ' tenant is broken ' },
        headers,
      );
      expect([answer.status, answer.body.status]).toEqual([200, to]);
      expect((await api.admin('GET', `/sandboxes/${id}`)).body).toEqual(answer.body);
      const { body } = await api.admin('GET', `/sandboxes/${id}/events`);
      // What is allocated has that in its trail, too.
      expect(body.count).toBe(from === 'allocated' ? 2 : 1);
      expect(body.events[0]).toMatchObject({
        move: move.replace('-', '_'),
        from,
        to,
        actor: 'admin',
        reason: 'tenant is broken',
        request_id: `request-${id}`,
        allocated_to_track: from === 'allocated' ? `holder-of-${id}` : null,
      });
      expect(Math.abs(body.events[0].at - Date.now() / 1000)).toBeLessThan(60);
    },
  );

  test.each(CASES.filter(({ to }) => to === undefined))(
    '$move is refused with 409 ILLEGAL_MOVE for a row that is $from, which stays as it was',
    async ({ from, move }) => {
      const id = await sandboxIn(from);
      const before = await itemOf(table, `SBX#${id}`);
      const answer = await api.admin('POST', `/sandboxes/${id}/${move}`, { reason: 'why not' });
      expect(refusal(answer)).toBe('409 ILLEGAL_MOVE');
      expect(answer.body.error.message).toContain(from);
      expect(await itemOf(table, `SBX#${id}`)).toEqual(before);
      const { body } = await api.admin('GET', `/sandboxes/${id}/events`);
      expect(body.count).toBe(from === 'allocated' ? 1 : 0);
    },
  );

  test.each(MOVES)('%s answers 404 SANDBOX_NOT_FOUND for an unknown id', async (move) => {
    expect(refusal(await api.admin('POST', `/sandboxes/unknown/${move}`))).toBe('404 SANDBOX_NOT_FOUND');
  });

  test.each(MOVES)('%s answers 400 VALIDATION_ERROR for an id of 257 characters', async (move) => {
    const answer = await api.admin('POST', `/sandboxes/${'a'.repeat(257)}/${move}`);
    expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
    expect(wrongFields(answer)).toEqual(['sandbox_id']);
  });

  test('takes a move without a body, whose trace then has no reason', async () => {
    const id = await sandboxIn('available');
    expect((await api.admin('POST', `/sandboxes/${id}/quarantine`)).status).toBe(200);
    expect((await api.admin('POST', `/sandboxes/${id}/restore`, {})).status).toBe(200);
    const { body } = await api.admin('GET', `/sandboxes/${id}/events`);
    expect(body.events.map((event: { reason: unknown }) => event.reason)).toEqual([null, null]);
  });

  test('release ends the claim: the owner gets another sandbox and may still read and release the old one', async () => {
    const id = await sandboxIn('allocated');
    const next = await putSandbox(table, `${id}-next`, { name: `${id}-next` });
    await api.admin('POST', `/sandboxes/${id}/release`, { reason: 'lab ended' });
    const owner = `holder-of-${id}`;
    const { status, body } = await api.allocate(owner, { 'x-sandbox-name-prefix': `${id}-` });
    expect([status, body.sandbox_id]).toEqual([201, next]);
    expect((await api.read(owner, id)).body.status).toBe('pending_deletion');
    expect((await api.release(owner, id)).status).toBe(200);
  });

  test('retry-deletion begins the attempts anew, at once', async () => {
    const id = await putSandbox(table, 'given-up', {
      status: 'deletion_failed',
      deletion_retry_count: 3,
      next_attempt_at: 4_000_000_000,
      deletion_error: 'HTTP 500',
    });
    const { body } = await api.admin('POST', `/sandboxes/${id}/retry-deletion`);
    expect(body).toMatchObject({ deletion_retry_count: 0, next_attempt_at: 0, deletion_error: null });
  });

  test('quarantine keeps its reason on the row, takes it out of the pool, and restore brings it back', async () => {
    const id = await putSandbox(table, 'doubtful', { name: 'doubtful-1' });
    const prefix = { 'x-sandbox-name-prefix': 'doubtful-' };
    const { body } = await api.admin('POST', `/sandboxes/${id}/quarantine`, { reason: 'no login' });
    expect(body).toMatchObject({ status_reason: 'no login' });
    expect(refusal(await api.allocate('keen', prefix))).toBe('409 NO_SANDBOXES_AVAILABLE');
    const restored = await api.admin('POST', `/sandboxes/${id}/restore`);
    expect(restored.body).toMatchObject({ status: 'available', status_reason: null });
    await expect.poll(async () => (await api.allocate('keen', prefix)).status, { interval: 50 }).toBe(201);
  });

  test('of two operators who do the same at once one moves the row and the other hears 409 ILLEGAL_MOVE', async () => {
    const id = await sandboxIn('stale');
    const answers = await Promise.all([1, 2].map(() => api.admin('POST', `/sandboxes/${id}/quarantine`)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect((await api.admin('GET', `/sandboxes/${id}/events`)).body.count).toBe(1);
  });
});

describe('GET /v1/admin/sandboxes/{id}/events', () => {
  test('gives the latest first, as many as limit allows, and counts them', async () => {
    const id = await sandboxIn('available');
    for (const move of ['quarantine', 'restore', 'quarantine']) {
      const answer = await api.admin('POST', `/sandboxes/${id}/${move}`, { reason: move });
      expect(answer.status).toBe(200);
    }
    const { body } = await api.admin('GET', `/sandboxes/${id}/events?limit=2`);
    expect([body.count, body.events.map((event: { move: string }) => event.move)]).toEqual([
      2,
      ['quarantine', 'restore'],
    ]);
    expect((await api.admin('GET', `/sandboxes/${id}/events`)).body.count).toBe(3);
  });

  test('has the release by the owner, with who held it since when', async () => {
    const id = await sandboxIn('allocated');
    const owner = `holder-of-${id}`;
    const { body: held } = await api.read(owner, id);
    await api.release(owner, id, { 'x-request-id': 'my-release' });
    const { body } = await api.admin('GET', `/sandboxes/${id}/events`);
    expect(body.events).toEqual([
      expect.objectContaining({
        move: 'release',
        actor: 'track',
        request_id: 'my-release',
        reason: null,
        allocated_to_track: owner,
        allocated_at: held.allocated_at,
      }),
      expect.objectContaining({ move: 'allocate', actor: 'track', at: held.allocated_at }),
    ]);
  });

  test('has the allocation by the previous broker, which did not write down who asked for it', async () => {
    const held = { status: 'allocated', allocated_to_track: 'old', allocated_at: 1_774_000_000.5 };
    const id = await putSandbox(table, 'held-of-old', held);
    const { body } = await api.admin('GET', `/sandboxes/${id}/events`);
    expect(body.events).toMatchObject([
      { move: 'allocate', actor: 'unknown', at: 1_774_000_000, allocated_to_track: 'old' },
    ]);
    // It has no claim, which would be a violation once all is adopted.
    expect((await api.admin('POST', `/sandboxes/${id}/release`)).status).toBe(200);
  });

  test('is empty for a sandbox of which nothing is known', async () => {
    expect((await api.admin('GET', '/sandboxes/unknown/events')).body).toEqual({ events: [], count: 0 });
  });

  test.each(['0', '101', 'x', '', '0x10', '1e1'])(
    'answers 400 VALIDATION_ERROR to limit=%s',
    async (limit) => {
      const answer = await api.admin('GET', `/sandboxes/some/events?limit=${limit}`);
      expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
      expect(wrongFields(answer)).toEqual(['limit']);
    },
  );
});
