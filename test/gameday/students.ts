import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/domain/clock.ts';
import type { Asked, Recorder, Target, Told } from '../history/recorder.ts';

export interface ClassOptions {
  readonly students: number;
  readonly arrivalSeconds: number;
  readonly neverRelease: number;
  readonly recorder: Recorder;
  readonly target: Target;
  readonly random: Random;
}

/** How it went for one student. Milliseconds of the recorder's time. */
export interface Visit {
  readonly track: string;
  readonly arrivedAt: number;
  /** Undefined for who got none. */
  readonly servedAt?: number;
  readonly tries: number;
  /** Why it did not end well. */
  readonly problem?: string;
}

/** As docs/instruqt/setup-sandbox.sh has them, in milliseconds. */
const BUDGET_MS = 180_000;
const EMPTY_POOL_MS = 90_000;
export const TRY_MS = 20_000;

/** What some of the students do, by probability. */
const USES_A_KEY = 0.3;
const STARTS_TWICE = 0.05;
const ASKS_AGAIN = 0.1;
const READS = 0.2;

/** Milliseconds that a lab lasts here. */
const HOLD = { least: 3_000, most: 12_000 };

/** A class whose scripts behave as those of docs/instruqt do: patient, with jitter, always with the same claim. */
export async function runClass(options: ClassOptions): Promise<Visit[]> {
  const { students, arrivalSeconds, random } = options;
  // Decided before anyone comes, so that a seed always makes the same class.
  const plans = Array.from({ length: students }, (_, index) => ({
    track: `student-${index + 1}`,
    arrival: random() * arrivalSeconds * 1000,
    idempotencyKey: random() < USES_A_KEY ? 'set-up' : undefined,
    startsTwice: random() < STARTS_TWICE,
    asksAgain: random() < ASKS_AGAIN,
    reads: random() < READS,
    releases: random() >= options.neverRelease,
    hold: HOLD.least + random() * (HOLD.most - HOLD.least),
  }));
  return Promise.all(plans.map((plan) => attend(plan, options)));
}

interface Plan {
  readonly track: string;
  readonly arrival: number;
  readonly idempotencyKey: string | undefined;
  readonly startsTwice: boolean;
  readonly asksAgain: boolean;
  readonly reads: boolean;
  readonly releases: boolean;
  readonly hold: number;
}

async function attend(plan: Plan, { recorder, target, random }: ClassOptions): Promise<Visit> {
  const { track, idempotencyKey } = plan;
  await sleep(plan.arrival);
  const arrivedAt = recorder.now();
  const script = (asked: Asked, isDone: (told: Told) => boolean) =>
    persist(() => recorder.ask(target, asked), isDone, random);
  const setUp = () =>
    script({ kind: 'allocate', track, idempotencyKey }, ({ answer }) => answer.is === 'allocated');

  const [first] = await Promise.all([setUp(), plan.startsTwice ? setUp() : undefined]);
  const { told, tries } = first;
  if (told.answer.is !== 'allocated')
    return { track, arrivedAt, tries, problem: `got no sandbox: ${tell(told)}` };
  const visit = { track, arrivedAt, servedAt: recorder.now(), tries };
  const { sandboxId } = told.answer;
  await sleep(plan.hold / 2);
  if (plan.asksAgain) await setUp();
  if (plan.reads) await script({ kind: 'read', track, sandboxId }, ({ answer }) => answer.is === 'seen');
  await sleep(plan.hold / 2);
  if (!plan.releases) return visit;
  const released = await script(
    { kind: 'release', track, sandboxId },
    // A 404 says that it is deleted already.
    ({ answer }) => answer.is === 'released' || answer.is === 'not_found',
  );
  const { is } = released.told.answer;
  if (is === 'released' || is === 'not_found') return visit;
  return { ...visit, problem: `could not give back ${sandboxId}: ${tell(released.told)}` };
}

/** The tries of one script. */
async function persist(
  send: () => Promise<Told>,
  isDone: (told: Told) => boolean,
  random: Random,
): Promise<{ told: Told; tries: number }> {
  const began = performance.now();
  for (let tries = 1; ; tries += 1) {
    const told = await send();
    if (isDone(told) || !isWorthAnotherTry(told)) return { told, tries };
    const wait = waitOf(told, tries, random);
    const limit = told.answer.is === 'empty_pool' ? EMPTY_POOL_MS : BUDGET_MS;
    if (performance.now() - began + wait + 1_000 > limit) return { told, tries };
    await sleep(wait);
  }
}

function isWorthAnotherTry({ answer, status }: Told): boolean {
  return answer.is === 'unknown' || answer.is === 'empty_pool' || status === 429;
}

/** At least what was asked for, and some more by chance. Milliseconds. */
function waitOf({ retryAfter = 1 }: Told, tries: number, random: Random): number {
  const spread = Math.max(retryAfter / 2, tries < 5 ? 2 ** tries : 30);
  return 1_000 * (retryAfter + random() * spread);
}

function tell({ answer }: Told): string {
  if (answer.is === 'unknown') return answer.why;
  return answer.is === 'unexpected' ? answer.what : answer.is;
}
