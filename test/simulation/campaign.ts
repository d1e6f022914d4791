import { planWorld, type WorldPlan } from './world/plan.ts';
import { runWorld, type WorldResult } from './world/run-world.ts';

export interface Failure {
  readonly plan: WorldPlan;
  readonly result: WorldResult;
}

export interface CampaignReport {
  readonly worlds: number;
  readonly steps: number;
  readonly allocations: number;
  readonly faults: number;
  readonly seconds: number;
  /** Virtual hours. */
  readonly hours: number;
  readonly failure: Failure | undefined;
}

/** Between two signs of progress. Milliseconds. */
const TELL_EVERY_MS = 10_000;

/** World after world, until enough events were delivered or an invariant was broken. */
export async function runCampaign(
  firstSeed: number,
  steps: number,
  onProgress: (report: CampaignReport) => void = () => {},
): Promise<CampaignReport> {
  const began = performance.now();
  let told = began;
  let report = { worlds: 0, steps: 0, allocations: 0, faults: 0, seconds: 0, hours: 0 };
  for (let seed = firstSeed; report.worlds === 0 || report.steps < steps; seed += 1) {
    const plan = planWorld(seed);
    const result = await runWorld(plan);
    const now = performance.now();
    report = {
      worlds: report.worlds + 1,
      steps: report.steps + result.steps,
      allocations: report.allocations + result.allocations,
      faults: report.faults + result.faults.length,
      seconds: (now - began) / 1_000,
      hours: report.hours + result.time / 3_600_000,
    };
    if (result.violation !== undefined) return { ...report, failure: { plan, result } };
    if (now - told >= TELL_EVERY_MS) {
      told = now;
      onProgress({ ...report, failure: undefined });
    }
  }
  return { ...report, failure: undefined };
}
