import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CampaignReport, type Failure, runCampaign } from './campaign.ts';
import { type ExploreOptions, explore, tellSchedule } from './explorer/explore.ts';
import { SCENARIOS } from './explorer/scenarios.ts';
import { HELP, type Options, readOptions } from './options.ts';
import { focus } from './world/focus.ts';
import { planWorld } from './world/plan.ts';
import { runWorld } from './world/run-world.ts';
import { type Recipe, Shrinker } from './world/shrink.ts';
import type { Violation } from './world/violations.ts';

/** The end of a story is what led to the violation; the whole of a long one nobody reads. */
const STORY_LINES = 200;

const say = (text: string) => process.stdout.write(`${text}\n`);

async function main(): Promise<boolean> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(HELP);
    return true;
  }
  if (options.exhaustive) return exhaust(options);
  if (options.replay !== undefined) return replay(JSON.parse(readFileSync(options.replay, 'utf8')) as Recipe);
  if (options.story) return tell(options.seed);
  return simulate(options);
}

async function simulate(options: Options): Promise<boolean> {
  // Thousands of errors are part of the plan, and nobody looks where they were made.
  Error.stackTraceLimit = 0;
  say(`Worlds from seed ${options.seed} on, ${options.steps} steps`);
  const report = await runCampaign(options.seed, options.steps, (soFar) => say(summary(soFar)));
  say(summary(report));
  if (report.failure === undefined) {
    say('No invariant was broken');
    return true;
  }
  const { plan, result } = report.failure;
  describe(result.violation as Violation);
  say(`It comes again with: npm run test:simulation -- --seed ${plan.seed} --steps ${result.steps}`);
  if (options.shrinkSeconds > 0) await shrink(report.failure, options.shrinkSeconds);
  return false;
}

async function shrink({ plan, result }: Failure, seconds: number): Promise<void> {
  const shrinker = new Shrinker(result.violation as Violation, plan, seconds);
  const recipe = await shrinker.shrink(plan, result);
  const file = join(tmpdir(), `simulation-${plan.seed}.json`);
  writeFileSync(file, `${JSON.stringify(recipe, undefined, 2)}\n`);
  const { brokers, students, sandboxes, steps } = recipe.plan;
  say(
    `Shrunk in ${shrinker.tries} runs to ${steps} steps, ${recipe.faults.length} faults, ${brokers} brokers, ${students} students, ${sandboxes} sandboxes`,
  );
  await replay(recipe);
  say(`It comes again with: npm run test:simulation -- --replay ${file}`);
}

async function replay({ plan, faults }: Recipe): Promise<boolean> {
  Error.stackTraceLimit = 10;
  const result = await runWorld(plan, { faults, told: true });
  const { violation, story } = result;
  const told = violation === undefined ? story : focus(story, violation);
  say(told.slice(-STORY_LINES).join('\n'));
  if (violation !== undefined) describe(violation);
  return violation === undefined;
}

async function tell(seed: number): Promise<boolean> {
  const result = await runWorld(planWorld(seed), { told: true });
  say(result.story.join('\n'));
  if (result.violation !== undefined) describe(result.violation);
  return result.violation === undefined;
}

async function exhaust({ bound }: Options): Promise<boolean> {
  Error.stackTraceLimit = 0;
  let schedules = 0;
  let cut = 0;
  for (const scenario of SCENARIOS) {
    const walks: ExploreOptions[] = [{ bound, faults: true }];
    if (scenario.allOrders) walks.unshift({ bound: Number.POSITIVE_INFINITY, faults: false });
    for (const walk of walks) {
      const began = performance.now();
      const result = await explore(scenario, walk);
      schedules += result.schedules;
      cut += result.cut;
      const what = walk.faults ? `${bound} deviations, faults among them` : 'all orders, without faults';
      const seconds = ((performance.now() - began) / 1_000).toFixed(1);
      say(
        `${String(result.schedules).padStart(9)} schedules, ${result.steps} steps, ${seconds} s  ${scenario.name} (${what})`,
      );
      if (result.found === undefined) continue;
      say((await tellSchedule(scenario, result.found.choices, walk)).join('\n'));
      describe(result.found.violation);
      return false;
    }
  }
  say(`${String(schedules).padStart(9)} schedules, ${cut} of them cut off, no invariant was broken`);
  if (cut > 0) say('NOT walked through: a schedule that was cut off may break anything after its last step');
  return cut === 0;
}

function summary(report: CampaignReport): string {
  const { worlds, steps, seconds, allocations, faults, hours } = report;
  return `${steps} steps in ${worlds} worlds and ${seconds.toFixed(1)} s (${Math.round(steps / seconds)} a second): ${allocations} allocations, ${faults} faults, ${Math.round(hours)} virtual hours`;
}

function describe({ invariant, text, time, step }: Violation): void {
  say(`BROKEN ${invariant}: ${text}\n  at step ${step}, ${(time / 1_000).toFixed(3)} s`);
}

main().then(
  (good) => {
    process.exitCode = good ? 0 : 1;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);
