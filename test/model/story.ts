import fc from 'fast-check';
import type { FaultInput } from '../../src/local/csp-simulator/faults.ts';
import { Alone, type Request } from './actions/action.ts';
import { Cleanup, Expiry, HoldJob, RemoveStale, Statistics, Sync } from './actions/jobs.ts';
import { BulkDelete, OPERATOR_MOVE_NAMES, OperatorMove } from './actions/operator.ts';
import { Crash, Resume, Suspend } from './actions/processes.ts';
import {
  clockCorrection,
  clockStep,
  deletedAccountsLinger,
  providerAdds,
  providerListsAgain,
  providerRenames,
  providerWithdraws,
} from './actions/surroundings.ts';
import { Together } from './actions/together.ts';
import { Allocate, Read, Release } from './actions/track.ts';
import { type Settings, World } from './world.ts';

/** Few callers, keys, brokers and sandboxes, so that whatever happens meets what happened before. */
const broker = fc.nat(2);
const sandbox = fc.nat(15);
const track = fc.constantFrom('ann', 'ben', 'cleo', 'dan');
const caller = fc.record({ track, idempotencyKey: fc.constantFrom(undefined, undefined, 'retake') });
const namePrefix = fc.constantFrom(undefined, undefined, undefined, 'lab-', 'winter-');
const job = fc.constantFrom('sync', 'cleanup', 'expiry', 'stale');

/** A listing that fails, or shows less than there is. */
const listingFault: fc.Arbitrary<FaultInput> = fc.oneof(
  fc.constant<FaultInput>({ kind: 'empty_list' }),
  fc.nat(6).map((keep): FaultInput => ({ kind: 'short_list', keep })),
  fc.constantFrom<FaultInput>(
    { kind: 'error' },
    { kind: 'html', status: 200 },
    { kind: 'reset' },
    { kind: 'rate_limited' },
    { kind: 'unauthorized' },
    { kind: 'truncated_json' },
    { kind: 'cut_connection' },
  ),
);

/** Deletions that fail: all of them, some, or after they have taken effect; or nothing can be had at all. */
const deletionFault = fc.constantFrom<FaultInput>(
  { kind: 'error' },
  { kind: 'reset' },
  { kind: 'error', call: 'delete' },
  { kind: 'error', call: 'delete', probability: 0.5 },
  { kind: 'error', call: 'delete', after_effect: true },
  { kind: 'reset', call: 'delete', probability: 0.5, after_effect: true },
  { kind: 'html', call: 'delete', status: 200 },
  { kind: 'rate_limited', call: 'delete', times: 1, retry_after: 30 },
  { kind: 'unauthorized', call: 'delete', times: 1 },
);

const allocate = fc
  .record({ broker, caller, namePrefix, lab: fc.constantFrom(undefined, 'networking-101') })
  .map((drawn) => new Allocate(drawn.broker, drawn.caller, drawn.namePrefix, drawn.lab));
const release = fc
  .record({ broker, track, sandbox })
  .map((drawn) => new Release(drawn.broker, drawn.track, drawn.sandbox));
const read = fc
  .record({ broker, track, sandbox })
  .map((drawn) => new Read(drawn.broker, drawn.track, drawn.sandbox));
const sync = fc
  .record({ broker, faults: fc.array(listingFault, { maxLength: 1 }), force: fc.nat(9) })
  .map((drawn) => new Sync(drawn.broker, drawn.faults, drawn.force === 9));
const cleanup = fc
  .record({ broker, faults: fc.array(deletionFault, { maxLength: 1 }) })
  .map((drawn) => new Cleanup(drawn.broker, drawn.faults));
const expiry = broker.map((number) => new Expiry(number));
const removeStale = fc
  .record({ broker, hours: fc.constantFrom(0, 24) })
  .map((drawn) => new RemoveStale(drawn.broker, drawn.hours));
const operatorMove = fc
  .record({ broker, sandbox, name: fc.constantFrom(...OPERATOR_MOVE_NAMES) })
  .map((drawn) => new OperatorMove(drawn.broker, drawn.name, drawn.sandbox));
const bulkDelete = fc
  .record({ broker, status: fc.constantFrom('stale' as const, 'deletion_failed' as const) })
  .map((drawn) => new BulkDelete(drawn.broker, drawn.status));

const weighted = <Item>(...parts: { weight: number; arbitrary: fc.Arbitrary<Item> }[]) => fc.oneof(...parts);

