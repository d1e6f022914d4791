import { expect, test } from 'vitest';
import { allocate } from '../../support/client.ts';
import { brokerProcessOfTest } from '../../support/broker.ts';
import { violations } from '../../support/invariants.ts';
import { tableOfTest } from '../../support/table.ts';

test('fifty racing requests of one claim key over two processes get one sandbox and one 201, two hundred times', async () => {
  const table = await tableOfTest();
  await table.seed(400);
  const brokers = await Promise.all([brokerProcessOfTest(table.environment), brokerProcessOfTest(table.environment)]);
  for (let round = 0; round < 200; round += 1) {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => allocate(brokers[index % 2]!.url, `student-${round}`)),
    );
    expect(new Set(answers.map((answer) => answer.body.sandbox_id)).size).toBe(1);
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(49);
  }
  expect(violations(await table.items())).toEqual([]);
});

test('five hundred claim keys race for a hundred sandboxes over two processes: a hundred owners, four hundred 409', async () => {
  const table = await tableOfTest();
  await table.seed(100);
  const brokers = await Promise.all([brokerProcessOfTest(table.environment), brokerProcessOfTest(table.environment)]);
  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, index) => allocate(brokers[index % 2]!.url, `student-${index}`)),
  );
  const won = answers.filter((answer) => answer.status === 201);
  expect(new Set(won.map((answer) => answer.body.sandbox_id)).size).toBe(100);
  expect(answers.filter((answer) => answer.status === 409)).toHaveLength(400);
  expect(violations(await table.items())).toEqual([]);
});
