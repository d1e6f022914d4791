import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../../support/broker.ts';
import { makeTable, type TestTable } from '../../support/table.ts';
import { type Api, apiOf, refusal, wrongFields } from './support/api.ts';
import { itemOf, putSandbox, type Row } from './support/rows.ts';

let table: TestTable;
let broker: TestBroker;
let api: Api;

const HELD = { status: 'allocated', allocated_to_track: 'holder', allocated_at: 1_774_000_000 };

beforeAll(async () => {
  table = await makeTable();
  broker = await startBroker(table.environment);
  api = await apiOf(broker.url);
  await table.seed(130);
  for (let index = 0; index < 7; index += 1) {
    await putSandbox(table, `held-${index}`, { ...HELD, track_name: 'security-101', name: `emea-${index}` });
    await putSandbox(table, `stale-${index}`, { status: 'stale', stale_since: 1_774_000_000 });
  }
  await putSandbox(table, 'released', { ...HELD, status: 'pending_deletion', name: 'apac-1' });
  await putSandbox(table, 'failed', { status: 'deletion_failed', deletion_error: 'HTTP 500' });
  await putSandbox(table, 'set-aside', { status: 'quarantined', status_reason: 'broken tenant' });
  // Claims, tombstones, events and records of strangers stand in the same table.
  await api.allocate('claimant');
  for (const [PK, SK] of [
    ['TOMB#gone', 'META'],
    ['SBX#held-1', 'EVT#000001774000000#1'],
    ['AUDIT#stranger', '2024-01-01'],
    ['SBX', 'META'],
  ]) {
    // Like a sandbox enough to be in the indexes.
    const Item = {
      PK,
      SK,
      sandbox_id: 'stranger',
      status: 'stale',
      allocated_to_track: 'holder',
      allocated_at: 1,
    };
    await table.database.documents.send(new PutCommand({ TableName: table.database.tableName, Item }));
  }
});

afterAll(async () => {
  await broker.close();
  await table.drop();
});

/** Follows the cursor to the end. @returns the pages */
async function walk(query: string): Promise<Row[][]> {
  const pages: Row[][] = [];
  let cursor: string | undefined;
  do {
    const from = cursor === undefined ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { status, body } = await api.admin('GET', `/sandboxes?${query}${from}`);
    expect(status).toBe(200);
    expect(body.count).toBe(body.sandboxes.length);
    pages.push(body.sandboxes);
    cursor = body.cursor;
  } while (cursor !== undefined);
  return pages;
}

const idsOf = (pages: Row[][]) => pages.flat().map((row) => String(row.sandbox_id));

describe('GET /v1/admin/sandboxes', () => {
  test.each([1, 7, 50, 100])('walks all rows once, in pages of at most %i', async (limit) => {
    const pages = await walk(`limit=${limit}`);
    expect(idsOf(pages).length).toBe(147);
    expect(new Set(idsOf(pages)).size).toBe(147);
    expect(Math.max(...pages.map((page) => page.length))).toBe(limit);
  });

  test('gives 50 rows a page where limit is not sent', async () => {
    const { body } = await api.admin('GET', '/sandboxes');
    expect(body.count).toBe(50);
  });

  test.each([
    ['available', 129],
    ['allocated', 8],
    ['pending_deletion', 1],
    ['stale', 7],
    ['deletion_failed', 1],
    ['quarantined', 1],
  ])('lists with status=%s those rows alone, all %i of them once', async (status, count) => {
    const pages = await walk(`status=${status}&limit=3`);
    expect(pages.flat().map((row) => row.status)).toEqual(Array(count).fill(status));
    expect(new Set(idsOf(pages)).size).toBe(count);
  });

  test.each([
    ['track=holder', ['held-0', 'held-1', 'held-2', 'held-3', 'held-4', 'held-5', 'held-6', 'released']],
    ['track=holder&status=pending_deletion', ['released']],
    ['track=nobody', []],
    ['lab=security-101&limit=2', ['held-0', 'held-1', 'held-2', 'held-3', 'held-4', 'held-5', 'held-6']],
    ['name_prefix=apac-', ['released']],
    ['status=allocated&name_prefix=emea-6', ['held-6']],
    ['status=stale&lab=security-101', []],
  ])('lists with %s exactly what fits', async (query, ids) => {
    expect(idsOf(await walk(query)).sort()).toEqual(ids);
  });

  test('gives whole rows', async () => {
    const { body } = await api.admin('GET', '/sandboxes?status=quarantined');
    expect(body.sandboxes).toEqual([
      expect.objectContaining({ sandbox_id: 'set-aside', status_reason: 'broken tenant', expires_at: null }),
    ]);
    expect((await api.admin('GET', '/sandboxes/set-aside')).body).toEqual(body.sandboxes[0]);
  });

  test('goes on after a row that has been removed meanwhile', async () => {
    const ids = ['gone-0', 'gone-1', 'gone-2', 'gone-3'];
    for (const id of ids)
      await putSandbox(table, id, { status: 'deletion_failed', allocated_at: 1, name: 'gone' });
    const first = await api.admin('GET', '/sandboxes?status=deletion_failed&name_prefix=gone&limit=2');
    await api.admin('POST', '/bulk-delete?status=deletion_failed');
    const second = await api.admin(
      'GET',
      `/sandboxes?status=deletion_failed&name_prefix=gone&limit=2&cursor=${first.body.cursor}`,
    );
    expect([second.status, second.body.sandboxes]).toEqual([200, []]);
    await putSandbox(table, 'failed', { status: 'deletion_failed', deletion_error: 'HTTP 500' });
  });
});

