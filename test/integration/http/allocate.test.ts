import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../../support/broker.ts';
import { asTrack } from '../../support/client.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { makeTable, type TestTable } from '../../support/table.ts';
import { type Api, apiOf, refusal } from './support/api.ts';
import { itemOf, putSandbox } from './support/rows.ts';

const clock = new ManualClock();
const NOW = clock.now() / 1000;
let table: TestTable;
let broker: TestBroker;
let api: Api;

beforeAll(async () => {
  table = await makeTable({ environment: { LAB_DURATION_HOURS: '2.5' } });
  // Durations on the real clock: only the time of day stands still.
  const now = () => clock.now();
  broker = await startBroker(table.environment, { clock: { ...table.clock, now } });
  api = await apiOf(broker.url);
  await table.seed(60);
});

afterAll(async () => {
  await broker.close();
  await table.drop();
});

describe('POST /v1/allocate answers 201', () => {
  test('with a sandbox of the pool, its name and its external id', async () => {
    const { status, body } = await api.allocate('new-student');
    expect(status).toBe(201);
    const row = await itemOf(table, `SBX#${body.sandbox_id}`);
    expect(row).toMatchObject({
      status: 'allocated',
      allocated_to_track: 'new-student',
      name: body.name,
      external_id: body.external_id,
    });
  });

  test('with expires_at = allocated_at + LAB_DURATION_HOURS, and the row says that duration', async () => {
    const { body } = await api.allocate('timed-student');
    expect(body).toMatchObject({ allocated_at: NOW, expires_at: NOW + 2.5 * 3600 });
    expect(await itemOf(table, `SBX#${body.sandbox_id}`)).toMatchObject({
      allocated_at: NOW,
      lab_duration_hours: 2.5,
    });
  });

  test('with sfdc_account_id where the row has one, and without the field where it has none', async () => {
    await putSandbox(table, 'with-account', { name: 'sfdc-1', sfdc_account_id: '001SAND' });
    const withAccount = await api.allocate('account-student', { 'x-sandbox-name-prefix': 'sfdc-' });
    const without = await api.allocate('no-account-student');
    expect(withAccount.body.sfdc_account_id).toBe('001SAND');
    expect(without.body).not.toHaveProperty('sfdc_account_id');
  });

  test('to a caller that names itself by X-Track-ID alone', async () => {
    const { 'x-instruqt-sandbox-id': _, ...headers } = asTrack('');
    const { status, body } = await api.call('POST', '/v1/allocate', {
      ...headers,
      'x-track-id': 'older-name',
    });
    expect(status).toBe(201);
    expect(await itemOf(table, `SBX#${body.sandbox_id}`)).toMatchObject({ allocated_to_track: 'older-name' });
  });

  test('to X-Instruqt-Sandbox-ID where X-Track-ID names another caller', async () => {
    const { body } = await api.allocate('wins', { 'x-track-id': 'loses' });
    expect(await itemOf(table, `SBX#${body.sandbox_id}`)).toMatchObject({ allocated_to_track: 'wins' });
  });

  test('and the row keeps X-Instruqt-Track-ID as track_name', async () => {
    const { body } = await api.allocate('lab-student', { 'x-instruqt-track-id': 'security-101' });
    expect(await itemOf(table, `SBX#${body.sandbox_id}`)).toMatchObject({ track_name: 'security-101' });
  });

  test('with a sandbox whose name starts with X-Sandbox-Name-Prefix, though most of the pool does not', async () => {
    await putSandbox(table, 'prefixed', { name: 'emea-7' });
    const { status, body } = await api.allocate('emea-student', { 'x-sandbox-name-prefix': 'emea-' });
    expect([status, body.name]).toEqual([201, 'emea-7']);
  });
});

describe('POST /v1/allocate answers 200', () => {
  test('with the very same body when the caller repeats itself', async () => {
    const first = await api.allocate('repeating-student');
    const second = await api.allocate('repeating-student');
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.body).toEqual(first.body);
  });

  test('with the same sandbox after the lab duration has passed, as long as it is allocated', async () => {
    const first = await api.allocate('late-student');
    clock.correctWallClock(9 * 3600 * 1000);
    const second = await api.allocate('late-student');
    clock.correctWallClock(-9 * 3600 * 1000);
    expect([second.status, second.body]).toEqual([200, first.body]);
  });

  test('whichever of its two names the caller uses', async () => {
    const first = await api.allocate('two-names');
    const { 'x-instruqt-sandbox-id': _, ...headers } = asTrack('');
    const second = await api.call('POST', '/v1/allocate', { ...headers, 'x-track-id': 'two-names' });
    expect([second.status, second.body]).toEqual([200, first.body]);
  });

  test('when a repetition asks for another prefix: the claim is the answer', async () => {
    const first = await api.allocate('changing-student');
    const second = await api.allocate('changing-student', { 'x-sandbox-name-prefix': 'no-such-prefix' });
    expect([second.status, second.body]).toEqual([200, first.body]);
  });
});

describe('Idempotency-Key', () => {
  test('gives one caller a sandbox for each key, and each key its own again', async () => {
    const a = await api.allocate('keyed-student', { 'idempotency-key': 'a' });
    const b = await api.allocate('keyed-student', { 'idempotency-key': 'b' });
    const again = await api.allocate('keyed-student', { 'idempotency-key': 'a' });
    expect([a.status, b.status, again.status]).toEqual([201, 201, 200]);
    expect(a.body.sandbox_id).not.toBe(b.body.sandbox_id);
    expect(again.body).toEqual(a.body);
  });

  test('never lets two callers share a claim, though both send the same key', async () => {
    const one = await api.allocate('caller-one', { 'idempotency-key': 'shared' });
    const two = await api.allocate('caller-two', { 'idempotency-key': 'shared' });
    expect([one.status, two.status]).toEqual([201, 201]);
    expect(one.body.sandbox_id).not.toBe(two.body.sandbox_id);
  });

  test("of one caller that is another caller's id does not lead to that caller's sandbox", async () => {
    const victim = await api.allocate('victim');
    const other = await api.allocate('impostor', { 'idempotency-key': 'victim' });
    expect([other.status, other.body.sandbox_id === victim.body.sandbox_id]).toEqual([201, false]);
  });
});

describe('POST /v1/allocate answers 409 NO_SANDBOXES_AVAILABLE', () => {
  test('with Retry-After 30 when no name starts with the prefix, while the pool is not empty', async () => {
    const answer = await api.allocate('hopeful-student', { 'x-sandbox-name-prefix': 'apac-' });
    expect(refusal(answer)).toBe('409 NO_SANDBOXES_AVAILABLE');
    expect(answer.headers.get('retry-after')).toBe('30');
    expect(answer.body.error.retry_after).toBe(30);
  });
});
