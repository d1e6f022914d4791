import type { WorldPlan } from './plan.ts';
import { runWorld, type WorldResult } from './run-world.ts';
import type { Violation } from './violations.ts';

/** A world that fails, and the only faults that need to happen for it. */
export interface Recipe {
  readonly plan: WorldPlan;
  readonly faults: readonly string[];
}

/** Other beginnings of a smaller world that are tried, as a world with less in it takes another course. */
const SEEDS = 8;
const SHORTER_SEEDS = 400;

type Change = (plan: WorldPlan) => Partial<WorldPlan> | undefined;

/** What may be left out of a world, the largest things first. Undefined where it is left out already. */
const CHANGES: readonly Change[] = [
  (plan) => (plan.disturbances.length > 0 ? { disturbances: [] } : undefined),
  (plan) => (Object.keys(plan.providerFaults).length > 0 ? { providerFaults: {} } : undefined),
  (plan) => (Object.keys(plan.networkFaults).length > 0 ? { networkFaults: {} } : undefined),
  (plan) => (plan.operators > 0 ? { operators: 0 } : undefined),
  (plan) => (plan.previousRuns ? { previousRuns: false } : undefined),
  (plan) => (plan.previousRows > 0 ? { previousRows: 0 } : undefined),
  (plan) => (plan.jobs ? { jobs: false } : undefined),
  (plan) => (plan.students > 1 ? { students: Math.ceil(plan.students / 2) } : undefined),
  (plan) => (plan.students > 1 ? { students: plan.students - 1 } : undefined),
  (plan) => (plan.brokers > 2 ? { brokers: 2 } : undefined),
  (plan) => (plan.brokers > 1 ? { brokers: 1 } : undefined),
  (plan) => (plan.sandboxes > 2 ? { sandboxes: Math.ceil(plan.sandboxes / 2) } : undefined),
  (plan) => (plan.shards.length > 1 || plan.shards[0] !== 1 ? { shards: [1] } : undefined),
  (plan) => (plan.lagMs > 10 ? { lagMs: 1 } : undefined),
  (plan) => (plan.skewMs > 0 ? { skewMs: 0 } : undefined),
  (plan) => (plan.pageRows < 1_000 ? { pageRows: 1_000 } : undefined),
  (plan) => (plan.burstMs > 0 ? { burstMs: 0 } : undefined),
];

/** Makes a failing world smaller as long as it fails in the same way, for so many seconds. */
export class Shrinker {
  readonly #invariant: string;
  /** Whether the violation came only when nothing went wrong any more: otherwise healing is a waste of time. */
  readonly #inHealing: boolean;
  readonly #time: number;
  readonly #until: number;
  tries = 0;

  constructor(violation: Violation, plan: WorldPlan, seconds: number) {
    this.#inHealing = violation.step > plan.steps;
    this.#invariant = violation.invariant;
    this.#time = seconds * 1_000;
    this.#until = performance.now() + this.#time;
  }

  async shrink(plan: WorldPlan, result: WorldResult): Promise<Recipe> {
    const smaller = await this.#smallerPlan(plan, result);
    const shorter = await this.#shorter(smaller);
    return { plan: shorter.plan, faults: await this.#fewerFaults(shorter.plan, shorter.faults) };
  }

  /** The same world from other beginnings, for a shorter way to the end. */
  async #shorter(recipe: Recipe): Promise<Recipe> {
    let best = recipe;
    for (let index = 1; index <= SHORTER_SEEDS && this.#hasTime(0.3); index += 1) {
      const { plan } = best;
      const candidate = { ...plan, seed: recipe.plan.seed + 1_000 + index, steps: plan.steps - 1 };
      const result = await this.#fails(candidate);
      if (result === undefined || result.steps > plan.steps) continue;
      best = { plan: this.#cut(candidate, result), faults: result.faults };
    }
    return best;
  }

  async #smallerPlan(plan: WorldPlan, result: WorldResult): Promise<Recipe> {
    let best: Recipe = { plan: this.#cut(plan, result), faults: result.faults };
    for (let changed = true; changed && this.#hasTime(0.5); ) {
      changed = false;
      for (const change of [...CHANGES, ...withoutFaults(best.plan)]) {
        const difference = change(best.plan);
        if (difference === undefined) continue;
        const found = await this.#anySeed({ ...best.plan, ...difference });
        if (found === undefined) continue;
        best = found;
        changed = true;
      }
    }
    return best;
  }

  /** The shortest course to the same violation among some seeds. */
  async #anySeed(plan: WorldPlan): Promise<Recipe | undefined> {
    let best: Recipe | undefined;
    for (let index = 0; index < SEEDS && this.#hasTime(0.5); index += 1) {
      const candidate = { ...plan, seed: plan.seed + index, steps: best?.plan.steps ?? plan.steps };
      const result = await this.#fails(candidate);
      if (result !== undefined) best = { plan: this.#cut(candidate, result), faults: result.faults };
    }
    return best;
  }

  /** Leaves out faults, many at once and then fewer (ddmin: Zeller, Hildebrandt, 2002). */
  async #fewerFaults(plan: WorldPlan, all: readonly string[]): Promise<readonly string[]> {
    let faults = all;
    let parts = 2;
    while (faults.length > 0 && parts <= 2 * faults.length && this.#hasTime()) {
      const size = Math.ceil(faults.length / parts);
      let found: readonly string[] | undefined;
      for (let from = 0; from < faults.length && found === undefined && this.#hasTime(); from += size) {
        const left = [...faults.slice(0, from), ...faults.slice(from + size)];
        if ((await this.#fails(plan, left)) !== undefined) found = left;
      }
      if (found === undefined) parts *= 2;
      else {
        faults = found;
        parts = Math.max(2, parts - 1);
      }
    }
    return faults;
  }

  /** The eventful part ends where the violation was. */
  #cut(plan: WorldPlan, result: WorldResult): WorldPlan {
    return this.#inHealing ? plan : { ...plan, steps: result.steps };
  }

  async #fails(plan: WorldPlan, faults?: readonly string[]): Promise<WorldResult | undefined> {
    this.tries += 1;
    const result = await runWorld(plan, {
      mayHeal: this.#inHealing,
      ...(faults === undefined ? {} : { faults }),
    });
    return result.violation?.invariant === this.#invariant ? result : undefined;
  }

  /** @param reserve the part of the time that others need afterwards */
  #hasTime(reserve = 0): boolean {
    return performance.now() < this.#until - reserve * this.#time;
  }
}

/** One kind of fault of the store after the other. */
function withoutFaults(plan: WorldPlan): Change[] {
  return Object.keys(plan.storeFaults).map((kind) => (current) => {
    const { [kind as keyof WorldPlan['storeFaults']]: left, ...others } = current.storeFaults;
    return left === undefined ? undefined : { storeFaults: others };
  });
}