describe('GET /v1/admin/sandboxes answers 400 VALIDATION_ERROR to', () => {
  test.each([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=1.5', 'limit'],
    ['limit=all', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['limit=', 'limit'],
    ['limit', 'limit'],
    ['limit=0x10', 'limit'],
    ['limit=1e1', 'limit'],
    ['limit=%201', 'limit'],
    ['status=gone', 'status'],
    ['status=AVAILABLE', 'status'],
    ['status=available%2301', 'status'],
    ['status=stale&status=allocated', 'status'],
    ['track=a%20b', 'track'],
    [`lab=${'a'.repeat(257)}`, 'lab'],
    ['name_prefix=', 'name_prefix'],
  ])('%s', async (query, field) => {
    const answer = await api.admin('GET', `/sandboxes?${query}`);
    expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
    expect(wrongFields(answer)).toContain(field);
  });
});

/** A cursor with other contents: what a client could make of one. */
const cursorOf = (contents: unknown) => Buffer.from(JSON.stringify(contents)).toString('base64url');
const contentsOf = (cursor: string) => JSON.parse(Buffer.from(cursor, 'base64url').toString());

describe('A cursor is refused with 400 VALIDATION_ERROR', () => {
  test.each([
    ['that is empty', ''],
    ['that is no base64', '!!!'],
    ['that is no JSON', Buffer.from('nonsense').toString('base64url')],
    ['that is null', cursorOf(null)],
    ['that is a list', cursorOf([])],
    ['that is an empty object', cursorOf({})],
    [
      "that is a raw key of the database, as the previous broker's were",
      cursorOf({ PK: 'SBX#1', SK: 'META' }),
    ],
    ['of 9,000 characters', 'a'.repeat(9_000)],
  ])('%s', async (_, cursor) => {
    for (const filter of ['', 'status=available&', 'track=holder&']) {
      const answer = await api.admin('GET', `/sandboxes?${filter}cursor=${encodeURIComponent(cursor)}`);
      expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
      expect(wrongFields(answer)).toEqual(['cursor']);
    }
  });

  test('of a listing with other filters', async () => {
    const { body } = await api.admin('GET', '/sandboxes?status=stale&limit=1');
    for (const query of ['limit=1', 'status=available&limit=1', 'status=stale&lab=x', 'track=holder'])
      expect(refusal(await api.admin('GET', `/sandboxes?${query}&cursor=${body.cursor}`))).toBe(
        '400 VALIDATION_ERROR',
      );
  });

  test.each([
    ['with a position beyond the last partition', { p: 9 }],
    ['with a negative position', { p: -1 }],
    ['with a key that is no sandbox', { a: { PK: 'CLAIM#a b', SK: 'META', allocatedAt: 0 } }],
    ['with the key of an event', { a: { PK: 'SBX#a', SK: 'EVT#1', allocatedAt: 0 } }],
    ['without the sort key of the index', { a: { PK: 'SBX#a', SK: 'META' } }],
    ['with a number beyond what the database holds', { a: { PK: 'SBX#a', SK: 'META', allocatedAt: 1e200 } }],
    [
      'with a key longer than the database takes',
      { a: { PK: `SBX#${'é'.repeat(1_500)}`, SK: 'META', allocatedAt: 0 } },
    ],
    ['with more in it than was put in', { x: 1 }],
  ])('%s, though the rest of it is genuine', async (_, change) => {
    const { body } = await api.admin('GET', '/sandboxes?status=stale&limit=1');
    const forged = cursorOf({ ...contentsOf(body.cursor), ...change });
    const answer = await api.admin('GET', `/sandboxes?status=stale&limit=1&cursor=${forged}`);
    expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
  });

  describe.each(['limit=1', 'status=stale&limit=1', 'track=holder&limit=1'])(
    'of a listing with %s',
    (query) => {
      test.each([
        ['half a character in its key', { PK: 'SBX#\ud800' }],
        ['half a character in its sort key', { SK: 'META\udfff' }],
        ['a number that the database rounds away', { allocatedAt: 5e-324 }],
        ['a number below the least that the database knows', { allocatedAt: 1e-200 }],
        ['a number below 0', { allocatedAt: -1 }],
        ['an empty key', { PK: '' }],
      ])('and %s', async (_, change) => {
        const { body } = await api.admin('GET', `/sandboxes?${query}`);
        const genuine = contentsOf(body.cursor);
        const forged = cursorOf({ ...genuine, a: { ...genuine.a, ...change } });
        const answer = await api.admin('GET', `/sandboxes?${query}&cursor=${forged}`);
        expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
      });

      test.each([0, 1e-130, 1_774_000_000.123_456_7, Number.MAX_SAFE_INTEGER])(
        'but not for the time %d',
        async (allocatedAt) => {
          const { body } = await api.admin('GET', `/sandboxes?${query}`);
          const genuine = contentsOf(body.cursor);
          const moved = cursorOf({ ...genuine, a: { ...genuine.a, allocatedAt } });
          expect((await api.admin('GET', `/sandboxes?${query}&cursor=${moved}`)).status).toBe(200);
        },
      );
    },
  );
});

describe('GET /v1/admin/sandboxes/{id} answers', () => {
  test('200 with the whole row, of the previous broker too, whose numbers may be fractions or texts and whose blanks null', async () => {
    await putSandbox(table, 'previous', {
      status: 'allocated',
      allocated_to_track: 'old-student',
      idempotency_key: 'old-student',
      allocated_at: 1_774_000_000.75,
      lab_duration_hours: 4,
      deletion_requested_at: null,
      last_synced: '1774000001',
      track_name: null,
      sfdc_account_id: '',
    });
    const { status, body } = await api.admin('GET', '/sandboxes/previous');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      allocated_to_track: 'old-student',
      allocated_at: 1_774_000_000,
      expires_at: 1_774_014_400,
      deletion_requested_at: 0,
      last_synced: 1_774_000_001,
      track_name: null,
      sfdc_account_id: null,
      superseded: false,
    });
  });

  test('200 with every attribute that an allocation left in the table, the id of its request among them', async () => {
    const headers = {
      'x-request-id': 'r-whole-row',
      'x-instruqt-track-id': 'security-101',
      'idempotency-key': 'a-key',
    };
    const { body: allocation } = await api.allocate('whole-row', headers);
    const { body } = await api.admin('GET', `/sandboxes/${allocation.sandbox_id}`);
    expect(body).toMatchObject({ allocated_by: 'track', allocation_request_id: 'r-whole-row' });
    const { PK, SK, ...stored } = (await itemOf(table, `SBX#${allocation.sandbox_id}`)) ?? {};
    expect(body).toMatchObject(stored);
  });

  test('404 SANDBOX_NOT_FOUND for an unknown id, and for the id of a tombstone', async () => {
    expect(refusal(await api.admin('GET', '/sandboxes/unknown'))).toBe('404 SANDBOX_NOT_FOUND');
    expect(refusal(await api.admin('GET', '/sandboxes/gone'))).toBe('404 SANDBOX_NOT_FOUND');
  });

  test('400 VALIDATION_ERROR for an id of 257 characters', async () => {
    const answer = await api.admin('GET', `/sandboxes/${'a'.repeat(257)}`);
    expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
  });
});

test('a row whose status this version does not know is named, and keeps no other row from the listing', async () => {
  const other = await makeTable();
  const brokerOfOther = await startBroker(other.environment);
  try {
    await other.seed(3);
    await putSandbox(other, 'of-the-future', { status: 'hibernated' });
    const { admin } = await apiOf(brokerOfOther.url);
    const { status, body } = await admin('GET', '/sandboxes');
    expect(status).toBe(200);
    expect(body).toMatchObject({ count: 3, unreadable: ['of-the-future'] });
  } finally {
    await brokerOfOther.close();
    await other.drop();
  }
});
