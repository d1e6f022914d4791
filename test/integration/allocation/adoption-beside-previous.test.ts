import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import { adopt } from '../../../src/allocation/adopt.ts';
import { openTable } from '../../../src/container/table-access.ts';
import type { Database } from '../../../src/store/database.ts';
import { sandboxKey } from '../../../src/store/keys.ts';
import { brokerOfTest } from '../../support/broker.ts';
import { allocate, release } from '../../support/client.ts';
import { runCommand } from '../../support/command-line.ts';
import { violations } from '../../support/invariants.ts';
import {
  allocateAsPreviousBroker,
  fillAsPreviousBroker,
  type PreviousCaller,
  releaseAsPreviousBroker,
} from '../../support/previous-broker.ts';
import { type TestTable, tableOfTest } from '../../support/table.ts';
import { type DatabaseCall, tapDatabase } from '../../support/tapped-database.ts';

/** Changes a row past both brokers; undefined takes the attribute away. */
async function setOnRow(
  database: Database,
  sandboxId: string,
  attribute: string,
  value: unknown,
): Promise<void> {
  await database.documents.send(
    new UpdateCommand({
      TableName: database.tableName,
      Key: sandboxKey(sandboxId),
      UpdateExpression: value === undefined ? 'REMOVE #attribute' : 'SET #attribute = :value',
      ExpressionAttributeNames: { '#attribute': attribute },
      ...(value === undefined ? {} : { ExpressionAttributeValues: { ':value': value } }),
    }),
  );
}

test('while the previous broker still serves, an allocation that it ended without ending the claim is seen through', async () => {
  const table = await tableOfTest({ adopted: false });
  const [callers, free] = [
    await fillAsPreviousBroker(table.database, await table.seed(5)),
    await table.seed(10, 100),
  ];
  const broker = await brokerOfTest(table.environment);
  const [asked, untouched] = [callers[1]!, callers[2]!];
  for (const caller of [asked, untouched]) await allocate(broker.url, caller.track, caller.headers);
  for (const caller of [asked, untouched]) {
    await releaseAsPreviousBroker(table.database, caller.held[0]!, 1_774_000_000);
  }
  const broken = violations(await table.items());
  expect(broken.filter((problem) => problem.endsWith('which is pending_deletion'))).toHaveLength(2);

  const next = await allocate(broker.url, asked.track, asked.headers);
  expect(next.status).toBe(201);
  expect(free.map(({ sandboxId }) => sandboxId)).toContain(next.body.sandbox_id);
  const repaired = await runCommand(table.environment, 'adopt');
  expect(repaired.stdout).toContain('1 claims without allocation removed');
  expect(violations(await table.items())).toEqual([]);
});

test('a caller whose latest sandbox was released is not given an older one of the previous broker after adoption', async () => {
  const table = await tableOfTest({ adopted: false });
  const callers = await fillAsPreviousBroker(table.database, await table.seed(3));
  const [free] = await table.seed(1, 100);
  await runCommand(table.environment, 'adopt');
  const broker = await brokerOfTest(table.environment);
  const { track, headers, held } = callers[0]!;
  expect((await release(broker.url, track, held.at(-1)!)).status).toBe(200);
  const next = await allocate(broker.url, track, headers);
  expect([next.status, next.body.sandbox_id]).toEqual([201, free!.sandboxId]);
  // The older ones are its own still, and it may give them back.
  for (const sandboxId of held.slice(0, -1))
    expect((await release(broker.url, track, sandboxId)).status).toBe(200);
  expect((await allocate(broker.url, track, headers)).body.sandbox_id).toBe(free!.sandboxId);
  expect(violations(await table.items())).toEqual([]);
});

/** The one caller holds three; something happens to them just before the first write of adoption that `matches`. */
async function adoptWhile(
  matches: (call: DatabaseCall) => boolean,
  happening: (table: TestTable, caller: PreviousCaller) => Promise<unknown>,
): Promise<TestTable> {
  const table = await tableOfTest({ adopted: false });
  const [caller] = await fillAsPreviousBroker(table.database, await table.seed(3));
  await table.seed(3, 100);
  let happened = false;
  const database = tapDatabase(table.database, async (call, next) => {
    if (!happened && matches(call)) {
      happened = true;
      await happening(table, caller!);
    }
    return next();
  });
  await adopt(openTable(table.config, { database }), true);
  expect(happened).toBe(true);
  return table;
}

