import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import { sandboxKey, tombstoneKey } from '../../../src/store/keys.ts';
import { brokerOfTest } from '../../support/broker.ts';
import { allocate } from '../../support/client.ts';
import { runCommand } from '../../support/command-line.ts';
import { violations } from '../../support/invariants.ts';
import { tableOfTest } from '../../support/table.ts';

test('seed leaves what is allocated, pending or used as it is, adds the others, and says how many', async () => {
  const table = await tableOfTest();
  const { stdout: first } = await runCommand(table.environment, 'seed', '5');
  expect(first).toBe(`Wrote 5 available sandboxes into ${table.database.tableName}\n`);

  const broker = await brokerOfTest(table.environment);
  const { body: held } = await allocate(broker.url, 'student-1');
  const [deleted] = (await table.items()).filter((item) => item.status === 'available');
  const { tableName, documents } = table.database;
  const usedId = String(deleted?.sandbox_id);
  await documents.send(new DeleteCommand({ TableName: tableName, Key: sandboxKey(usedId) }));
  await documents.send(new PutCommand({ TableName: tableName, Item: tombstoneKey(usedId) }));
  const before = new Map((await table.items()).map((item) => [`${item.PK} ${item.SK}`, item]));

  const again = await runCommand(table.environment, 'seed', '60');
  expect(again.stdout).toContain('Wrote 55 available sandboxes');
  expect(again.stdout).toContain('5 were there, or had been used');
  const items = await table.items();
  const after = new Map(items.map((item) => [`${item.PK} ${item.SK}`, item]));
  for (const [key, item] of before) expect(after.get(key)).toEqual(item);
  expect(items.filter((item) => item.status === 'available')).toHaveLength(58);
  expect(after.get(`SBX#${held.sandbox_id} META`)).toMatchObject({ allocated_to_track: 'student-1' });
  expect(after.has(`SBX#${usedId} META`)).toBe(false);
  expect(violations(items)).toEqual([]);
  expect((await allocate(broker.url, 'student-1')).body).toEqual(held);
});
