import fc from 'fast-check';
import { expect, inject, test } from 'vitest';
import { tellFailure } from './failure.ts';
import { story } from './story.ts';

// `npm run test:model` tells as many as one likes.
test('no story of callers, jobs, operators, stopped and killed brokers breaks an invariant or surprises the model', async () => {
  const tally = { stories: 0, steps: 0 };
  const result = await fc.check(story(inject('engineUrl'), tally, 40), {
    numRuns: 20,
    seed: 327,
    // Where a machine is slow, fewer of them.
    interruptAfterTimeLimit: 60_000,
  });
  if (result.failed) throw new Error(tellFailure(result));
  expect(tally.steps).toBeGreaterThan(50);
}, 180_000);
