import { expect, test } from 'vitest';
import { whileTimePasses } from '../../crash/passing-time.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test.each([
  ['nobody else waits', []],
  ['another waits for an hour', [3_600_000]],
])(
  'a wait that is given up when its time is about to pass lets no more than that pass, where %s',
  async (_words, others) => {
    const work = Promise.withResolvers<void>();
    // Given up by what another turn of the event loop brings, after somebody has looked and before the clock moves.
    class GivenUpWhenSeen extends ManualClock {
      override get untilNext(): number | null {
        setImmediate(() => {
          giveUp();
          work.resolve();
        });
        return super.untilNext;
      }
    }
    const clock = new GivenUpWhenSeen(0);
    const served: number[] = [];
    for (const wait of others) clock.after(wait, () => served.push(wait));
    const giveUp = clock.after(700, () => served.push(700));
    await whileTimePasses(clock, [], work.promise);
    expect(served).toEqual([]);
    expect(clock.now()).toBeLessThanOrEqual(700);
  },
);
