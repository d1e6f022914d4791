import { expect, test } from 'vitest';
import { StatisticsJob } from '../../../src/workers/statistics.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const INTERVAL_SECONDS = 30;

/** A job whose counts take so many milliseconds each. */
function jobOver(milliseconds: number) {
  const clock = new ManualClock();
  let counts = 0;
  const statistics = {
    count: async () => {
      counts += 1;
      await clock.advance(milliseconds);
      const none = {
        available: 7,
        allocated: 0,
        pending_deletion: 0,
        stale: 0,
        deletion_failed: 0,
        quarantined: 0,
      };
      return { counts: none, asOf: 0 };
    },
  };
  const job = new StatisticsJob(statistics, INTERVAL_SECONDS, clock);
  return { clock, job, counts: () => counts };
}

test('a pool that is counted within a tenth of the interval is counted in every run', async () => {
  const { job, counts } = jobOver(3_000);
  for (let run = 1; run <= 3; run += 1) {
    expect(await job.run()).toEqual({
      outcome: 'success',
      notes: expect.objectContaining({ counted: true, available: 7 }),
    });
    expect(counts()).toBe(run);
  }
});

test('counting a pool that takes longer rests until it has taken a tenth of the time', async () => {
  const { clock, job, counts } = jobOver(20_000);
  await job.run();
  await clock.advance(199_999);
  expect(await job.run()).toEqual({ outcome: 'success', notes: { counted: false } });
  expect(counts()).toBe(1);
  await clock.advance(1);
  expect((await job.run()).notes).toMatchObject({ counted: true });
});
