import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../../src/local/engine.ts';
import { createLogger } from '../../../src/observability/logger.ts';
import { brokerProcessOfTest, startBroker, type TestBroker } from '../../support/broker.ts';
import { asAdmin, asTrack, call } from '../../support/client.ts';
import { ADMIN_TOKEN, makeTable, type TestTable } from '../../support/table.ts';
import { type Api, apiOf, refusal } from '../http/support/api.ts';
import { rawRequest } from '../http/support/raw-request.ts';
import { putSandbox } from '../http/support/rows.ts';

let table: TestTable;
let broker: TestBroker;
let api: Api;

beforeAll(async () => {
  table = await makeTable();
  broker = await startBroker(table.environment);
  api = await apiOf(broker.url);
  await putSandbox(table, 'unmoved');
});

afterAll(async () => {
  await broker.close();
  await table.drop();
});

describe('Headers', () => {
  test.each([
    ['one of 17 KB', [`X-Long: ${'x'.repeat(17 * 1024)}`]],
    ['200 of 100 bytes', Array.from({ length: 200 }, (_, index) => `X-Many-${index}: ${'x'.repeat(90)}`)],
  ])('of more than 16 KB are refused with 400 in the shape of all errors: %s', async (_, lines) => {
    const answer = await rawRequest(broker.url, ['GET /healthz HTTP/1.1', 'Host: broker', ...lines]);
    expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
    expect(answer.body.error.details).toEqual([
      { field: 'headers', message: 'have more than 16384 bytes together' },
    ]);
    expect(api.contract.differences('GET', '/nowhere', answer)).toEqual([]);
  });
});

describe('No answer names the server, what it is made of, or where:', () => {
  test.each([
    ['a success', 'GET', '/healthz', {}],
    ['the document', 'GET', '/v1/openapi.json', {}],
    ['401', 'POST', '/v1/allocate', {}],
    ['403', 'GET', '/v1/admin/stats', asTrack('caller')],
    ['404', 'GET', '/none', {}],
    ['405', 'QUERY', '/v1/allocate', {}],
    ['a bad path', 'GET', '/v1/sandboxes/%zz', asTrack('caller')],
    ['a bad query', 'GET', '/v1/admin/sandboxes?limit=x&cursor=y', asAdmin()],
  ])('%s', async (_, method, path, headers) => {
    const answer = await call(method, broker.url + path, headers);
    for (const name of ['server', 'x-powered-by', 'via']) expect(answer.headers.get(name)).toBeNull();
    expect(JSON.stringify(answer.body)).not.toMatch(
      /fastify|zod|node_modules|node:|\.ts\b|dynamodb-2012|"stack"/i,
    );
  });
});

describe('No answer that a credential opens, or would, is kept by anybody on its way:', () => {
  test.each([
    ['a success', 'POST', '/v1/allocate', asTrack('caller')],
    ['401', 'POST', '/v1/allocate', {}],
    ['403', 'GET', '/v1/admin/stats', asTrack('caller')],
    ['400', 'GET', '/v1/sandboxes/%zz', asTrack('caller')],
    ['404', 'GET', '/v1/admin/sandboxes/none', asAdmin()],
  ])('%s', async (_, method, path, headers) => {
    const answer = await call(method, broker.url + path, headers);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });
});

test('The page of the documentation forgets the token that was typed into it', async () => {
  const { body } = await call('GET', `${broker.url}/v1/docs/static/swagger-initializer.js`);
  expect(body).toContain('"persistAuthorization":false');
});

test('A token that is short is taken, and warned of by name, not by value', async () => {
  const short = await startBroker({ ...table.environment, BROKER_API_TOKEN: '{"team-a": "Ab3-x9-Qz"}' });
  await short.close();
  const warnings = short.log
    .map((line) => JSON.parse(line))
    .filter(({ outcome }) => outcome === 'short_token');
  expect(warnings).toEqual([expect.objectContaining({ level: 'warn', kind: 'track', credential: 'team-a' })]);
  expect(short.log.join('')).not.toContain('Ab3-x9-Qz');
});

describe('A method that no route takes is 405, whatever comes with it:', () => {
  test.each([
    ['QUERY', {}, undefined],
    ['QUERY', { 'content-type': 'application/json' }, '{'],
    ['PUT', { 'content-type': 'nonsense' }, 'x'],
    ['PATCH', { 'content-type': 'application/json' }, '{"__proto__": 1}'],
  ])('%s %j %s', async (method, headers, body) => {
    expect(refusal(await api.call(method, '/v1/allocate', headers, body))).toBe('405 METHOD_NOT_ALLOWED');
  });
});

