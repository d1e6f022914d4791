import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Neighbours } from '../../../src/allocation/neighbours.ts';
import type { BrokerProcess } from '../../../src/local/broker-process.ts';
import { brokerProcessOfTest } from '../../support/broker.ts';
import { allocate, call } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { operationOf, proxyOfTest } from '../../support/proxy.ts';
import { tableOfTest } from '../../support/table.ts';

const IDS = Array.from({ length: 2_000 }, (_, index) => String(2_009_001 + index));

async function processes(count: number) {
  const { database } = await tableOfTest();
  const clock = new ManualClock();
  const logger = pino({ level: 'silent' });
  const all = Array.from(
    { length: count },
    (_, index) =>
      new Neighbours({ database, clock, random: Math.random, logger, instance: `process-${index}` }),
  );
  const beat = async (alive: readonly Neighbours[]) => {
    for (const each of alive) await each.beat();
    for (const each of alive) await each.beat();
  };
  return { all, clock, beat };
}

test('a process that is alone owns every sandbox', async () => {
  const { all, beat } = await processes(1);
  await beat(all);
  expect(IDS.every((id) => all[0]?.owns(id))).toBe(true);
});

test('each sandbox belongs to exactly one of four processes, and each to about a quarter', async () => {
  const { all, beat } = await processes(4);
  await beat(all);
  expect(IDS.filter((id) => all.filter((each) => each.owns(id)).length !== 1)).toEqual([]);
  for (const each of all) {
    const share = IDS.filter((id) => each.owns(id)).length / IDS.length;
    expect(share).toBeGreaterThan(0.2);
    expect(share).toBeLessThan(0.3);
  }
});

test('the share of a process that died goes to the others, and what was theirs stays theirs', async () => {
  const { all, clock, beat } = await processes(3);
  await beat(all);
  const [first, second] = all as [Neighbours, Neighbours, Neighbours];
  const before = IDS.filter((id) => first.owns(id));
  await beat([first, second]);
  await clock.advance(36_000);
  await beat([first, second]);
  expect(first.count).toBe(2);
  expect(before.every((id) => first.owns(id))).toBe(true);
  expect(IDS.every((id) => first.owns(id) !== second.owns(id))).toBe(true);
});

test('two processes that know of each other lose no race for a pool twice as large as the demand', async () => {
  const table = await tableOfTest();
  await table.seed(400);
  const brokers: BrokerProcess[] = [];
  const learned: Promise<void>[] = [];
  for (let index = 0; index < 2; index += 1) {
    const knowsBoth = Promise.withResolvers<void>();
    learned.push(knowsBoth.promise);
    const engine = await proxyOfTest(table.environment.DDB_ENDPOINT_URL!, {
      onAnswer: (request, _status, body) => {
        if (operationOf(request) !== 'Query' || !request.body.includes('INSTANCES')) return;
        if (JSON.parse(body).Count === 2) knowsBoth.resolve();
      },
    });
    brokers.push(await brokerProcessOfTest({ ...table.environment, DDB_ENDPOINT_URL: engine }));
  }
  // Each learns of the other by its next sign of life at the latest.
  await Promise.all(learned);
  // When it has answered this it has read that, too.
  for (const { url } of brokers) expect((await call('GET', `${url}/readyz`)).status).toBe(200);
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) => allocate(brokers[index % 2]!.url, `student-${index}`)),
  );
  expect(answers.every(({ status }) => status === 201)).toBe(true);
  for (const broker of brokers) {
    const { body } = await call('GET', `${broker.url}/metrics`);
    expect(body).toContain('\nbroker_allocate_conflicts_total 0\n');
  }
  expect(violations(await table.items())).toEqual([]);
});
