import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../../support/broker.ts';
import { asTrack, call } from '../../support/client.ts';
import { makeTable, type TestTable, TRACK_TOKEN } from '../../support/table.ts';
import { type Api, apiOf, refusal, wrongFields } from './support/api.ts';
import { rawRequest } from './support/raw-request.ts';
import { itemOf } from './support/rows.ts';

let table: TestTable;
let broker: TestBroker;
let api: Api;

beforeAll(async () => {
  table = await makeTable();
  broker = await startBroker(table.environment);
  api = await apiOf(broker.url);
  await table.seed(40);
});

afterAll(async () => {
  await broker.close();
  await table.drop();
});

/** Every id that allocate reads, and the code of a bad one. */
const HEADERS = [
  { header: 'X-Instruqt-Sandbox-ID', code: 'INVALID_TRACK_ID' },
  { header: 'X-Track-ID', code: 'INVALID_TRACK_ID' },
  { header: 'X-Instruqt-Track-ID', code: 'VALIDATION_ERROR' },
  { header: 'X-Sandbox-Name-Prefix', code: 'VALIDATION_ERROR' },
  { header: 'Idempotency-Key', code: 'VALIDATION_ERROR' },
];

const BAD_IDS = [
  { what: 'is empty', id: '' },
  { what: 'is nothing but spaces', id: '   ' },
  { what: 'has 257 characters', id: 'a'.repeat(257) },
  { what: 'has 10,000 characters', id: 'a'.repeat(10_000) },
  { what: 'holds a space', id: 'a b' },
  { what: 'holds a tab', id: 'a\tb' },
  { what: 'holds a letter beyond ASCII', id: 'caf\u00e9' },
  { what: 'is padded with a space beyond ASCII', id: '\u00a0padded' },
];

describe.each(HEADERS)('$header is refused with 400 $code that names it when it', ({ header, code }) => {
  test.each(BAD_IDS)('$what', async ({ id }) => {
    const isCaller = header === 'X-Instruqt-Sandbox-ID';
    const answer = await rawAllocate([
      ...(isCaller ? [] : ['X-Instruqt-Sandbox-ID: good']),
      `${header}: ${id}`,
    ]);
    expect(refusal(answer)).toBe(`400 ${code}`);
    expect(wrongFields(answer)).toEqual([header]);
    expect(answer.body.error.message).toContain(header);
    expect(answer.body.error.message).not.toContain('aaaaaaaa');
  });

  test('comes twice', async () => {
    const answer = await rawAllocate([
      ...(header === 'X-Instruqt-Sandbox-ID' ? [] : ['X-Instruqt-Sandbox-ID: good']),
      `${header}: one`,
      `${header}: two`,
    ]);
    expect(refusal(answer)).toBe(`400 ${code}`);
    expect(wrongFields(answer)).toContain(header);
  });
});

test('A request without any caller id is 400 INVALID_TRACK_ID that names X-Instruqt-Sandbox-ID', async () => {
  const answer = await api.call('POST', '/v1/allocate', { authorization: `Bearer ${TRACK_TOKEN}` });
  expect(refusal(answer)).toBe('400 INVALID_TRACK_ID');
  expect(wrongFields(answer)).toEqual(['X-Instruqt-Sandbox-ID']);
});

test('An empty X-Instruqt-Sandbox-ID is refused, though X-Track-ID is a good one', async () => {
  const answer = await api.allocate('', { 'x-track-id': 'good' });
  expect(refusal(answer)).toBe('400 INVALID_TRACK_ID');
});

test('A caller id with a control character is refused with 400 in the shape of all errors', async () => {
  const answer = await rawAllocate(['X-Instruqt-Sandbox-ID: a\u0001b']);
  expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
  expect(api.contract.differences('POST', '/v1/allocate', answer)).toEqual([]);
});

test('A caller id of 70,000 characters is refused with 400 in the shape of all errors', async () => {
  const answer = await rawAllocate([`X-Instruqt-Sandbox-ID: ${'a'.repeat(70_000)}`]);
  expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
  expect(wrongFields(answer)).toEqual(['headers']);
  expect(api.contract.differences('POST', '/v1/allocate', answer)).toEqual([]);
});

test('A caller id of a megabyte is refused, and the broker goes on', async () => {
  await call('POST', `${broker.url}/v1/allocate`, asTrack('a'.repeat(1_000_000))).then(
    (answer) => expect(answer.status).toBe(400),
    // It hangs up before the client has sent the whole of it.
    (error) => expect(error).toBeInstanceOf(TypeError),
  );
  expect((await api.call('GET', '/healthz')).status).toBe(200);
});

test.each([
  { what: 'of one character', id: '!' },
  { what: 'of 256 characters', id: `${'a'.repeat(255)}~` },
  { what: 'of every printable character of ASCII', id: printable() },
])('An id $what is taken as it is, by every header', async ({ id }) => {
  const answer = await api.allocate(id, { 'x-instruqt-track-id': id, 'idempotency-key': id });
  expect(answer.status).toBe(201);
  expect(await itemOf(table, `SBX#${answer.body.sandbox_id}`)).toMatchObject({
    allocated_to_track: id,
    track_name: id,
    idempotency_key: id,
  });
  expect((await api.read(id, answer.body.sandbox_id)).body).toMatchObject({ allocated_to_track: id });
  const prefixed = await api.allocate(id, { 'x-sandbox-name-prefix': id, 'idempotency-key': 'another' });
  expect(refusal(prefixed)).toBe('409 NO_SANDBOXES_AVAILABLE');
});

test('Spaces around an id are not part of it', async () => {
  const padded = await rawAllocate(['X-Instruqt-Sandbox-ID:   padded  ']);
  const plain = await api.allocate('padded');
  expect([padded.status, plain.status]).toEqual([201, 200]);
  expect(plain.body).toEqual(padded.body);
});

describe('The sandbox_id of a path is refused with 400 VALIDATION_ERROR that names it when it', () => {
  test.each([
    { what: 'has 257 characters', id: 'a'.repeat(257) },
    { what: 'holds a space', id: 'a b' },
    { what: 'holds a letter beyond ASCII', id: 'caf\u00e9' },
    { what: 'is a line break', id: '\n' },
    { what: 'is longer than an id ever is, and shorter than what the router takes', id: 'a'.repeat(4_000) },
  ])('$what', async ({ id }) => {
    for (const answer of [await api.read('someone', id), await api.release('someone', id)]) {
      expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
      expect(wrongFields(answer)).toEqual(['sandbox_id']);
    }
  });

  test('is longer than the router takes', async () => {
    const answer = await api.read('someone', 'a'.repeat(5_000));
    expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
    expect(wrongFields(answer)).toEqual(['path']);
  });
});

async function rawAllocate(headers: string[]) {
  return rawRequest(broker.url, [
    'POST /v1/allocate HTTP/1.1',
    'Host: broker',
    `Authorization: Bearer ${TRACK_TOKEN}`,
    'Content-Length: 0',
    ...headers,
  ]);
}

function printable(): string {
  return Array.from({ length: 0x7e - 0x21 + 1 }, (_, index) => String.fromCharCode(0x21 + index)).join('');
}