const writesClaim = ({ input }: DatabaseCall) => input.TransactItems?.[0]?.Put !== undefined;
const marksSuperseded = ({ input }: DatabaseCall) => input.TransactItems?.[0]?.Update !== undefined;

test.each([
  ['claims are written', writesClaim],
  ['older rows are marked', marksSuperseded],
])('a release while %s leaves no row without a claim and without a mark', async (_, matches) => {
  const table = await adoptWhile(matches, async (each, { track, held }) => {
    const broker = await brokerOfTest(each.environment);
    expect((await release(broker.url, track, held.at(-1)!)).status).toBe(200);
  });
  expect(violations(await table.items())).toEqual([]);
});

test.each([
  ['claims are written', writesClaim],
  ['older rows are marked', marksSuperseded],
])('a release and a new allocation while %s leave the caller with that one', async (_, matches) => {
  let given = '';
  const table = await adoptWhile(matches, async (each, { track, headers, held }) => {
    const broker = await brokerOfTest(each.environment);
    await release(broker.url, track, held.at(-1)!);
    given = (await allocate(broker.url, track, headers)).body.sandbox_id;
  });
  expect(violations(await table.items())).toEqual([]);
  const broker = await brokerOfTest(table.environment);
  expect((await allocate(broker.url, 'previous-0', { 'idempotency-key': 'key-0' })).body.sandbox_id).toBe(
    given,
  );
});

test('a row that was marked since it was read is not adopted', async () => {
  const table = await tableOfTest({ adopted: false });
  const [sandbox] = await table.seed(2);
  const [track, allocatedAt] = ['student-1', 1_774_000_000];
  await allocateAsPreviousBroker(table.database, [{ sandbox: sandbox!, track, allocatedAt }]);
  const database = tapDatabase(table.database, async (call, next) => {
    if (call.operation === 'TransactWriteItems')
      await setOnRow(table.database, sandbox!.sandboxId, 'superseded', true);
    return next();
  });
  const broker = await brokerOfTest(table.environment, { database });
  const answer = await allocate(broker.url, track);
  expect([answer.status, answer.body.sandbox_id === sandbox!.sandboxId]).toEqual([201, false]);
  expect(violations(await table.items())).toEqual([]);
});

test('a claim is no answer once the previous broker has given its sandbox to another key of the same caller', async () => {
  const table = await tableOfTest({ adopted: false });
  const [sandbox] = await table.seed(2);
  const [track, allocatedAt] = ['student-1', 1_774_000_000];
  await allocateAsPreviousBroker(table.database, [{ sandbox: sandbox!, track, allocatedAt }]);
  const broker = await brokerOfTest(table.environment);
  expect((await allocate(broker.url, track)).body.sandbox_id).toBe(sandbox!.sandboxId);
  await allocateAsPreviousBroker(table.database, [
    { sandbox: sandbox!, track, idempotencyKey: 'second', allocatedAt: allocatedAt + 1 },
  ]);
  const [own, second] = [
    await allocate(broker.url, track),
    await allocate(broker.url, track, { 'idempotency-key': 'second' }),
  ];
  expect([own.status, second.status]).toEqual([201, 200]);
  expect(second.body.sandbox_id).toBe(sandbox!.sandboxId);
  expect(own.body.sandbox_id).not.toBe(sandbox!.sandboxId);
  expect(violations(await table.items())).toEqual([]);
});

test('a row that can be given no claim keeps adoption open, and is named', async () => {
  const table = await tableOfTest({ adopted: false });
  const [sandbox] = await table.seed(1);
  await allocateAsPreviousBroker(table.database, [
    { sandbox: sandbox!, track: 'student-1', allocatedAt: 1_774_000_000 },
  ]);
  await setOnRow(table.database, sandbox!.sandboxId, 'allocated_at', undefined);
  const run = await runCommand(table.environment, 'adopt');
  expect(run).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`SBX#${sandbox!.sandboxId}`) });
  expect((await table.items()).filter((item) => item.PK === 'ADOPTION')).toEqual([]);
});
