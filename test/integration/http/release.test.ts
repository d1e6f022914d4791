import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../../support/broker.ts';
import { makeTable, type TestTable } from '../../support/table.ts';
import { type Api, apiOf, refusal } from './support/api.ts';
import { itemOf, putSandbox } from './support/rows.ts';

let table: TestTable;
let broker: TestBroker;
let api: Api;

beforeAll(async () => {
  table = await makeTable();
  broker = await startBroker(table.environment);
  api = await apiOf(broker.url);
  await table.seed(20);
});

afterAll(async () => {
  await broker.close();
  await table.drop();
});

describe('POST /v1/sandboxes/{sandbox_id}/mark-for-deletion answers 200', () => {
  test('with pending_deletion and when it was asked for, and the row says the same', async () => {
    const { body: held } = await api.allocate('owner');
    const { status, body } = await api.release('owner', held.sandbox_id);
    expect(status).toBe(200);
    expect(body).toMatchObject({ sandbox_id: held.sandbox_id, status: 'pending_deletion' });
    expect(await itemOf(table, `SBX#${held.sandbox_id}`)).toMatchObject({
      status: 'pending_deletion',
      deletion_requested_at: body.deletion_requested_at,
    });
  });

  test('with the same answer when it is repeated, though time has passed', async () => {
    const { body: held } = await api.allocate('repeater');
    await putSandbox(table, 'long-ago', {
      status: 'pending_deletion',
      allocated_to_track: 'repeater',
      allocated_at: 1_774_000_000,
      deletion_requested_at: 1_774_000_100,
    });
    const first = await api.release('repeater', held.sandbox_id);
    const second = await api.release('repeater', held.sandbox_id);
    expect([second.status, second.body]).toEqual([200, first.body]);
    const old = await api.release('repeater', 'long-ago');
    expect([old.status, old.body.deletion_requested_at]).toEqual([200, 1_774_000_100]);
  });

  test('past the lab duration too, while the row is allocated', async () => {
    const { body: held } = await api.allocate('overtime');
    await putSandbox(table, held.sandbox_id, {
      ...(await itemOf(table, `SBX#${held.sandbox_id}`)),
      allocated_at: held.allocated_at - 100 * 3600,
    });
    expect((await api.release('overtime', held.sandbox_id)).status).toBe(200);
  });

  test('and the next allocation of the same caller is a new sandbox', async () => {
    const { body: first } = await api.allocate('returning');
    await api.release('returning', first.sandbox_id);
    const second = await api.allocate('returning');
    expect([second.status, second.body.sandbox_id === first.sandbox_id]).toEqual([201, false]);
  });

  test('to an empty body that comes with a content type, as production clients send it', async () => {
    const { body: held } = await api.allocate('curl-user');
    const answer = await api.release('curl-user', held.sandbox_id, { 'content-type': 'application/json' });
    expect(answer.status).toBe(200);
  });

  test('for an id with an encoded slash and other characters that paths give a meaning', async () => {
    const id = 'tenant/42#a?b%2F';
    await putSandbox(table, id, { name: 'odd-id' });
    const { body: held } = await api.allocate('odd-owner', { 'x-sandbox-name-prefix': 'odd-id' });
    expect(held.sandbox_id).toBe(id);
    expect((await api.read('odd-owner', id)).status).toBe(200);
    expect((await api.release('odd-owner', id)).body).toMatchObject({ sandbox_id: id });
  });
});

describe('POST /v1/sandboxes/{sandbox_id}/mark-for-deletion answers', () => {
  test('403 NOT_SANDBOX_OWNER to another caller, does not say whose it is, and changes nothing', async () => {
    const { body: held } = await api.allocate('secret-owner-id');
    const answer = await api.release('stranger', held.sandbox_id);
    expect(refusal(answer)).toBe('403 NOT_SANDBOX_OWNER');
    expect(JSON.stringify(answer.body) + JSON.stringify([...answer.headers])).not.toContain(
      'secret-owner-id',
    );
    expect(await itemOf(table, `SBX#${held.sandbox_id}`)).toMatchObject({ status: 'allocated' });
  });

  test('403 NOT_SANDBOX_OWNER for a sandbox that nobody holds', async () => {
    const id = await putSandbox(table, 'nobodys', { name: 'zz-nobodys', status: 'quarantined' });
    expect(refusal(await api.release('stranger', id))).toBe('403 NOT_SANDBOX_OWNER');
  });

  test('404 SANDBOX_NOT_FOUND for an unknown id', async () => {
    expect(refusal(await api.release('anyone', 'no-such-sandbox'))).toBe('404 SANDBOX_NOT_FOUND');
  });
});

describe('GET /v1/sandboxes/{sandbox_id} answers', () => {
  test('200 to the owner with what it was allocated, its lab and its status', async () => {
    const { body: held } = await api.allocate('reader', { 'x-instruqt-track-id': 'security-101' });
    const { status, body } = await api.read('reader', held.sandbox_id);
    expect(status).toBe(200);
    expect(body).toEqual({
      ...held,
      status: 'allocated',
      allocated_to_track: 'reader',
      track_name: 'security-101',
    });
  });

  test('200 without track_name and sfdc_account_id where the row has none', async () => {
    const { body: held } = await api.allocate('plain-reader');
    const { body } = await api.read('plain-reader', held.sandbox_id);
    expect(Object.keys(body)).not.toEqual(expect.arrayContaining(['track_name']));
    expect(Object.keys(body)).not.toEqual(expect.arrayContaining(['sfdc_account_id']));
  });

  test('200 to the owner after the release, with pending_deletion', async () => {
    const { body: held } = await api.allocate('leaving-reader');
    await api.release('leaving-reader', held.sandbox_id);
    const { status, body } = await api.read('leaving-reader', held.sandbox_id);
    expect([status, body.status]).toEqual([200, 'pending_deletion']);
  });

  test('403 NOT_SANDBOX_OWNER to another caller, and does not say whose it is', async () => {
    const { body: held } = await api.allocate('secret-reader-id');
    const answer = await api.read('stranger', held.sandbox_id);
    expect(refusal(answer)).toBe('403 NOT_SANDBOX_OWNER');
    expect(JSON.stringify(answer.body) + JSON.stringify([...answer.headers])).not.toContain(
      'secret-reader-id',
    );
  });

  test('404 SANDBOX_NOT_FOUND for an unknown id', async () => {
    expect(refusal(await api.read('anyone', 'no-such-sandbox'))).toBe('404 SANDBOX_NOT_FOUND');
  });
});