/** Requests that may be under way at once, or cut in two. Without faults, which would strike the others' calls. */
const anyRequest = weighted<Request>(
  { weight: 8, arbitrary: allocate },
  { weight: 4, arbitrary: release },
  { weight: 1, arbitrary: read },
  { weight: 2, arbitrary: broker.map((number) => new Sync(number)) },
  { weight: 2, arbitrary: broker.map((number) => new Cleanup(number)) },
  { weight: 2, arbitrary: expiry },
  { weight: 1, arbitrary: removeStale },
  { weight: 2, arbitrary: operatorMove },
);

const step = fc.oneof(
  { weight: 12, arbitrary: allocate.map((request) => new Alone(request)) },
  { weight: 6, arbitrary: release.map((request) => new Alone(request)) },
  { weight: 2, arbitrary: read.map((request) => new Alone(request)) },
  { weight: 5, arbitrary: sync.map((request) => new Alone(request)) },
  { weight: 5, arbitrary: cleanup.map((request) => new Alone(request)) },
  { weight: 3, arbitrary: expiry.map((request) => new Alone(request)) },
  { weight: 2, arbitrary: removeStale.map((request) => new Alone(request)) },
  { weight: 1, arbitrary: broker.map((number) => new Alone(new Statistics(number))) },
  { weight: 4, arbitrary: operatorMove.map((request) => new Alone(request)) },
  { weight: 1, arbitrary: bulkDelete.map((request) => new Alone(request)) },
  {
    weight: 1,
    arbitrary: fc
      .record({ broker, job, hold: fc.boolean() })
      .map((drawn) => new Alone(new HoldJob(drawn.broker, drawn.job, drawn.hold))),
  },
  {
    weight: 8,
    arbitrary: fc.array(anyRequest, { minLength: 2, maxLength: 6 }).map((all) => new Together(all)),
  },
  {
    weight: 5,
    arbitrary: fc
      .record({
        request: anyRequest,
        call: fc.integer({ min: 1, max: 8 }),
        side: fc.constantFrom('before', 'after'),
      })
      .map(({ request, call, side }) => new Suspend(request, call, side)),
  },
  { weight: 4, arbitrary: broker.map((number) => new Resume(number)) },
  { weight: 2, arbitrary: broker.map((number) => new Crash(number)) },
  { weight: 7, arbitrary: fc.constantFrom(1, 2, 61, 301, 3_601, 4 * 3_600 + 1_801, 86_401).map(clockStep) },
  {
    weight: 1,
    arbitrary: fc
      .record({ broker, seconds: fc.constantFrom(-3_600, -5, 5, 120) })
      .map((drawn) => clockCorrection(drawn.broker, drawn.seconds)),
  },
  {
    weight: 3,
    arbitrary: fc
      .record({ count: fc.integer({ min: 1, max: 3 }), prefix: fc.constantFrom('lab-', 'winter-') })
      .map((drawn) => providerAdds(drawn.count, drawn.prefix)),
  },
  { weight: 3, arbitrary: sandbox.map(providerWithdraws) },
  { weight: 2, arbitrary: sandbox.map(providerListsAgain) },
  { weight: 1, arbitrary: sandbox.map(providerRenames) },
  { weight: 1, arbitrary: fc.nat(3).map(deletedAccountsLinger) },
);

const settings: fc.Arbitrary<Settings> = fc.record({
  pool: fc.integer({ min: 3, max: 12 }),
  shards: fc.constantFrom(1, 1, 3),
  skews: fc.array(fc.constantFrom(0, 0, -90, 90), { minLength: 1, maxLength: 3 }),
  cleanupConcurrency: fc.constantFrom(1, 4),
  linger: fc.nat(2),
  seed: fc.nat(1_000_000),
});

/** What a run has done. */
export interface Tally {
  stories: number;
  steps: number;
}

/** The story of an installation, told by chance, in which no invariant may ever break. */
export function story(engineUrl: string, tally: Tally, maxSteps: number, replayPath?: string) {
  const replay = replayPath === undefined ? {} : { replayPath };
  const steps = fc.commands([step], { maxCommands: maxSteps, size: 'max', ...replay });
  return fc.asyncProperty(settings, steps, async (drawn, commands) => {
    const world = await World.open(engineUrl, drawn);
    try {
      await fc.asyncModelRun(() => ({ model: world.model, real: world }), commands);
      await world.drain();
    } finally {
      tally.stories += 1;
      tally.steps += world.steps;
      await world.close();
    }
  });
}
