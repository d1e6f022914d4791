import { takeOverSurroundings } from '../world/determinism.ts';
import type { Violation, Violations } from '../world/violations.ts';
import { Choices } from './choices.ts';
import type { Scenario } from './scenarios.ts';
import { SmallWorld } from './small-world.ts';

export interface Exploration {
  /** Schedules walked through. */
  readonly schedules: number;
  readonly steps: number;
  /** Schedules that were cut off before they had come to an end: not walked through. */
  readonly cut: number;
  readonly found: FoundSchedule | undefined;
}

export interface FoundSchedule {
  readonly violation: Violation;
  /** What to choose, to see it again. */
  readonly choices: readonly number[];
}

export interface ExploreOptions {
  /** Deviations from the ordinary course; infinite for all orders. */
  readonly bound: number;
  /** Whether calls may fail and processes die. */
  readonly faults: boolean;
  /** After so many steps a schedule is cut off; 2,000 by default. */
  readonly maxSteps?: number;
}

/** Far more than any schedule of the scenarios takes: one that goes on for ever must not keep the walk. */
const MAX_STEPS = 2_000;

/** Walks through every schedule of a scenario within the bound, depth first, until one breaks an invariant. */
export async function explore(scenario: Scenario, options: ExploreOptions): Promise<Exploration> {
  let given: readonly number[] | undefined = [];
  let schedules = 0;
  let steps = 0;
  let cut = 0;
  let violations: Violations | undefined;
  const surroundings = takeOverSurroundings(0, (what) => violations?.add('defect', what));
  try {
    while (given !== undefined) {
      surroundings.reseed(0);
      const choices: Choices = new Choices(given, options.bound);
      const world = openWorld(scenario, choices, options, false);
      violations = world.violations;
      await play(scenario, world, options.maxSteps);
      schedules += 1;
      steps += world.schedule.steps;
      if (world.schedule.wasCut) cut += 1;
      if (violations.first !== undefined) {
        const found = { violation: violations.first, choices: choices.taken };
        return { schedules, steps, cut, found };
      }
      given = choices.following();
    }
    return { schedules, steps, cut, found: undefined };
  } finally {
    surroundings.release();
  }
}

/** The story of one schedule. */
export async function tellSchedule(
  scenario: Scenario,
  given: readonly number[],
  options: ExploreOptions,
): Promise<readonly string[]> {
  const choices = new Choices(given, options.bound);
  const surroundings = takeOverSurroundings(0, () => {});
  try {
    const world = openWorld(scenario, choices, options, true);
    await play(scenario, world, options.maxSteps);
    return world.story.lines;
  } finally {
    surroundings.release();
  }
}

function openWorld(scenario: Scenario, choices: Choices, options: ExploreOptions, told: boolean): SmallWorld {
  const { sandboxes } = scenario;
  const { faults, bound } = options;
  return new SmallWorld(choices, { sandboxes, faults, told, timersWait: !Number.isFinite(bound) });
}

async function play(scenario: Scenario, world: SmallWorld, maxSteps = MAX_STEPS): Promise<void> {
  world.schedule.after(0, world.client, 'request', () => void scenario.play(world));
  await world.schedule.run(maxSteps);
  // What is broken in the middle of things is broken, too.
  if (world.violations.first === undefined) world.judgeEnd();
}
