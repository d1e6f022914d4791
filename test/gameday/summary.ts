import type { Call } from '../history/history.ts';
import { isFailure, isSuccess } from './recovery.ts';
import type { Visit } from './students.ts';

/** What clients saw. Times in milliseconds. */
export interface Seen {
  readonly calls: number;
  readonly failedCalls: number;
  /** Answers by what they said, how often each. */
  readonly answers: readonly (readonly [string, number])[];
  /** Of calls that succeeded. */
  readonly latency: Spread;
  readonly students: number;
  readonly served: number;
  readonly firstTry: number;
  /** From arriving to having a sandbox. */
  readonly waited: Spread;
  readonly mostTries: number;
}

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

export function summarize(calls: readonly Call[], visits: readonly Visit[]): Seen {
  const answers = Map.groupBy(calls, (call) => `${call.kind}: ${wordsFor(call)}`);
  const served = visits.filter(({ servedAt }) => servedAt !== undefined);
  return {
    calls: calls.length,
    failedCalls: calls.filter(isFailure).length,
    answers: [...answers].map(([words, { length }]) => [words, length] as const).sort((a, b) => b[1] - a[1]),
    latency: spreadOf(calls.filter(isSuccess).map(({ sentAt, answeredAt }) => answeredAt - sentAt)),
    students: visits.length,
    served: served.length,
    firstTry: served.filter(({ tries }) => tries === 1).length,
    waited: spreadOf(served.map(({ arrivedAt, servedAt }) => (servedAt as number) - arrivedAt)),
    mostTries: Math.max(0, ...visits.map(({ tries }) => tries)),
  };
}

export function spreadOf(times: readonly number[]): Spread {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), most: sorted.at(-1) ?? 0 };
}

function wordsFor({ answer }: Call): string {
  switch (answer.is) {
    case 'allocated':
      return answer.created ? '201' : '200 the same again';
    case 'empty_pool':
      return '409 pool empty';
    case 'released':
      return '200';
    case 'seen':
      return answer.held ? '200 allocated' : '200 no longer allocated';
    case 'not_owner':
      return '403';
    case 'not_found':
      return '404';
    case 'unknown':
      return `failed: ${answer.why}`;
    case 'unexpected':
      return `unexpected: ${answer.what.slice(0, 80)}`;
  }
}
