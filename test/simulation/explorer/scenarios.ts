import type { Reply } from '../world/broker.ts';
import type { SmallWorld } from './small-world.ts';

export interface Scenario {
  readonly name: string;
  readonly sandboxes: number;
  /** Whether it is small enough to walk through all orders of its events. */
  readonly allOrders: boolean;
  readonly play: (world: SmallWorld) => Promise<void>;
}

const HOUR_MS = 3_600_000;

const sandboxOf = (reply: Reply | undefined): string | undefined =>
  reply?.status === 'ok' ? reply.sandboxId : undefined;

/** Races of two claim keys over two brokers, each of which an invariant decides. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'one claim key at both brokers, another one beside it, three sandboxes',
    sandboxes: 3,
    allOrders: true,
    play: async (world) => {
      await Promise.all([world.allocate(0, 'ann'), world.allocate(1, 'ann'), world.allocate(1, 'bob')]);
    },
  },
  {
    name: 'two claim keys and one sandbox',
    sandboxes: 1,
    allOrders: true,
    play: async (world) => {
      await Promise.all([world.allocate(0, 'ann'), world.allocate(1, 'bob')]);
    },
  },
  {
    name: 'a release races with a repeated request, and another key takes what is left',
    sandboxes: 2,
    allOrders: true,
    play: async (world) => {
      const sandboxId = sandboxOf(await world.allocate(0, 'ann'));
      if (sandboxId === undefined) return;
      await Promise.all([
        world.release(0, 'ann', sandboxId),
        world.allocate(1, 'ann'),
        world.allocate(1, 'bob'),
      ]);
    },
  },
  {
    name: 'a lost answer, a release elsewhere, and the same key again',
    sandboxes: 2,
    allOrders: true,
    play: async (world) => {
      const first = world.allocate(0, 'ann');
      const sandboxId = sandboxOf(await world.allocate(1, 'ann'));
      if (sandboxId !== undefined) {
        await world.release(1, 'ann', sandboxId);
        await world.allocate(0, 'ann');
      }
      await first;
    },
  },
  {
    name: 'expiry at one broker, release and a repeated request at the other',
    sandboxes: 2,
    allOrders: false,
    play: async (world) => {
      const sandboxId = sandboxOf(await world.allocate(0, 'ann'));
      if (sandboxId === undefined) return;
      await world.client.sleep(HOUR_MS + 2_000);
      await Promise.all([
        world.ask(0, 'run expiry', async (broker) => {
          await broker.runJob('expiry', {});
          return { status: 'ok', sandboxId };
        }),
        world.release(1, 'ann', sandboxId),
        world.allocate(1, 'ann'),
      ]);
    },
  },
  {
    name: 'sync finds an account gone that somebody is taking',
    sandboxes: 1,
    allOrders: false,
    play: async (world) => {
      for (const account of world.provider.accounts.values()) world.provider.hide(account);
      world.provider.addAccount(1, 'lab-a-1', false);
      await Promise.all([
        world.ask(0, 'run sync', async (broker) => {
          await broker.runJob('sync', {});
          return { status: 'ok', sandboxId: '' };
        }),
        world.allocate(1, 'ann'),
      ]);
    },
  },
  {
    name: 'cleanup at one broker, sync at the other, of a sandbox that is still listed',
    sandboxes: 1,
    allOrders: false,
    play: async (world) => {
      const sandboxId = sandboxOf(await world.allocate(0, 'ann'));
      if (sandboxId === undefined) return;
      await world.release(0, 'ann', sandboxId);
      const run = (broker: 0 | 1, job: 'cleanup' | 'sync') =>
        world.ask(broker, `run ${job}`, async (at) => {
          await at.runJob(job, {});
          return { status: 'ok', sandboxId };
        });
      await Promise.all([run(0, 'cleanup'), run(1, 'sync')]);
      await world.allocate(1, 'bob');
    },
  },
];
