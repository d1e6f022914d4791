import { DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/local/csp-simulator/seeded-random.ts';
import type { Database } from '../../../src/store/database.ts';
import { sandboxKey } from '../../../src/store/keys.ts';
import type { NewSandbox } from '../../../src/store/new-sandboxes.ts';
import { brokerOfTest } from '../../support/broker.ts';
import { type Answer, allocate, release } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { tableOfTest } from '../../support/table.ts';
import { recordCalls } from '../../support/tapped-database.ts';

/** What may become of a sandbox between the reading of the index and the transaction. */
const DEATHS = ['allocated', 'stale', 'quarantined', 'renamed', 'removed'] as const;

async function kill(database: Database, sandbox: NewSandbox, death: (typeof DEATHS)[number]): Promise<void> {
  const Key = sandboxKey(sandbox.sandboxId);
  if (death === 'removed') {
    await database.documents.send(new DeleteCommand({ TableName: database.tableName, Key }));
    return;
  }
  const changes = death === 'renamed' ? { name: `${sandbox.name}-new` } : { status: death };
  await database.documents.send(
    new UpdateCommand({
      TableName: database.tableName,
      Key,
      UpdateExpression: 'SET #attribute = :value',
      ExpressionAttributeNames: { '#attribute': Object.keys(changes)[0]! },
      ExpressionAttributeValues: { ':value': Object.values(changes)[0]! },
    }),
  );
}

test('new keys, repetitions, dead candidates, releases and one key in ten copies share transactions, and each is answered as if it had come alone', async () => {
  const table = await tableOfTest();
  const { database, calls } = recordCalls(table.database);
  const environment = { ...table.environment, COMMIT_MAX_IN_FLIGHT: '1', K_CANDIDATES: '30' };
  const broker = await brokerOfTest(environment, { database });
  const other = await brokerOfTest(environment);
  const random = seededRandom(11);
  const shuffled = <Item>(items: Item[]) =>
    items
      .map((item) => ({ item, place: random() }))
      .sort((a, b) => a.place - b.place)
      .map(({ item }) => item);

  for (let round = 0; round < 8; round += 1) {
    const student = (kind: string, index: number) => `${kind}-${round}-${index}`;
    // Held already, through a process that this one knows nothing of.
    await table.seed(20, round * 100);
    const holding = await Promise.all(
      Array.from({ length: 20 }, (_, index) => allocate(other.url, student('held', index))),
    );
    // The index is read, and then candidates die: those left are hardly more than are asked for.
    const sandboxes = await table.seed(32, round * 100 + 20);
    const first = await allocate(broker.url, student('first', 0));
    const candidates = sandboxes.filter(({ sandboxId }) => sandboxId !== first.body.sandbox_id);
    await Promise.all(
      shuffled(candidates)
        .slice(0, 10)
        .map((sandbox, index) => kill(table.database, sandbox, DEATHS[index % DEATHS.length]!)),
    );

    calls.length = 0;
    const expected: { what: string; status: number; sandboxId?: string; answer: Promise<Answer> }[] = [];
    const requests = shuffled([
      ...Array.from({ length: 20 }, (_, index) => () => {
        const answer = allocate(broker.url, student('new', index));
        expected.push({ what: 'a new key', status: 201, answer });
      }),
      ...Array.from({ length: 10 }, (_, index) => () => {
        const answer = allocate(broker.url, student('held', index));
        expected.push({
          what: 'a repetition',
          status: 200,
          sandboxId: holding[index]!.body.sandbox_id,
          answer,
        });
      }),
      ...Array.from({ length: 10 }, (_, index) => () => {
        const sandboxId = holding[10 + index]!.body.sandbox_id;
        const answer = release(broker.url, student('held', 10 + index), sandboxId);
        expected.push({ what: 'a release', status: 200, sandboxId, answer });
      }),
    ]);
    const copies: Promise<Answer>[] = [];
    for (const [index, request] of requests.entries()) {
      request();
      if (index % 4 === 0) copies.push(allocate(broker.url, student('copied', 0)));
    }

    for (const { what, status, sandboxId, answer } of expected) {
      const { status: answered, body } = await answer;
      expect({ round, what, status: answered, body }).toMatchObject({ status });
      if (sandboxId !== undefined) expect(body.sandbox_id).toBe(sandboxId);
    }
    const copied = await Promise.all(copies);
    expect(copied).toHaveLength(10);
    expect(copied.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 201]);
    expect(new Set(copied.map(({ body }) => body.sandbox_id)).size).toBe(1);
    const newSandboxes = await Promise.all(
      expected.filter(({ status }) => status === 201).map(({ answer }) => answer),
    );
    expect(new Set([...newSandboxes, copied[0]!].map(({ body }) => body.sandbox_id)).size).toBe(21);

    const transactions = calls.filter(({ operation }) => operation === 'TransactWriteItems');
    const shared = transactions.filter(({ input }) => input.TransactItems.length > 3);
    expect(shared.length).toBeGreaterThan(0);
    // Forty-one units would be forty-one calls, and each of the twenty that meet an old claim or a dead
    // candidate one more.
    expect(transactions.length).toBeLessThan(41);
  }
  const conflicts = await broker.container.metrics.registry
    .getSingleMetric('broker_allocate_conflicts_total')!
    .get();
  expect(conflicts.values[0]!.value).toBeGreaterThan(8);
  const items = await table.items();
  // Those that died by the hand of this test were allocated to nobody.
  const whole = items.filter((item) => item.status !== 'allocated' || item.allocated_to_track !== undefined);
  expect(violations(whole)).toEqual([]);
});