describe('A key or a value that means something to JavaScript alters nothing when it is in', () => {
  test.each([
    '{"__proto__": {"polluted": true}}',
    '{"reason": {"__proto__": {"polluted": true}}}',
    '{"constructor": {"prototype": {"polluted": true}}}',
    '{"\\u005f_proto__": {"polluted": true}}',
  ])('the body %s', async (body) => {
    const answer = await api.admin('POST', '/sandboxes/unmoved/quarantine', body);
    expect(refusal(answer)).toBe('400 VALIDATION_ERROR');
  });

  test.each([
    ['/sandboxes?__proto__[polluted]=true', '200'],
    ['/sandboxes?constructor=polluted', '200'],
    ['/sandboxes?status=__proto__', '400 VALIDATION_ERROR'],
    ['/sandboxes?status=constructor', '400 VALIDATION_ERROR'],
    ['/sandboxes/__proto__', '404 SANDBOX_NOT_FOUND'],
    ['/sandboxes/constructor/events', '200'],
  ])('the path %s', async (path, expected) => {
    const answer = await api.admin('GET', path);
    expect(answer.status < 400 ? String(answer.status) : refusal(answer)).toBe(expected);
  });

  test.each(['__proto__', 'constructor', 'toString'])('the name of a job: %s', async (job) => {
    expect(refusal(await api.admin('POST', `/jobs/${job}/run`))).toBe('400 VALIDATION_ERROR');
  });

  test.each(['__proto__', 'constructor', 'hasOwnProperty'])('the id of a caller: %s', async (caller) => {
    expect(refusal(await api.read(caller, 'unmoved'))).toBe('403 NOT_SANDBOX_OWNER');
  });

  afterAll(() => {
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('What is in a row or a body and in no schema', () => {
  test('leaves no answer with the row', async () => {
    const HELD = { status: 'allocated', allocated_to_track: 'holder', allocated_at: 1_774_000_000 };
    await putSandbox(table, 'with-more', { ...HELD, note_of_the_provider: 'hunter2' });
    for (const answer of [
      await api.read('holder', 'with-more'),
      await api.release('holder', 'with-more'),
      await api.admin('GET', '/sandboxes/with-more'),
      await api.admin('GET', '/sandboxes'),
    ]) {
      expect(answer.status).toBe(200);
      expect(JSON.stringify(answer.body)).not.toMatch(/note_of_the_provider|hunter2/);
    }
  });

  test('comes into no row from a body', async () => {
    await putSandbox(table, 'to-set-aside');
    const body = {
      reason: 'broken',
      status: 'allocated',
      allocated_to_track: 'attacker',
      sandbox_id: 'other',
    };
    expect((await api.admin('POST', '/sandboxes/to-set-aside/quarantine', body)).status).toBe(200);
    const row = (await table.items()).find(({ PK, SK }) => PK === 'SBX#to-set-aside' && SK === 'META');
    expect(row).toMatchObject({ status: 'quarantined', sandbox_id: 'to-set-aside' });
    expect(JSON.stringify(row)).not.toContain('attacker');
  });
});

describe('A newline makes no second line of the log when it is in', () => {
  const FORGED = '\n{"level":"info","action":"forged"}';

  test('an id in a path, a query, or a reason', async () => {
    const before = broker.log.length;
    await api.admin('GET', `/sandboxes/${encodeURIComponent(`x${FORGED}`)}`);
    await api.admin('GET', `/sandboxes?track=${encodeURIComponent(`x${FORGED}`)}`);
    await api.admin('POST', '/sandboxes/unmoved/quarantine', { reason: `x${FORGED}` });
    const lines = broker.log.slice(before);
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      expect(line.indexOf('\n')).toBe(line.length - 1);
      expect(JSON.parse(line).action).not.toBe('forged');
    }
  });

  test.each(['json', 'text'] as const)('a field, in the format %s', (format) => {
    const written: string[] = [];
    const logger = createLogger({ level: 'info', format }, { write: (text) => written.push(text) });
    logger.info({ track_id: `x${FORGED}`, cause: `x\r${FORGED}` }, 'allocate');
    expect(
      written
        .join('')
        .trimEnd()
        .split(/[\r\n]/),
    ).toHaveLength(1);
  });
});

test('METRICS_PORT takes /metrics to a port of its own, which has nothing else', async () => {
  const port = await freePort();
  const { url } = await brokerProcessOfTest({ ...table.environment, METRICS_PORT: String(port) });
  const own = `http://127.0.0.1:${port}`;
  expect((await call('GET', `${own}/metrics`)).body).toContain('broker_request_latency_seconds');
  expect(refusal(await call('GET', `${url}/metrics`))).toBe('404 NOT_FOUND');
  for (const path of ['/healthz', '/v1/docs', '/v1/openapi.json', '/v1/admin/stats']) {
    const answer = await call('GET', own + path, { authorization: `Bearer ${ADMIN_TOKEN}` });
    expect(refusal(answer), path).toBe('404 NOT_FOUND');
  }
  const badPath = await call('GET', `${own}/%zz`);
  expect(refusal(badPath)).toBe('400 VALIDATION_ERROR');
  for (const { headers } of [badPath, await call('GET', `${own}/metrics`)]) {
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  }
  expect(refusal(await rawRequest(own, ['GET /metrics HTTP/1.1', 'no colon here']))).toBe(
    '400 VALIDATION_ERROR',
  );
});
