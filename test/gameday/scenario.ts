import { readdirSync } from 'node:fs';
import type { Random } from '../../src/domain/clock.ts';
import type { Installation } from './installation.ts';

/** Something that is done to an installation, and taken back. Seconds count from the first student on. */
export interface Fault {
  readonly what: string;
  readonly from: number;
  readonly to: number;
  /** @returns what takes it back; whatever it awaits belongs to the fault */
  readonly strike: (installation: Installation) => Lift | Promise<Lift>;
}

export type Lift = () => unknown;

export interface FaultChoices {
  readonly random: Random;
  readonly brokers: number;
}

export interface Scenario {
  readonly name: string;
  /** A sentence. */
  readonly summary: string;
  /** What is done to it; made anew for each run where chance decides. */
  readonly faults: readonly Fault[] | ((choices: FaultChoices) => readonly Fault[]);
  /** Seconds within which all students arrive; 20 by default. */
  readonly arrivalSeconds?: number;
  /** Sandboxes for each student; 1.2 by default. */
  readonly poolPerStudent?: number;
  /** Share of the students that never give back; a tenth by default. */
  readonly neverRelease?: number;
  /** Of the brokers, beside what all game days have. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Seconds after which an allocation may be ended by expiry, where that is so short that the day waits for it. */
  readonly expireAfterSeconds?: number;
  /** Not a single call may fail. */
  readonly unnoticed?: boolean;
}

/** What was asked for makes no sense. The message says why. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const FOLDER = new URL('./scenarios/', import.meta.url);

/** Every file of the folder is one. @throws Error for a file that is none, or two of one name */
export async function findScenarios(): Promise<Scenario[]> {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.ts'));
  const scenarios = await Promise.all(
    files.toSorted().map(async (file) => {
      const { scenario } = (await import(new URL(file, FOLDER).href)) as { scenario?: Scenario };
      if (scenario === undefined) throw new Error(`${file} does not export a scenario`);
      if (`${scenario.name}.ts` !== file)
        throw new Error(`${file} holds "${scenario.name}": it must have its name`);
      return scenario;
    }),
  );
  return scenarios;
}

/** @throws UsageError naming those that are not there */
export function chooseScenarios(all: readonly Scenario[], names: readonly string[]): readonly Scenario[] {
  if (names.length === 0) return all;
  const unknown = names.filter((name) => !all.some((scenario) => scenario.name === name));
  if (unknown.length > 0) throw new UsageError(`There is no scenario ${unknown.join(', ')}; see --list`);
  return names.map((name) => all.find((scenario) => scenario.name === name) as Scenario);
}
