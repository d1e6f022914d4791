import { expect } from 'vitest';
import { testCrashPoints } from './crash-points.ts';
import type { GatedBroker } from './gated-broker.ts';
import type { CrashInstallation } from './installation.ts';

/** Longer than the wait after a deletion's first failure. */
const NEXT_ATTEMPT_MS = 6 * 60_000;

/** So many sandboxes, allocated to the tracks and given back. */
async function released(installation: CrashInstallation, ...tracks: readonly string[]): Promise<string[]> {
  const broker = await installation.broker();
  installation.provider.accounts.create({ count: tracks.length });
  await installation.run(broker, 'sync');
  const sandboxes: string[] = [];
  for (const track of tracks) {
    const { body } = await installation.allocate(broker, track);
    await installation.release(broker, track, body.sandbox_id);
    sandboxes.push(body.sandbox_id);
  }
  return sandboxes;
}

const cleanUp = async (installation: CrashInstallation, broker: GatedBroker) => {
  expect((await installation.run(broker, 'cleanup')).outcome).toBe('success');
};

const rowOf = async (installation: CrashInstallation, sandboxId: string) =>
  (await installation.rows()).find((row) => row.sandbox_id === sandboxId);

await testCrashPoints<{ sandboxId: string; externalId: string }>({
  name: 'cleanup of a tenant with two services, with the NIOSXaaS step and its record',
  environment: { NIOSXAAS_ENABLED: 'true', NIOSXAAS_SHADOW_MODE: 'false' },
  prepare: async (installation) => {
    const [sandboxId] = (await released(installation, 'ann')) as [string];
    const { accounts } = installation.provider;
    const externalId = accounts.find(sandboxId)?.id ?? '';
    for (const name of ['lab', 'other']) accounts.addService(externalId, name);
    return { sandboxId, externalId };
  },
  perform: (installation, broker) => installation.run(broker, 'cleanup'),
  inspect: async (installation, { sandboxId }) => {
    expect(await installation.violations()).toEqual([]);
    const { log } = installation.provider;
    // The account never goes before what is in it.
    if (log.of('delete').length > 0) expect(log.of('niosxaas_delete')).toHaveLength(2);
    if (log.of('delete').length === 0)
      expect(await rowOf(installation, sandboxId)).toMatchObject({ status: 'pending_deletion' });
  },
  repeat: cleanUp,
  expectDone: async (installation, { sandboxId, externalId }) => {
    const { accounts } = installation.provider;
    expect(accounts.find(sandboxId)).toBeUndefined();
    expect(accounts.services(externalId)).toEqual([]);
    expect(await installation.rows()).toEqual([]);
    expect(await installation.count('TOMB#')).toBe(1);
    const records = (await installation.table.items()).filter(({ PK }) => String(PK).startsWith('NIOSXAAS#'));
    // What a process did that died before it wrote that down is found done by the next one.
    expect([1, 2]).toContain(records.length);
    for (const record of records) expect(record).toMatchObject({ sandbox_id: sandboxId });
  },
});

await testCrashPoints<{ failing: string; other: string }>({
  name: 'cleanup of two sandboxes, one of which cannot be deleted',
  prepare: async (installation) => {
    const [failing, other] = (await released(installation, 'ann', 'ben')) as [string, string];
    installation.provider.faults.add({ kind: 'error', call: 'delete', account: failing });
    return { failing, other };
  },
  perform: (installation, broker) => installation.run(broker, 'cleanup'),
  repeat: cleanUp,
  expectDone: async (installation, { failing, other }) => {
    const { accounts } = installation.provider;
    const [row] = await installation.rows();
    // Its next attempt is not due: whoever repeats the run must not have counted this one again.
    expect(row).toMatchObject({ sandbox_id: failing, status: 'pending_deletion', deletion_retry_count: 1 });
    expect(row?.next_attempt_at).toBeGreaterThan(installation.time.now() / 1000);
    expect(accounts.find(failing)).toBeDefined();
    expect(accounts.find(other)).toBeUndefined();
    expect(await installation.rows()).toHaveLength(1);
    expect(await installation.count('TOMB#')).toBe(1);
  },
});

await testCrashPoints<{ hopeless: string }>({
  name: 'giving up a deletion that has failed while others succeeded',
  environment: { DELETION_RETRY_MAX_ATTEMPTS: '1' },
  prepare: async (installation) => {
    const [hopeless] = (await released(installation, 'ann', 'ben')) as [string];
    installation.provider.faults.add({ kind: 'error', call: 'delete', account: hopeless });
    // Two signs that it is the account and not the provider: others go before it, and it fails again.
    for (const next of ['cleo', 'dan']) {
      await cleanUp(installation, await installation.broker());
      expect(await rowOf(installation, hopeless)).toMatchObject({ status: 'pending_deletion' });
      await released(installation, next);
      await installation.time.advance(NEXT_ATTEMPT_MS);
    }
    return { hopeless };
  },
  perform: (installation, broker) => installation.run(broker, 'cleanup'),
  repeat: async (installation, broker) => {
    await cleanUp(installation, broker);
    // A success that its process did not live to write down is no sign: then it takes another one.
    await released(installation, 'eve');
    await installation.time.advance(NEXT_ATTEMPT_MS);
    await cleanUp(installation, broker);
  },
  expectDone: async (installation, { hopeless }) => {
    expect(await installation.rows()).toMatchObject([
      { sandbox_id: hopeless, status: 'deletion_failed', deletion_retry_count: 1 },
    ]);
    expect(await installation.count('TOMB#')).toBe(4);
    const events = (await installation.table.items()).filter(({ move }) => move === 'give_up_deletion');
    expect(events).toMatchObject([{ sandbox_id: hopeless, to: 'deletion_failed' }]);
    expect(installation.provider.accounts.find(hopeless)).toBeDefined();
  },
});
