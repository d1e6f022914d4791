import type { Check } from './checks.ts';
import type { Recovery } from './recovery.ts';
import type { Seen, Spread } from './summary.ts';

/** What is told of one run of a scenario. */
export interface GameDay {
  readonly name: string;
  readonly summary: string;
  readonly seed: number;
  readonly brokers: number;
  readonly students: number;
  readonly seconds: number;
  /** In the time of the recoveries. */
  readonly began: number;
  readonly recoveries: readonly Recovery[];
  readonly seen: Seen;
  readonly end: {
    readonly statuses: Readonly<Record<string, number>>;
    /** Deletions that failed and are to be tried again later. */
    readonly waiting: number;
    readonly deletedAtProvider: number;
    /** Seconds from the end of the class and of the last fault on. */
    readonly settledAfter: number;
  };
  /** What brokers logged as errors, and how often. */
  readonly logged: readonly (readonly [string, number])[];
  readonly checks: readonly Check[];
}

/** Of one check, violations beyond these are only counted. */
const TELL_AT_MOST = 10;

export function violationsOf(day: GameDay): string[] {
  return day.checks.flatMap((check) => check.violations);
}

/** The report of all runs, as Markdown. */
export function reportText(days: readonly GameDay[]): string {
  const violations = days.reduce((sum, day) => sum + violationsOf(day).length, 0);
  const seconds = days.reduce((sum, day) => sum + day.seconds, 0);
  return [
    '# Game days',
    '',
    `${days.length} runs, ${Math.round(seconds / 60)} minutes, ${violations === 0 ? 'no violation' : `**${violations} violations**`}.`,
    '',
    '| scenario | seed | seconds | students served | calls | failed calls | longest wait | steady after | at rest after | violations |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...days.map(overviewRow),
    '',
    ...days.flatMap((day) => [dayText(day), '']),
  ].join('\n');
}

/** The report of one run. */
export function dayText(day: GameDay): string {
  return [
    `## ${day.name}`,
    '',
    `${day.summary} (${day.brokers} brokers, ${day.students} students, seed ${day.seed}, ${day.seconds.toFixed(0)} s)`,
    '',
    '### What was done to it',
    '',
    ...faultLines(day),
    '',
    '### What clients saw',
    '',
    ...seenLines(day.seen),
    '',
    '### At the end',
    '',
    `- on the table: ${tellCounts(day.end.statuses)}; ${day.end.waiting} of them wait for another attempt at their deletion`,
    `- at the provider: ${day.end.deletedAtProvider} accounts deleted`,
    `- at rest ${day.end.settledAfter.toFixed(1)} s after the class and the last fault`,
    ...day.logged.map(([what, times]) => `- logged as an error ${times} times: ${what}`),
    '',
    '### What was checked',
    '',
    ...day.checks.flatMap(checkLines),
  ].join('\n');
}

function overviewRow(day: GameDay): string {
  const steady = day.recoveries.filter(({ overlapped }) => !overlapped).map(({ steady = 0 }) => steady);
  const { seen } = day;
  const violations = violationsOf(day).length;
  const cells = [
    day.name,
    day.seed,
    day.seconds.toFixed(0),
    `${seen.served} of ${seen.students}`,
    seen.calls,
    seen.failedCalls,
    `${(seen.waited.most / 1000).toFixed(1)} s`,
    steady.length === 0 ? '' : `${Math.max(...steady).toFixed(1)} s`,
    `${day.end.settledAfter.toFixed(1)} s`,
    violations === 0 ? 'none' : `**${violations}**`,
  ];
  return `| ${cells.join(' | ')} |`;
}

function faultLines({ recoveries, began }: GameDay): string[] {
  if (recoveries.length === 0) return ['Nothing.'];
  const time = (at: number) => `${((at - began) / 1000).toFixed(0)} s`;
  const after = (seconds: number | undefined) => (seconds === undefined ? '-' : `${seconds.toFixed(1)} s`);
  return [
    'Times to recover count from when the fault was over; "-" where nothing was asked before the next fault.',
    '',
    '| from | to | what | calls meanwhile: good | failed | first success after | steady after | first deletion after |',
    '|---|---|---|---|---|---|---|---|',
    ...recoveries.map(
      (each) =>
        `| ${time(each.from)} | ${time(each.to)} | ${each.what}${each.overlapped ? ' (others lasted on)' : ''} | ${each.answered} | ${each.failed} | ${after(each.firstSuccess)} | ${after(each.steady)} | ${after(each.firstDeletion)} |`,
    ),
  ];
}

function seenLines(seen: Seen): string[] {
  return [
    `- ${seen.served} of ${seen.students} students got a sandbox, ${seen.firstTry} of them at the first try, none with more than ${seen.mostTries} tries`,
    `- from arriving to having one: ${tellSpread(seen.waited)}`,
    `- ${seen.calls} calls, ${seen.failedCalls} of which failed; one that succeeded took ${tellSpread(seen.latency)}`,
    ...seen.answers.map(([words, times]) => `  - ${times} × ${words}`),
  ];
}

function checkLines({ name, violations }: Check): string[] {
  if (violations.length === 0) return [`- ok: ${name}`];
  const told = violations.slice(0, TELL_AT_MOST).map((text) => `  - ${text.replaceAll('\n', '\n    ')}`);
  const rest = violations.length - told.length;
  return [
    `- **VIOLATED: ${name}** (${violations.length})`,
    ...told,
    ...(rest > 0 ? [`  - and ${rest} more`] : []),
  ];
}

function tellCounts(statuses: Readonly<Record<string, number>>): string {
  const counts = Object.entries(statuses).map(([status, count]) => `${count} ${status}`);
  return counts.length === 0 ? 'nothing' : counts.join(', ');
}

function tellSpread({ p50, p99, most }: Spread): string {
  const [a, b, c] = [p50, p99, most].map((time) => (time / 1000).toFixed(2));
  return `half within ${a} s, 99 of 100 within ${b} s, the longest ${c} s`;
}
