import { takeOverSurroundings } from './determinism.ts';
import { heal } from './healing.ts';
import type { WorldPlan } from './plan.ts';
import type { Violation } from './violations.ts';
import { World, type WorldOptions } from './world.ts';

export interface WorldResult {
  /** Events delivered. */
  readonly steps: number;
  /** The same for the same seed. */
  readonly digest: number;
  readonly violation: Violation | undefined;
  /** Faults that came to pass, by name. */
  readonly faults: readonly string[];
  readonly story: readonly string[];
  /** Allocations that took effect. */
  readonly allocations: number;
  /** How long the world lasted. Virtual milliseconds. */
  readonly time: number;
}

/** Lives one world to its end, or to the first violation. */
export async function runWorld(plan: WorldPlan, options: WorldOptions = {}): Promise<WorldResult> {
  let world: World | undefined;
  const surroundings = takeOverSurroundings(plan.seed, (what) => world?.violations.add('defect', what));
  try {
    world = new World(plan, options);
    const { schedule, violations, board, story, allocations } = world;
    await schedule.run(() => schedule.steps >= plan.steps);
    if (violations.first === undefined && options.mayHeal !== false) await heal(world);
    return {
      steps: schedule.steps,
      digest: schedule.digest,
      violation: violations.first,
      faults: board.happened,
      story: story.lines,
      allocations: [...allocations.all()].length,
      time: schedule.now,
    };
  } finally {
    surroundings.release();
  }
}
