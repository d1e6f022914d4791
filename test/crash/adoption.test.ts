import { expect } from 'vitest';
import { adopt } from '../../src/allocation/adopt.ts';
import { openTable } from '../../src/container/table-access.ts';
import { sampleSandboxes } from '../../src/local/sample-sandboxes.ts';
import { allocateAsPreviousBroker } from '../support/previous-broker.ts';
import { testCrashPoints } from './crash-points.ts';
import type { GatedBroker } from './gated-broker.ts';
import type { CrashInstallation } from './installation.ts';

/** What the previous broker gave: to ann two sandboxes, of which the second counts, and to ben one. */
interface Given {
  readonly ann: string;
  readonly superseded: string;
  readonly ben: string;
}

await testCrashPoints<Given>({
  name: 'adoption of what the previous broker allocated',
  adopted: false,
  prepare: async ({ table, time }) => {
    const [one, two, three] = sampleSandboxes(3) as [Sandbox, Sandbox, Sandbox];
    const now = Math.floor(time.now() / 1000);
    await allocateAsPreviousBroker(table.database, [
      { sandbox: one, track: 'ann', allocatedAt: now - 100 },
      { sandbox: two, track: 'ann', allocatedAt: now - 50 },
      { sandbox: three, track: 'ben', allocatedAt: now - 20 },
    ]);
    await table.seed(2, 10);
    return { superseded: one.sandboxId, ann: two.sandboxId, ben: three.sandboxId };
  },
  perform: (installation, broker) => adoptThrough(installation, broker),
  // Rows wait for their claims; but whatever claim there is must agree with its row.
  inspect: async (installation) => {
    const waiting = /is allocated under ".*" without a claim|holds sandboxes/;
    expect((await installation.violations()).filter((each) => !waiting.test(each))).toEqual([]);
  },
  repeat: async (installation, broker, given) => {
    expect((await installation.allocate(broker, 'ben')).body.sandbox_id).toBe(given.ben);
    await adoptThrough(installation, await installation.broker());
    expect((await installation.allocate(broker, 'ann')).body.sandbox_id).toBe(given.ann);
  },
  expectDone: async (installation, given) => {
    const rows = await installation.rows('allocated');
    expect(rows).toHaveLength(3);
    expect(rows.filter((row) => row.superseded === true)).toMatchObject([{ sandbox_id: given.superseded }]);
    expect(await installation.count('CLAIM#')).toBe(2);
    expect((await installation.table.items()).some(({ PK }) => PK === 'ADOPTION')).toBe(true);
  },
});

type Sandbox = ReturnType<typeof sampleSandboxes>[number];

function adoptThrough({ table, time }: CrashInstallation, broker: GatedBroker) {
  const database = broker.gate.guard(table.database);
  return adopt(openTable(table.config, { clock: time, random: () => 0.5, database }), true);
}
