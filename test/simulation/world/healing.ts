import { JOB_NAMES } from '../../../src/workers/job.ts';
import { violations as violationsOf } from '../../support/invariants.ts';
import { isHeld, kindOf, sandboxItemKey, statusOf, tombstoneItemKey } from '../checker/rows.ts';
import { unmarshallItem } from '../dynamodb/attribute-values.ts';
import type { BrokerBerth } from './berth.ts';
import { NATURE } from './schedule.ts';
import type { World } from './world.ts';

/** Within this time after the last fault everything that was allocated must have come to its end. Milliseconds. */
const HEAL_MS = 36 * 3_600_000;
const LOOK_EVERY_MS = 10 * 60_000;
const NEWCOMER_EVERY_MS = 25 * 60_000;
/** A day and a half of ticks of a few seconds would be most of a world. */
const SLOW_JOBS = {
  SYNC_INTERVAL_SEC: '3600',
  CLEANUP_INTERVAL_SEC: '900',
  AUTO_EXPIRY_INTERVAL_SEC: '900',
  STALE_INTERVAL_SEC: '7200',
  STATISTICS_INTERVAL_SEC: '7200',
  JOB_LEASE_SEC: '30',
};

/** Ends all faults and lets time pass, until everything has come to its end (I4), or too late. */
export async function heal(world: World): Promise<void> {
  const { schedule, board, provider, berths, violations, story } = world;
  story.tell('weather', 'from here on nothing goes wrong any more');
  world.isOver = true;
  // Signs of life every few seconds would be most of a day and a half.
  world.role = { jobs: true, neighbours: false };
  world.environment = { ...world.environment, ...SLOW_JOBS };
  world.shards = [Math.max(...world.shards)];
  board.on = false;
  board.severity = 1;
  provider.downSince = undefined;
  for (const account of provider.accounts.values()) provider.showAgain(account);
  for (const berth of berths) {
    berth.process.pausedUntil = 0;
    berth.crash(100);
  }
  if ((world.plan.previousRows > 0 || world.plan.previousRuns) && !world.adopter.completed)
    world.adopter.begin(10_000);
  resumeJobs(world);
  newcomers(world);
  const end = schedule.now + HEAL_MS;
  let healed = false;
  const look = () => {
    healed = unfinished(world).length === 0;
    if (!healed && schedule.now < end) schedule.after(LOOK_EVERY_MS, NATURE, 'look', look);
  };
  schedule.after(LOOK_EVERY_MS, NATURE, 'look', look);
  await schedule.run(() => healed || schedule.now >= end);
  if (violations.first !== undefined) return;
  for (const text of unfinished(world)) violations.add('I4', text);
  for (const text of leaks(world)) violations.add('I4', text);
  for (const text of violationsOf(everything(world))) violations.add(text.slice(0, text.indexOf(':')), text);
}

/** What operators paused goes on. */
function resumeJobs(world: World): void {
  for (const [index, name] of JOB_NAMES.entries()) {
    world.schedule.after(5_000 + index, NATURE, 'resume', () => {
      const { broker } = world.berths[0] as BrokerBerth;
      world.schedule.after(0, broker.process, 'resume', () => void broker.pauseJob(name, true));
    });
  }
}

/**
 * Life goes on: now and then a newcomer comes to one of the brokers, and gives back what it gets. It must get
 * something where there is something. Cleanup needs that, too: an account that cannot be deleted is told from a
 * provider that deletes none by the deletions of others.
 */
function newcomers(world: World, count = 0): void {
  world.schedule.after(NEWCOMER_EVERY_MS, NATURE, 'newcomer', () => {
    newcomers(world, count + 1);
    world.pool.addAccounts(1);
    const { broker } = world.berths[count % world.berths.length] as BrokerBerth;
    const track = `newcomer-${count}`;
    const wasFree = world.checker.availableAt.size > 0;
    world.schedule.after(0, broker.process, 'newcomer', () => {
      void broker.allocate({ track }).then(async (reply) => {
        world.story.tell(broker.process.name, `a newcomer hears ${JSON.stringify(reply)}`);
        if (reply.status === 'ok') {
          world.releaseAsked.add(reply.sandboxId);
          await broker.release(reply.sandboxId, track);
        } else if (reply.code !== 'NO_SANDBOXES_AVAILABLE' || wasFree) {
          world.violations.add('availability', `a newcomer heard ${reply.code} when all was well again`);
        }
      });
    });
  });
}

/** Rows on their way: nothing stays in these states for ever. */
function unfinished(world: World): string[] {
  const texts: string[] = [];
  for (const [key, item] of world.store.table.entries()) {
    const kind = kindOf(key);
    if (kind.kind !== 'sandbox') continue;
    const status = statusOf(item);
    if (status !== 'allocated' && status !== 'pending_deletion') continue;
    // The newcomers' own are on their way, and there are always some.
    if (item.allocated_to_track?.S?.startsWith('newcomer-') === true) continue;
    const held = isHeld(item) ? ` to "${item.allocated_to_track?.S}"` : '';
    texts.push(`sandbox ${kind.id} is ${status}${held} long after its time`);
  }
  return texts;
}

/** Whatever was allocated is gone at the provider, or is where an operator sees it or decided about it. */
function leaks(world: World): string[] {
  const texts: string[] = [];
  for (const { sandboxId } of world.allocations.all()) {
    const row = world.store.table.get(sandboxItemKey(sandboxId));
    if (row?.allocated_to_track?.S?.startsWith('newcomer-') === true) continue;
    if (row !== undefined) {
      if (statusOf(row) !== 'deletion_failed')
        texts.push(`sandbox ${sandboxId} was used and is ${statusOf(row)}`);
      continue;
    }
    if (world.store.table.get(tombstoneItemKey(sandboxId)) === undefined)
      texts.push(`sandbox ${sandboxId} was used and left no trace`);
  }
  return texts;
}

function everything(world: World): Record<string, unknown>[] {
  return [...world.store.table.entries()].map(([, item]) => unmarshallItem(item));
}
