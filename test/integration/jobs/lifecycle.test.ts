import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { violations } from '../../support/invariants.ts';
import { adminCall, type JobProcesses, jobProcesses } from '../../support/job-processes.ts';
import { providerViolations } from '../../support/provider-violations.ts';
import { Students } from '../../support/students.ts';

/** Makes an allocation older than its lab and its grace time, as five hours would. */
async function backdate({ table }: JobProcesses, sandboxId: string): Promise<void> {
  await table.database.documents.send(
    new UpdateCommand({
      TableName: table.database.tableName,
      Key: { PK: `SBX#${sandboxId}`, SK: 'META' },
      UpdateExpression: 'SET allocated_at = allocated_at - :hours',
      ExpressionAttributeValues: { ':hours': 5 * 3_600 },
    }),
  );
}

async function statuses(world: JobProcesses): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const row of (await world.rows()).values())
    counts[String(row.status)] = (counts[String(row.status)] ?? 0) + 1;
  return counts;
}

test.each([1, 2, 3])(
  'over %i processes: accounts appear, become available, are allocated, released or forgotten, deleted at the provider, and gone',
  async (count) => {
    const world = await jobProcesses(count, { simulator: { settings: { linger_listings: 5 } } });
    const { simulator, brokers, table } = world;
    const students = new Students(brokers);

    simulator.accounts.create({ count: 16 });
    await eventually('accounts are available', async () => (await statuses(world)).available === 16);

    const tracks = Array.from({ length: 10 }, (_, index) => `student-${index}`);
    const held = new Map(
      await Promise.all(tracks.map(async (track) => [track, await students.begins(track)] as const)),
    );
    expect(new Set(held.values()).size).toBe(10);
    // Three stop early, three never call back, four go on; and one account disappears that nobody holds.
    const early = tracks.slice(0, 3);
    const forgotten = tracks.slice(3, 6);
    const active = tracks.slice(6);
    for (const track of early) await students.ends(track, String(held.get(track)));
    for (const track of forgotten) await backdate(world, String(held.get(track)));
    const unused = [...(await world.rows()).values()].find((row) => row.status === 'available');
    simulator.accounts.remove(String(unused?.sandbox_id));

    await eventually('what was ended is deleted, and what disappeared is stale', async () => {
      const counts = await statuses(world);
      return (
        counts.allocated === 4 && counts.available === 5 && counts.stale === 1 && !counts.pending_deletion
      );
    });
    for (const track of [...early, ...forgotten])
      expect(simulator.accounts.find(String(held.get(track)))).toBeUndefined();
    for (const track of active) {
      expect(simulator.accounts.find(String(held.get(track)))).toBeDefined();
      // The lab script runs again: the same sandbox.
      expect(await students.begins(track)).toBe(held.get(track));
    }

    // The provider still lists what is deleted: some syncs later it is not back.
    const listings = simulator.log.of('list').length;
    await eventually('more syncs', () => simulator.log.of('list').length >= listings + 3);
    expect(await statuses(world)).toEqual({ allocated: 4, available: 5, stale: 1 });
    const items = await table.items();
    expect(violations(items)).toEqual([]);
    expect(providerViolations(simulator, items, students.owners)).toEqual([]);
    expect(simulator.log.of('delete').filter(({ status }) => status === 204)).toHaveLength(6);
    const [broker] = brokers;
    const expired = (await table.items()).filter((item) => item.move === 'expire');
    expect(expired.map((event) => event.held_by_track).sort()).toEqual([...forgotten].sort());
    await eventually('the statistics have caught up', async () => {
      const stats = broker && (await adminCall(broker, 'GET', '/stats'));
      return stats?.body.total === 10 && stats.body.allocated === 4 && stats.body.stale === 1;
    });
  },
);
