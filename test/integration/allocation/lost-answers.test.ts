import { expect, test } from 'vitest';
import { brokerOfTest, brokerProcessOfTest } from '../../support/broker.ts';
import { allocate, release } from '../../support/client.ts';
import { eventually } from '../../support/eventually.ts';
import { violations } from '../../support/invariants.ts';
import { operationOf, proxyOfTest } from '../../support/proxy.ts';
import { type TestTable, tableOfTest } from '../../support/table.ts';
import { type Tap, tapDatabase, timeout } from '../../support/tapped-database.ts';

const isTransaction = (operation: string) => operation === 'TransactWriteItems';

const allocated = async (table: TestTable) =>
  (await table.items()).filter((item) => item.status === 'allocated').map((item) => item.sandbox_id);

/** Lets the first `count` transactions take effect and loses their answers. */
function losing(count: number): { tap: Tap; tokens: string[] } {
  const tokens: string[] = [];
  const tap: Tap = async (call, next) => {
    if (!isTransaction(call.operation)) return next();
    tokens.push(call.input.ClientRequestToken);
    const answer = await next();
    if (tokens.length <= count) throw timeout();
    return answer;
  };
  return { tap, tokens };
}

test('a commit whose answer is lost is found by its token: the request hears of its sandbox as if nothing had been', async () => {
  const table = await tableOfTest();
  await table.seed(5);
  const { tap, tokens } = losing(2);
  const broker = await brokerOfTest(table.environment, { database: tapDatabase(table.database, tap) });
  const answer = await allocate(broker.url, 'student-1');
  expect(answer.status).toBe(201);
  expect([tokens.length, new Set(tokens).size]).toEqual([3, 1]);
  expect(await allocated(table)).toEqual([answer.body.sandbox_id]);
  expect(violations(await table.items())).toEqual([]);
});

test('a commit whose answer never comes is told as 503, and the same key recovers it', async () => {
  const table = await tableOfTest();
  await table.seed(5);
  const { tap } = losing(Number.POSITIVE_INFINITY);
  // Waited for once, and time enough for its key to be looked up afterwards.
  const environment = { ...table.environment, REQUEST_DEADLINE_MS: '5000' };
  const broker = await brokerOfTest(environment, { database: tapDatabase(table.database, tap) });
  const lostAnswer = await allocate(broker.url, 'student-1');
  expect([lostAnswer.status, lostAnswer.body.error.code]).toEqual([503, 'SERVICE_UNAVAILABLE']);
  expect(lostAnswer.headers.get('retry-after')).toBe('5');
  const elsewhere = await brokerOfTest(table.environment);
  for (const url of [broker.url, elsewhere.url]) {
    const retry = await allocate(url, 'student-1');
    expect([retry.status, [retry.body.sandbox_id]]).toEqual([200, await allocated(table)]);
  }
  expect(violations(await table.items())).toEqual([]);
});

test('a release whose answer is lost is released once', async () => {
  const table = await tableOfTest();
  await table.seed(1);
  const calm = await brokerOfTest(table.environment);
  const { sandbox_id: sandboxId } = (await allocate(calm.url, 'student-1')).body;
  const { tap, tokens } = losing(1);
  const broker = await brokerOfTest(table.environment, { database: tapDatabase(table.database, tap) });
  expect((await release(broker.url, 'student-1', sandboxId)).body.status).toBe('pending_deletion');
  expect([tokens.length, new Set(tokens).size]).toEqual([2, 1]);
  expect((await table.items()).filter((item) => String(item.SK).startsWith('EVT#'))).toHaveLength(1);
});

test('half of all answers of the database are lost, and a class of a hundred gets a hundred sandboxes', async () => {
  const table = await tableOfTest();
  await table.seed(150);
  let seen = 0;
  const database = tapDatabase(table.database, async (call, next) => {
    if (call.operation === 'Get') return next();
    seen += 1;
    const own = seen;
    const answer = await next();
    if (own % 2 === 1) throw timeout();
    return answer;
  });
  const broker = await brokerOfTest(table.environment, { database });
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => allocate(broker.url, `student-${index}`)),
  );
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(100);
  expect(new Set(await allocated(table))).toEqual(new Set(answers.map(({ body }) => body.sandbox_id)));
  expect(violations(await table.items())).toEqual([]);
});

test('the writes of a process that is killed before it answers are found by its clients elsewhere', async () => {
  const table = await tableOfTest();
  await table.seed(300);
  let isGone = false;
  let sent = 0;
  let decided = 0;
  const engine = await proxyOfTest(table.environment.DDB_ENDPOINT_URL!, {
    fate: (request) => {
      if (isGone) return 'refuse';
      if (isTransaction(operationOf(request))) sent += 1;
      return 'pass';
    },
    onAnswer: (request) => {
      if (!isTransaction(operationOf(request))) return;
      decided += 1;
      // The table has it, and nobody will ever hear of it.
      if (decided === 2) isGone = doomed.process.kill('SIGKILL');
    },
  });
  const doomed = await brokerProcessOfTest({ ...table.environment, DDB_ENDPOINT_URL: engine });
  const students = Array.from({ length: 200 }, (_, index) => `student-${index}`);
  const heard = await Promise.allSettled(students.map((track) => allocate(doomed.url, track)));
  await doomed.ended;
  await eventually('what it had sent has been decided', () => decided === sent);
  const before = new Set(await allocated(table));
  const told = heard.filter((each) => each.status === 'fulfilled');
  expect(before.size).toBeGreaterThan(told.length);

  const broker = await brokerProcessOfTest(table.environment);
  const retries = await Promise.all(students.map((track) => allocate(broker.url, track)));
  expect(retries.filter(({ status }) => status === 200)).toHaveLength(before.size);
  expect(retries.filter(({ status }) => status === 201)).toHaveLength(200 - before.size);
  for (const { value } of told) expect(retries.map(({ body }) => body)).toContainEqual(value.body);
  expect(await allocated(table)).toHaveLength(200);
  expect(violations(await table.items())).toEqual([]);
});
