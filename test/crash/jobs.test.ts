import { expect } from 'vitest';
import type { SimulatedAccount } from '../../src/local/csp-simulator/simulated-accounts.ts';
import { testCrashPoints } from './crash-points.ts';
import type { CrashInstallation } from './installation.ts';

const HOUR_MS = 3_600_000;

/** So many accounts at the provider, all of them in the pool. */
async function withAccounts(installation: CrashInstallation, count: number) {
  installation.provider.accounts.create({ count });
  const broker = await installation.broker();
  await installation.run(broker, 'sync');
  return broker;
}

async function allocated(installation: CrashInstallation, tracks: readonly string[]): Promise<string[]> {
  const broker = await withAccounts(installation, tracks.length + 1);
  const sandboxes: string[] = [];
  for (const track of tracks) sandboxes.push((await installation.allocate(broker, track)).body.sandbox_id);
  return sandboxes;
}

await testCrashPoints<{ sandboxes: string[] }>({
  name: 'expiry of two allocations',
  prepare: async (installation) => {
    const sandboxes = await allocated(installation, ['ann', 'ben']);
    await installation.time.advance(5 * HOUR_MS);
    return { sandboxes };
  },
  perform: (installation, broker) => installation.run(broker, 'expiry'),
  repeat: async (installation, broker) => {
    expect((await installation.run(broker, 'expiry')).outcome).toBe('success');
  },
  expectDone: async (installation, { sandboxes }) => {
    const pending = await installation.rows('pending_deletion');
    expect(pending.map((row) => row.sandbox_id).sort()).toEqual(sandboxes.sort());
    expect(await installation.told('expire')).toBe(2);
    expect(await installation.count('CLAIM#')).toBe(0);
  },
});

await testCrashPoints<{ sandboxes: string[] }>({
  name: 'cleanup of two released sandboxes',
  prepare: async (installation) => {
    const sandboxes = await allocated(installation, ['ann', 'ben']);
    const broker = await installation.broker();
    await installation.release(broker, 'ann', sandboxes[0] as string);
    await installation.release(broker, 'ben', sandboxes[1] as string);
    return { sandboxes };
  },
  perform: (installation, broker) => installation.run(broker, 'cleanup'),
  inspect: async (installation) => {
    expect(await installation.violations()).toEqual([]);
    // The provider may have deleted what the table does not know of: sync makes nothing of it.
    const before = await installation.rows();
    await installation.run(await installation.broker(), 'sync');
    expect(await installation.rows()).toEqual(before);
  },
  repeat: async (installation, broker) => {
    expect((await installation.run(broker, 'cleanup')).outcome).toBe('success');
    await installation.run(broker, 'sync');
  },
  expectDone: async (installation, { sandboxes }) => {
    expect(await installation.rows()).toMatchObject([{ status: 'available' }]);
    expect(await installation.count('TOMB#')).toBe(2);
    for (const sandboxId of sandboxes) expect(installation.provider.accounts.find(sandboxId)).toBeUndefined();
    expect(installation.provider.accounts.size).toBe(1);
  },
});

await testCrashPoints<Record<'renamed' | 'missing' | 'restored' | 'held' | 'added', string>>({
  name: 'a sync that adds, renames, stales and restores',
  prepare: async (installation) => {
    const { accounts } = installation.provider;
    const broker = await withAccounts(installation, 4);
    const { body } = await installation.allocate(broker, 'ann');
    const held = accounts.find(body.sandbox_id) as SimulatedAccount;
    const [renamed, missing, restored] = accounts.all().filter((account) => account !== held) as [
      SimulatedAccount,
      SimulatedAccount,
      SimulatedAccount,
    ];
    accounts.remove(restored.id);
    await installation.run(broker, 'sync');
    accounts.add([restored]);
    accounts.remove(missing.id);
    accounts.remove(renamed.id);
    accounts.add([{ ...renamed, name: 'another-name' }]);
    // Allocated, and gone from the listing: none of sync's business.
    accounts.remove(held.id);
    const [added] = accounts.create({ count: 1 }) as [SimulatedAccount];
    const idOf = (account: SimulatedAccount) => String(account.csp_id);
    return {
      renamed: idOf(renamed),
      missing: idOf(missing),
      restored: idOf(restored),
      held: idOf(held),
      added: idOf(added),
    };
  },
  perform: (installation, broker) => installation.run(broker, 'sync'),
  repeat: async (installation, broker) => {
    expect((await installation.run(broker, 'sync')).outcome).toBe('success');
  },
  expectDone: async (installation, sandboxes) => {
    const rows = new Map((await installation.rows()).map((row) => [row.sandbox_id, row]));
    expect(rows.get(sandboxes.renamed)).toMatchObject({ status: 'available', name: 'another-name' });
    expect(rows.get(sandboxes.missing)).toMatchObject({ status: 'stale' });
    expect(rows.get(sandboxes.restored)).toMatchObject({ status: 'available' });
    expect(rows.get(sandboxes.added)).toMatchObject({ status: 'available' });
    expect(rows.get(sandboxes.held)).toMatchObject({ status: 'allocated' });
    expect(rows.size).toBe(5);
  },
});

await testCrashPoints<undefined>({
  name: 'the removal of what has been stale for long',
  prepare: async (installation) => {
    const { accounts } = installation.provider;
    const broker = await withAccounts(installation, 3);
    const [one, other] = accounts.all() as [SimulatedAccount, SimulatedAccount];
    accounts.remove(one.id);
    accounts.remove(other.id);
    await installation.run(broker, 'sync');
    await installation.time.advance(25 * HOUR_MS);
    await installation.run(broker, 'sync');
    return undefined;
  },
  perform: (installation, broker) => installation.run(broker, 'stale'),
  repeat: async (installation, broker) => {
    expect((await installation.run(broker, 'stale')).outcome).toBe('success');
  },
  expectDone: async (installation) => {
    expect(await installation.rows()).toMatchObject([{ status: 'available' }]);
    expect(await installation.count('TOMB#')).toBe(2);
  },
});
