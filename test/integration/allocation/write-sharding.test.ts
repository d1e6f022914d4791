import { expect, test } from 'vitest';
import { sampleSandboxes } from '../../../src/local/sample-sandboxes.ts';
import { fillPool } from '../../../src/store/new-sandboxes.ts';
import { brokerOfTest } from '../../support/broker.ts';
import { allocate, asAdmin, call, release } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { type TestTable, tableOfTest } from '../../support/table.ts';
import { isSandbox } from '../../support/table-rows.ts';

const storedStatuses = async (table: TestTable) =>
  (await table.items()).filter(isSandbox).map((item) => String(item.status));

async function statistics(url: string) {
  return (await call('GET', `${url}/v1/admin/stats`, asAdmin())).body;
}

async function listed(url: string, status: string): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ status, limit: '7', ...(cursor === undefined ? {} : { cursor }) });
    const { body } = await call('GET', `${url}/v1/admin/sandboxes?${query}`, asAdmin());
    for (const sandbox of body.sandboxes) {
      expect(sandbox.status).toBe(status);
      ids.push(sandbox.sandbox_id);
    }
    cursor = body.cursor;
  } while (cursor !== undefined);
  return ids;
}

test('shards are raised on a live table: rows of both forms are allocated, released, listed and counted, each once', async () => {
  const table = await tableOfTest();
  await table.seed(40);
  const before = await brokerOfTest(table.environment);
  const early = await Promise.all(
    Array.from({ length: 10 }, (_, index) => allocate(before.url, `early-${index}`)),
  );
  expect(new Set(await storedStatuses(table))).toEqual(new Set(['available', 'allocated']));

  // A deployment with four shards: new rows come in their form, while the old process still serves.
  const after = await brokerOfTest({ ...table.environment, STATUS_SHARDS: '4' });
  await fillPool(table.database, after.container.shards, sampleSandboxes(40, 40), 1_774_000_000);
  const replays = await Promise.all(early.map((_, index) => allocate(after.url, `early-${index}`)));
  expect(replays.map(({ status }) => status)).toEqual(Array(10).fill(200));
  expect(replays.map(({ body }) => body)).toEqual(early.map(({ body }) => body));

  const late = await Promise.all(
    Array.from({ length: 90 }, (_, index) => allocate(after.url, `late-${index}`)),
  );
  expect(late.filter(({ status }) => status === 201)).toHaveLength(70);
  expect(late.filter(({ status }) => status === 409)).toHaveLength(20);
  const stored = await storedStatuses(table);
  expect(stored.filter((status) => status === 'allocated')).toHaveLength(10);
  expect(stored.filter((status) => /^allocated#0[0-3]$/.test(status))).toHaveLength(70);
  expect(new Set(stored).size).toBe(5);

  const ids = await listed(after.url, 'allocated');
  expect([ids.length, new Set(ids).size]).toEqual([80, 80]);
  expect(await statistics(after.url)).toMatchObject({ total: 80, allocated: 80, available: 0 });

  // Either process ends what the other began.
  const [fromEarly, fromLate] = [early[0]!, late.find(({ status }) => status === 201)!];
  const owner = `late-${late.indexOf(fromLate)}`;
  expect((await release(after.url, 'early-0', fromEarly.body.sandbox_id)).status).toBe(200);
  expect((await release(before.url, owner, fromLate.body.sandbox_id)).status).toBe(200);
  expect((await listed(after.url, 'pending_deletion')).sort()).toEqual(
    [fromEarly.body.sandbox_id, fromLate.body.sandbox_id].sort(),
  );
  expect(violations(await table.items())).toEqual([]);
});

test('two processes of four shards race for the last sandboxes of all shards, and every one is handed out once', async () => {
  const table = await tableOfTest({ environment: { STATUS_SHARDS: '4' } });
  await table.seed(60);
  const brokers = await Promise.all([brokerOfTest(table.environment), brokerOfTest(table.environment)]);
  const answers = await Promise.all(
    Array.from({ length: 150 }, (_, index) => allocate(brokers[index % 2]!.url, `student-${index}`)),
  );
  const won = answers.filter(({ status }) => status === 201);
  expect(new Set(won.map(({ body }) => body.sandbox_id)).size).toBe(60);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(90);
  expect(violations(await table.items())).toEqual([]);
});
