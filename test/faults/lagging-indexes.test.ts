import { expect, test } from 'vitest';
import { allocate, release } from '../support/client.ts';
import { expectAllocated, faultyInstallation } from './faulty-installation.ts';

const lagging = { laggingIndexes: true };

test('the proxy can hold an index back, and let it catch up', async () => {
  const { proxy, table } = await faultyInstallation(2, lagging);
  proxy.indexes.lagBy(Number.POSITIVE_INFINITY);
  await table.seed(1, 2);
  const listed = async () =>
    (await table.listing.page({ status: 'available' }, { partition: 0 }, 100)).sandboxes.length;
  expect(await listed()).toBe(0);
  proxy.indexes.lagBy(0);
  expect(await listed()).toBe(3);
});

test('two brokers that see every sandbox as available for ever give each to one caller, and then say that there is none', async () => {
  const installation = await faultyInstallation(12, lagging);
  const { proxy, broker, another, table } = installation;
  const others = await another('through the proxy');
  expect((await allocate(broker.url, 'first')).status).toBe(201);
  proxy.indexes.lagBy(Number.POSITIVE_INFINITY);
  const answers = await Promise.all(
    Array.from({ length: 24 }, (_, index) => allocate([broker, others][index % 2]!.url, `student-${index}`)),
  );
  const won = answers.filter(({ status }) => status === 201);
  expect(won).toHaveLength(11);
  expect(new Set(won.map(({ body }) => body.sandbox_id)).size).toBe(11);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(13);
  expect((await table.items()).filter(({ PK }) => String(PK).startsWith('CLAIM#'))).toHaveLength(12);
  await expectAllocated(installation, 12);
});

test('a replay is answered from its claim, whatever the indexes show', async () => {
  const installation = await faultyInstallation(3, lagging);
  const { proxy, broker, another } = installation;
  const others = await another('through the proxy');
  proxy.indexes.lagBy(Number.POSITIVE_INFINITY);
  proxy.indexes.lagBy(0);
  const first = await allocate(broker.url, 'ann');
  proxy.indexes.lagBy(Number.POSITIVE_INFINITY);
  const again = await allocate(others.url, 'ann');
  expect(again.status).toBe(200);
  expect(again.body).toEqual(first.body);
  await expectAllocated(installation, 1);
});

test('a key whose sandbox was released gets a new one, though the index still shows the old one as allocated to it', async () => {
  const installation = await faultyInstallation(3, lagging);
  const { proxy, broker, another } = installation;
  const others = await another('through the proxy');
  const first = await allocate(broker.url, 'ann');
  await allocate(others.url, 'ben');
  proxy.indexes.lagBy(Number.POSITIVE_INFINITY);
  await release(broker.url, 'ann', first.body.sandbox_id);
  const second = await allocate(others.url, 'ann');
  expect(second.status).toBe(201);
  expect(second.body.sandbox_id).not.toBe(first.body.sandbox_id);
  await expectAllocated(installation, 2);
});

test('sandboxes that the index does not show yet are said to be none, and are found as soon as it does', async () => {
  const installation = await faultyInstallation(0, lagging);
  const { proxy, broker, table } = installation;
  proxy.indexes.lagBy(Number.POSITIVE_INFINITY);
  await table.seed(1);
  expect((await allocate(broker.url, 'ann')).status).toBe(409);
  proxy.indexes.lagBy(0);
  await expect.poll(async () => (await allocate(broker.url, 'ann')).status).toBe(201);
  await expectAllocated(installation, 1);
});
