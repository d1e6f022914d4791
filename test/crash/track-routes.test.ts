import { expect } from 'vitest';
import { testCrashPoints } from './crash-points.ts';

await testCrashPoints<undefined>({
  name: 'an allocation',
  prepare: async ({ table }) => {
    await table.seed(3);
    return undefined;
  },
  perform: (installation, broker) => installation.allocate(broker, 'ann'),
  repeat: async (installation, broker) => {
    const { status, body } = await installation.allocate(broker, 'ann');
    expect([200, 201]).toContain(status);
    expect((await installation.allocate(broker, 'ann')).body).toEqual(body);
  },
  expectDone: async (installation) => {
    expect(await installation.rows('allocated')).toHaveLength(1);
    expect(await installation.rows('available')).toHaveLength(2);
    expect(await installation.count('CLAIM#')).toBe(1);
  },
});

await testCrashPoints<{ sandboxId: string }>({
  name: 'a release',
  prepare: async (installation) => {
    await installation.table.seed(3);
    const { body } = await installation.allocate(await installation.broker(), 'ann');
    return { sandboxId: body.sandbox_id };
  },
  perform: (installation, broker, { sandboxId }) => installation.release(broker, 'ann', sandboxId),
  inspect: async (installation, { sandboxId }) => {
    expect(await installation.violations()).toEqual([]);
    // Whoever asks now gets what the row says: the sandbox that it still holds, or another.
    const [held] = await installation.rows('allocated');
    const { status, body } = await installation.allocate(await installation.broker(), 'ann');
    expect(status).toBe(held === undefined ? 201 : 200);
    expect(body.sandbox_id === sandboxId).toBe(held !== undefined);
  },
  repeat: async (installation, broker, { sandboxId }) => {
    const { status, body } = await installation.release(broker, 'ann', sandboxId);
    expect(status).toBe(200);
    expect((await installation.release(broker, 'ann', sandboxId)).body).toEqual(body);
  },
  expectDone: async (installation, { sandboxId }) => {
    expect(await installation.rows('pending_deletion')).toMatchObject([{ sandbox_id: sandboxId }]);
    expect(await installation.told('release')).toBe(1);
  },
});
