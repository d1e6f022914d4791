import { expect, test } from 'vitest';
import { fillPool } from '../../../src/store/new-sandboxes.ts';
import { brokerOfTest } from '../../support/broker.ts';
import { allocate } from '../../support/client.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { tableOfTest } from '../../support/table.ts';
import { recordCalls } from '../../support/tapped-database.ts';

test('a sandbox that becomes available is handed out a second later at the latest', async () => {
  const table = await tableOfTest();
  const clock = new ManualClock();
  const broker = await brokerOfTest(table.environment, { clock });
  expect((await allocate(broker.url, 'student-1')).status).toBe(409);
  await table.seed(1);
  let waited = 0;
  while ((await allocate(broker.url, 'student-1')).status === 409) {
    await clock.advance(100);
    waited += 100;
    expect(waited).toBeLessThanOrEqual(1_000);
  }
});

test('a thousand requests for a hundred sandboxes cost fewer than fifty queries', async () => {
  const table = await tableOfTest();
  await table.seed(100);
  const { database, calls } = recordCalls(table.database);
  // On a slow machine they may last for many of the half seconds after which the pool is looked at again.
  const clock = { ...table.clock, monotonic: () => 0 };
  const broker = await brokerOfTest(table.environment, { database, clock });
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, (_, index) => allocate(broker.url, `student-${index}`)),
  );
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(100);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(900);
  expect(calls.filter(({ operation }) => operation === 'Query').length).toBeLessThan(50);
});

test('whoever has a sandbox is answered with it from an empty pool too, by any process and whatever prefix it asks for', async () => {
  const table = await tableOfTest();
  await table.seed(1);
  const broker = await brokerOfTest(table.environment);
  const first = await allocate(broker.url, 'student-1');
  expect(first.status).toBe(201);
  const other = await brokerOfTest(table.environment);
  for (const url of [other.url, broker.url]) {
    for (const headers of [{}, { 'x-sandbox-name-prefix': 'no-such-' }]) {
      const replay = await allocate(url, 'student-1', headers);
      expect([replay.status, replay.body]).toEqual([200, first.body]);
    }
  }
  const late = await allocate(other.url, 'student-2');
  expect([late.status, late.body.error.code, late.headers.get('retry-after')]).toEqual([
    409,
    'NO_SANDBOXES_AVAILABLE',
    '30',
  ]);
});

test('a prefix finds the one sandbox that has it behind thousands that do not, and a prefix that none has finds nothing', async () => {
  const table = await tableOfTest();
  const rows = await table.seed(2_500);
  const rare = { ...rows.at(-1)!, sandboxId: '9999999', name: 'rare-0001' };
  await fillPool(table.database, table.shards, [rare], 1_774_000_000);
  const broker = await brokerOfTest(table.environment);
  const [found, missing] = await Promise.all([
    allocate(broker.url, 'student-1', { 'x-sandbox-name-prefix': 'rare-' }),
    allocate(broker.url, 'student-2', { 'x-sandbox-name-prefix': 'rarer-' }),
  ]);
  expect([found.status, found.body.name]).toEqual([201, 'rare-0001']);
  expect([missing.status, missing.body.error.message]).toEqual([409, expect.stringContaining('"rarer-"')]);
});

test('a sandbox that one request tries is not denied to another before it is decided', async () => {
  const table = await tableOfTest();
  await table.seed(1);
  const other = await brokerOfTest(table.environment);
  await allocate(other.url, 'holder');
  await table.seed(1, 100);
  const broker = await brokerOfTest(table.environment);
  // The holder's repetition is given the only candidate first, and does not need it.
  const [replay, next] = await Promise.all([
    allocate(broker.url, 'holder'),
    allocate(broker.url, 'student-1'),
  ]);
  expect([replay.status, next.status]).toEqual([200, 201]);
});
