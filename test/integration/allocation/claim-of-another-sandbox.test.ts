import { expect, test } from 'vitest';
import { brokerOfTest } from '../../support/broker.ts';
import { allocate, release } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { allocateAsPreviousBroker } from '../../support/previous-broker.ts';
import { tableOfTest } from '../../support/table.ts';

test('an allocation that has no claim takes nobody else’s with it when it ends, though it is of the same caller', async () => {
  const table = await tableOfTest();
  const [old] = await table.seed(2);
  if (old === undefined) throw new Error('There is no sandbox');
  // Overlooked by adoption, or written by a task of the previous broker that was still there.
  await allocateAsPreviousBroker(table.database, [
    { sandbox: old, track: 'ann', allocatedAt: 1_740_000_000 },
  ]);
  const broker = await brokerOfTest(table.environment);
  const held = await allocate(broker.url, 'ann');
  expect(held.body.sandbox_id).not.toBe(old.sandboxId);

  expect((await release(broker.url, 'ann', old.sandboxId)).status).toBe(200);
  expect((await allocate(broker.url, 'ann')).body).toEqual(held.body);
  expect(violations(await table.items())).toEqual([]);
});
