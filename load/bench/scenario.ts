import type { Stand } from './stand.ts';

export interface BenchSettings {
  /** Within a minute: fewer, shorter and smaller; says nothing about targets that need more. */
  readonly quick: boolean;
  readonly rounds: number;
  /** Of one closed loop in one round. */
  readonly seconds: number;
  readonly soakAllocations: number;
  /** Of `--compare`. */
  readonly otherCheckout: string | undefined;
}

export interface BenchContext {
  readonly stand: Stand;
  readonly settings: BenchSettings;
  /** Figures that later scenarios go by. */
  readonly known: KnownFigures;
  /** Tells the person who waits what goes on. */
  readonly say: (text: string) => void;
}

/** What the first scenario finds out, per second and in milliseconds. */
export interface KnownFigures {
  /** By concurrency. */
  floorThroughput: Record<number, number>;
  brokerThroughput: Record<number, number>;
}

/** A row of the table of targets. */
export interface Target {
  readonly name: string;
  /** Null where this run did not measure it. */
  readonly value: number | null;
  /** What `value` must be, as a person reads it. */
  readonly target: string;
  readonly holds: boolean | null;
  readonly note?: string | undefined;
}

export interface ScenarioResult {
  /** Everything that was measured, for bench.json. */
  readonly figures: unknown;
  readonly targets: readonly Target[];
  /** For people. */
  readonly report: string;
}

export interface Scenario {
  readonly name: string;
  readonly summary: string;
  run(context: BenchContext): Promise<ScenarioResult>;
}

export function atMost(name: string, value: number, bound: number, note?: string): Target {
  return { name, value, target: `at most ${bound}`, holds: value <= bound, note };
}

export function atLeast(name: string, value: number, bound: number, note?: string): Target {
  return { name, value, target: `at least ${bound}`, holds: value >= bound, note };
}
