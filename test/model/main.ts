import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { type Engine, startEngine } from '../../src/local/engine.ts';
import { tellFailure } from './failure.ts';
import { story, type Tally } from './story.ts';

const HELP = `Tells random stories of a whole broker installation over the real engine, and stops at the first that breaks
an invariant or differs from the model: shrunk to the steps that matter.

  npm run test:model -- [--steps N] [--seed S] [--path P]

  --steps N   how many steps to take at least, over all stories (20000)
  --seed S    of the first batch of stories; the next one takes the next number (the time, if it is not given)
  --length N  steps of a story at most (60)
  --path P, --replay-path R
              with --seed: what a failure named, to see it again
  --help

Needs nothing but npm ci. With DDB_ENDPOINT_URL it runs against that engine instead of the embedded one.`;

let engine: Engine | undefined;

/** Stories between two lines of progress, which share a seed. */
const BATCH = 25;

// The engine is a process of its own: it must not outlive this one.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void engine?.stop().then(() => process.exit(130)));

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    path: { type: 'string' },
    'replay-path': { type: 'string' },
    length: { type: 'string', default: '60' },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const [wanted, firstSeed, length] = [values.steps, values.seed, values.length].map(Number) as [
    number,
    number,
    number,
  ];
  const endpoint = process.env.DDB_ENDPOINT_URL;
  engine = endpoint === undefined ? await startEngine() : undefined;
  const began = performance.now();
  const tally: Tally = { stories: 0, steps: 0 };
  try {
    for (let seed = firstSeed; tally.steps < wanted; seed += 1) {
      const result = await fc.check(
        story(engine?.url ?? (endpoint as string), tally, length, values['replay-path']),
        {
          seed,
          ...(values.path === undefined ? { numRuns: BATCH } : { numRuns: 1, path: values.path }),
        },
      );
      const seconds = Math.round((performance.now() - began) / 1000);
      if (result.failed) {
        process.stdout.write(`${tellFailure(result)}\n`);
        process.stdout.write(
          `${tally.steps} steps in ${tally.stories} stories, ${seconds} s, seed ${seed}\n`,
        );
        return 1;
      }
      process.stderr.write(`${tally.steps} steps in ${tally.stories} stories, ${seconds} s, seed ${seed}\n`);
      // One story was to be seen again, and it has been.
      if (values.path !== undefined) break;
    }
    process.stdout.write(
      `No story broke an invariant: ${tally.steps} steps in ${tally.stories} stories, seeds from ${firstSeed}\n`,
    );
    return 0;
  } finally {
    await engine?.stop();
  }
}

process.exitCode = await main();
