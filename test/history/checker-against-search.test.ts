import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contradictionIn } from './checker.ts';
import { someOrderExplains } from './exhaustive-search.ts';
import {
  created,
  emptyPool,
  notFound,
  notOwner,
  released,
  repeated,
  seenAllocated,
  seenReleased,
  unknown,
} from './histories.ts';
import type { Call, History } from './history.ts';

const sandbox = fc.constantFrom('A', 'B');
const caller = fc.record({ track: fc.constantFrom('ann', 'ben'), via: fc.constant('a broker') });

const anyCall = fc.oneof(
  fc.record({
    kind: fc.constant('allocate' as const),
    idempotencyKey: fc.constantFrom(undefined, 'again'),
    answer: fc.oneof(
      sandbox.map(created),
      sandbox.map(repeated),
      fc.constantFrom(emptyPool, unknown, unknown),
    ),
  }),
  fc.record({
    kind: fc.constant('release' as const),
    sandboxId: sandbox,
    answer: fc.constantFrom(released, released, notOwner, notFound, unknown),
  }),
  fc.record({
    kind: fc.constant('read' as const),
    sandboxId: sandbox,
    answer: fc.constantFrom(seenAllocated, seenReleased, notOwner, notFound),
  }),
);

/** Up to six calls, each somewhere among the others; few enough names that most of them concern one another. */
const anyHistory: fc.Arbitrary<History> = fc
  .array(fc.tuple(anyCall, caller, fc.nat(1_000), fc.nat(400)), { minLength: 1, maxLength: 6 })
  .chain((drawn) =>
    fc.record({ othersEndAllocations: fc.boolean(), cleanupRuns: fc.boolean() }).map((circumstances) => ({
      ...circumstances,
      calls: drawn.map(([call, by, sentAt, takes], index): Call => {
        // No two times are equal.
        const at = sentAt * 100 + 2 * index;
        return { ...call, ...by, sentAt: at, answeredAt: at + takes * 100 + 1 };
      }),
    })),
  );

test('the checker says of random histories what trying every order says', () => {
  const verdicts = { explained: 0, contradicted: 0 };
  fc.assert(
    fc.property(anyHistory, (history) => {
      const explained = someOrderExplains(history);
      const contradiction = contradictionIn(history);
      verdicts[explained ? 'explained' : 'contradicted'] += 1;
      if (explained) expect(contradiction).toBeUndefined();
      // Whose unknown call it was that took a sandbox which nobody was answered with, the checker does not try out.
      else if (everyOwnerWasAnswered(history)) expect(contradiction).toBeDefined();
    }),
    { numRuns: 20_000, seed: 20_250_327 },
  );
  // Of either kind there were enough for the comparison to mean something.
  expect(Math.min(verdicts.explained, verdicts.contradicted)).toBeGreaterThan(2_000);
});

function everyOwnerWasAnswered({ calls }: History): boolean {
  const given = new Set(calls.flatMap(({ answer }) => (answer.is === 'allocated' ? [answer.sandboxId] : [])));
  return calls.every(
    ({ sandboxId, answer }) =>
      (answer.is !== 'released' && answer.is !== 'seen') || given.has(sandboxId ?? ''),
  );
}
