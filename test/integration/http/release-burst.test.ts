import { expect, test } from 'vitest';
import { brokerOfTest } from '../../support/broker.ts';
import { allocate, release } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { tableOfTest } from '../../support/table.ts';

test('a class of 1,000 that ends at one moment gives back every sandbox, none answered 503', async () => {
  const table = await tableOfTest();
  await table.seed(1_000);
  const broker = await brokerOfTest(table.environment);
  const tracks = Array.from({ length: 1_000 }, (_, index) => `student-${index}`);
  const held = await Promise.all(tracks.map((track) => allocate(broker.url, track)));
  const answers = await Promise.all(
    tracks.map((track, index) => release(broker.url, track, held[index]?.body.sandbox_id)),
  );
  expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  const rows = (await table.items()).filter(
    (item) => item.SK === 'META' && String(item.PK).startsWith('SBX#'),
  );
  expect(rows.filter((row) => row.status !== 'pending_deletion')).toEqual([]);
  expect(violations(await table.items())).toEqual([]);
});
