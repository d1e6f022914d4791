import { expect, onTestFinished, test } from 'vitest';
import { startCspSimulator } from '../../../src/local/csp-simulator.ts';
import { sandboxOf } from '../../../src/local/provider-accounts.ts';
import { fillPool } from '../../../src/store/new-sandboxes.ts';
import { brokerOfTest, type TestBroker } from '../../support/broker.ts';
import { allocate, release } from '../../support/client.ts';
import { violations } from '../../support/invariants.ts';
import { tableOfTest } from '../../support/table.ts';

const CLASS = 200;
const BATCH = 20;

async function poolAndBrokers() {
  const simulator = await startCspSimulator({ accounts: 260 });
  onTestFinished(() => simulator.close());
  const environment = {
    CSP_BASE_URL: simulator.baseUrl,
    CSP_API_TOKEN: simulator.token,
    LOG_LEVEL: 'warn',
    K_CANDIDATES: '100',
  };
  const table = await tableOfTest({ environment });
  await fillPool(table.database, table.shards, simulator.accounts.all().map(sandboxOf), 1_774_000_000);
  const brokers = [await brokerOfTest(table.environment), await brokerOfTest(table.environment)] as const;
  return { simulator, table, brokers };
}

/** Syncs one after the other on both brokers until it is told to stop. */
function keepSyncing(brokers: readonly TestBroker[], beforeEach: (round: number) => void) {
  let going = true;
  let nextBegan = Promise.withResolvers<void>();
  const results: { outcome: string; result: Record<string, unknown> }[] = [];
  const over = (async () => {
    for (let round = 0; going; round += 1) {
      beforeEach(round);
      nextBegan.resolve();
      nextBegan = Promise.withResolvers();
      const { runner, jobs } = (brokers[round % brokers.length] as TestBroker).container;
      const start = await runner.start(jobs.get('sync'), 'schedule', { force: true });
      if (start.started) results.push(await start.finished);
    }
  })();
  return {
    /** Resolves when one more has begun. */
    next: () => Promise.race([nextBegan.promise, over]),
    stop: async () => {
      going = false;
      await over;
      return results;
    },
  };
}

async function allocateSurely(url: string, track: string): Promise<string> {
  for (;;) {
    const answer = await allocate(url, track);
    if (answer.status === 201 || answer.status === 200) return answer.body.sandbox_id;
    // Names that change under every candidate are a contention like any other: clients come again.
    if (answer.status !== 503) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  }
}

test('of two hundred allocations while syncs rename and stale without a pause, none is lost and none is shared', async () => {
  const { simulator, table, brokers } = await poolAndBrokers();
  const accounts = simulator.accounts.all();
  const comesAndGoes = accounts.slice(0, 30);
  const syncs = keepSyncing(brokers, (round) => {
    for (const account of simulator.accounts.all())
      Object.assign(account, { name: `lab-${round}-${account.csp_id}` });
    if (round % 2 === 0) for (const { id } of comesAndGoes) simulator.accounts.remove(id);
    else simulator.accounts.add(comesAndGoes);
  });
  const held = new Map<string, string>();
  for (let first = 0; first < CLASS; first += BATCH) {
    await syncs.next();
    await Promise.all(
      Array.from({ length: BATCH }, async (_, index) => {
        const track = `student-${first + index}`;
        const url = brokers[index % 2]?.url ?? '';
        const sandboxId = await allocateSurely(url, track);
        held.set(track, sandboxId);
        // Every fourth student stops early.
        if (index % 4 === 0) await release(url, track, sandboxId);
      }),
    );
  }
  const results = await syncs.stop();

  expect(results.length).toBeGreaterThanOrEqual(CLASS / BATCH);
  expect(results.map(({ outcome }) => outcome)).toEqual(results.map(() => 'success'));
  expect(new Set(held.values()).size).toBe(CLASS);
  const items = await table.items();
  const rows = new Map(items.filter((item) => item.SK === 'META').map((item) => [String(item.PK), item]));
  for (const [track, sandboxId] of held) {
    const early = Number(track.split('-')[1]) % 4 === 0;
    expect(rows.get(`SBX#${sandboxId}`)).toMatchObject({
      status: early ? 'pending_deletion' : 'allocated',
      allocated_to_track: track,
    });
  }
  expect(violations(items)).toEqual([]);
});
