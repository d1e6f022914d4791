import { expect, test } from 'vitest';
import { brokerProcessOfTest } from '../../support/broker.ts';
import { allocate } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { operationOf, proxyOfTest } from '../../support/proxy.ts';
import { type TestTable, tableOfTest } from '../../support/table.ts';

/** Two broker processes on one table. */
function twoBrokers(table: TestTable, environment: Record<string, string> = {}) {
  const start = () => brokerProcessOfTest({ ...table.environment, ...environment });
  return Promise.all([start(), start()]);
}

test('fifty racing requests of one claim key over two processes get one sandbox and one 201, two hundred times', async () => {
  const table = await tableOfTest();
  await table.seed(400);
  const brokers = await twoBrokers(table);
  const owners = new Map<string, string>();
  for (let round = 0; round < 200; round += 1) {
    const track = `student-${round}`;
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => allocate(brokers[index % 2]!.url, track)),
    );
    const sandboxIds = new Set(answers.map((answer) => answer.body.sandbox_id));
    expect(sandboxIds.size).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(49);
    const [sandboxId] = sandboxIds;
    expect(owners.get(sandboxId)).toBeUndefined();
    owners.set(sandboxId, track);
  }
  const items = await table.items();
  expect(violations(items)).toEqual([]);
  expect(items.filter((item) => item.status === 'allocated')).toHaveLength(200);
});

test('five hundred claim keys race for a hundred sandboxes over two processes: a hundred owners, and nobody is turned away before the last one is gone', async () => {
  const table = await tableOfTest();
  await table.seed(100);
  const taken = new Set<string>();
  // All that the brokers write passes through here, so the order of events is known.
  const engine = await proxyOfTest(table.environment.DDB_ENDPOINT_URL!, {
    onAnswer: (request, status) => {
      if (operationOf(request) !== 'TransactWriteItems' || status !== 200) return;
      for (const [, id] of request.body.matchAll(/"SBX#([^"]+)"/g)) taken.add(id!);
    },
  });
  const brokers = await twoBrokers(table, { DDB_ENDPOINT_URL: engine });
  const takenAtRefusal: number[] = [];
  const answers = await Promise.all(
    Array.from({ length: 500 }, async (_, index) => {
      const answer = await allocate(brokers[index % 2]!.url, `student-${index}`);
      if (answer.status !== 201) takenAtRefusal.push(taken.size);
      return answer;
    }),
  );
  const won = answers.filter(({ status }) => status === 201);
  expect(new Set(won.map((answer) => answer.body.sandbox_id)).size).toBe(100);
  expect(won).toHaveLength(100);
  const refused = answers.filter(({ status }) => status === 409);
  expect(refused).toHaveLength(400);
  for (const { body } of refused) expect(body.error.code).toBe('NO_SANDBOXES_AVAILABLE');
  expect(new Set(takenAtRefusal)).toEqual(new Set([100]));
  expect(violations(await table.items())).toEqual([]);
});

test('a process that is frozen in the middle of allocating, while its clients go elsewhere, doubles nothing when it wakes', async () => {
  const table = await tableOfTest();
  await table.seed(700);
  // Its first transaction is committed, and nobody hears of it; the others are on their way all the while.
  const committed = Promise.withResolvers<void>();
  const others = Promise.withResolvers<void>();
  let transactions = 0;
  const engine = await proxyOfTest(table.environment.DDB_ENDPOINT_URL!, {
    hold: (request) => {
      if (operationOf(request) !== 'TransactWriteItems') return;
      transactions += 1;
      return transactions === 1 ? undefined : others.promise;
    },
    onAnswer: (request) => {
      if (operationOf(request) !== 'TransactWriteItems' || frozen.process.killed) return;
      frozen.process.kill('SIGSTOP');
      committed.resolve();
    },
  });
  const frozen = await brokerProcessOfTest({ ...table.environment, DDB_ENDPOINT_URL: engine });
  const other = await brokerProcessOfTest(table.environment);
  const tracks = Array.from({ length: 300 }, (_, index) => `student-${index}`);
  const first = tracks.map((track) => allocate(frozen.url, track));
  await committed.promise;
  const second = await Promise.all(tracks.map((track) => allocate(other.url, track)));
  others.resolve();
  frozen.process.kill('SIGCONT');
  const late = await Promise.all(first);
  const held = new Map(second.map((answer, index) => [tracks[index]!, answer.body.sandbox_id]));
  expect(second.every(({ status }) => status === 200 || status === 201)).toBe(true);
  // Some were committed before the freeze, some were not.
  expect(new Set(second.map(({ status }) => status)).size).toBe(2);
  expect(new Set(held.values()).size).toBe(300);
  for (const [index, answer] of late.entries()) {
    if (answer.status === 503) continue;
    expect(answer.body.sandbox_id).toBe(held.get(tracks[index]!));
  }
  expect(violations(await table.items())).toEqual([]);
});
