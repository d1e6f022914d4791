import { expect, test, vi } from 'vitest';
import type { JobRows, JobState } from '../../src/store/job-rows.ts';
import type { JobRunnerParts } from '../../src/workers/job-runner.ts';
import { runCampaign } from './campaign.ts';

const bug = vi.hoisted(() => ({ is: 'none' as 'taken too early' | 'never given up' | 'none' }));

vi.mock('../../src/workers/job-runner.ts', async (original) => {
  const { JobRunner } = await original<typeof import('../../src/workers/job-runner.ts')>();
  return {
    JobRunner: class extends JobRunner {
      constructor(parts: JobRunnerParts) {
        super(bug.is === 'never given up' ? withoutHeart(parts) : parts);
      }

      override silenceLeft(...job: Parameters<InstanceType<typeof JobRunner>['silenceLeft']>): number {
        return bug.is === 'taken too early' ? 0 : super.silenceLeft(...job);
      }
    },
  };
});

/** Whoever has the lease gives no sign of life, and goes on for as long as the work takes. */
function withoutHeart(parts: JobRunnerParts): JobRunnerParts {
  const { clock, rows } = parts;
  return {
    ...parts,
    clock: {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      sleep: (milliseconds, signal) => clock.sleep(milliseconds, signal),
      // The alarm at the end of a lease, and nothing else.
      after: () => () => {},
    },
    rows: {
      read: (...given: Parameters<JobRows['read']>) => rows.read(...given),
      acquire: (...given: Parameters<JobRows['acquire']>) => rows.acquire(...given),
      giveBack: (...given: Parameters<JobRows['giveBack']>) => rows.giveBack(...given),
      finish: (...given: Parameters<JobRows['finish']>) => rows.finish(...given),
      renew: async (held: JobState) => held,
    } as unknown as JobRows,
  };
}

test.each([
  ['taken too early', /^the lease of \w+ went from run .* ms after a sign of life$/],
  ['never given up', /^\w+ goes on in two processes: run/],
] as const)('a campaign finds that a lease is %s', async (what, text) => {
  bug.is = what;
  const { failure } = await runCampaign(1, 100_000);
  expect(failure?.result.violation).toMatchObject({ invariant: 'I8', text: expect.stringMatching(text) });
});
