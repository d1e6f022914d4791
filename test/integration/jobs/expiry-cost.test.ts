import { expect, test } from 'vitest';
import type { Database } from '../../../src/store/database.ts';
import { type JobsWorld, jobsWorld } from '../../support/jobs-world.ts';
import { allocateAsPreviousBroker } from '../../support/previous-broker.ts';
import { tapDatabase } from '../../support/tapped-database.ts';

/** Asks the engine what each query and scan read, as production does not. */
function metered(database: Database) {
  const reads = { units: 0, rows: 0, scans: 0 };
  const metering = tapDatabase(database, async ({ operation, input }, next) => {
    if (operation !== 'Query' && operation !== 'Scan') return next();
    input.ReturnConsumedCapacity = 'TOTAL';
    const answer = (await next()) as { ConsumedCapacity?: { CapacityUnits?: number }; ScannedCount?: number };
    reads.units += answer.ConsumedCapacity?.CapacityUnits ?? Number.NaN;
    reads.rows += answer.ScannedCount ?? 0;
    if (operation === 'Scan') reads.scans += 1;
    return answer;
  });
  return { metering, reads };
}

/** Active allocations, numbered from `first`. */
async function addActive(world: JobsWorld, count: number, first: number): Promise<void> {
  const now = Math.floor(world.clock.now() / 1000);
  const accounts = world.simulator.accounts.create({ count });
  await allocateAsPreviousBroker(
    world.table.database,
    accounts.map((account, index) => ({
      sandbox: {
        sandboxId: String(account.csp_id),
        name: account.name,
        externalId: account.id,
        sfdcAccountId: null,
      },
      track: `active-${first + index}`,
      allocatedAt: now - (index % 3_600),
    })),
  );
}

test('expiry reads what has expired and nothing else: ten times the active allocations cost it not one unit more', async () => {
  const world = await jobsWorld({ accounts: 3 });
  await world.allocated(3, 'orphan');
  await world.time.pass(5 * 3_600_000);
  await addActive(world, 100, 0);
  const { metering, reads } = metered(world.table.database);
  const broker = await world.newBroker({ database: metering });
  expect((await world.run('expiry', {}, broker)).result).toMatchObject({ expired: 3 });
  const few = { ...reads };
  expect(few).toMatchObject({ rows: 3, scans: 0 });

  await addActive(world, 900, 100);
  expect((await world.run('expiry', {}, broker)).result).toMatchObject({ expired: 0 });
  const idle = { units: reads.units - few.units, rows: reads.rows - few.rows };
  expect(idle.rows).toBe(0);
  expect(idle.units).toBeLessThanOrEqual(few.units);
  expect(reads.scans).toBe(0);

  // The same three again, among ten times as many.
  const orphans = [...(await world.rows()).values()].filter((row) => row.status === 'pending_deletion');
  for (const row of orphans) await world.backdate(String(row.sandbox_id), { status: 'allocated' });
  const before = { ...reads };
  expect((await world.run('expiry', {}, broker)).result).toMatchObject({ expired: 3 });
  expect({ units: reads.units - before.units, rows: reads.rows - before.rows, scans: reads.scans }).toEqual(
    few,
  );
});
