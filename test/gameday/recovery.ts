import type { LoggedRequest } from '../../src/local/csp-simulator/request-log.ts';
import type { Call } from '../history/history.ts';

/** A fault as it was: when it struck and when it was taken back, in the recorder's milliseconds. */
export interface Struck {
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

/** What became of calls around a fault. Seconds count from when it was taken back; undefined where nothing came. */
export interface Recovery extends Struck {
  /** While it lasted. */
  readonly answered: number;
  readonly failed: number;
  /** Until a student's call succeeded. */
  readonly firstSuccess: number | undefined;
  /** Until the last failed call before the next fault; 0 where none failed. */
  readonly steady: number | undefined;
  /** Until the provider confirmed a deletion. */
  readonly firstDeletion: number | undefined;
  /** Another fault lasted on when this one was taken back: its times say little. */
  readonly overlapped: boolean;
}

export interface Observed {
  readonly calls: readonly Call[];
  readonly deletions: readonly LoggedRequest[];
  /** What to add to the recorder's time for Unix milliseconds. */
  readonly epoch: number;
}

export function recoveries(faults: readonly Struck[], { calls, deletions, epoch }: Observed): Recovery[] {
  const answered = calls.filter(({ answeredAt }) => Number.isFinite(answeredAt));
  const confirmed = deletions
    .filter(({ status }) => status === 204)
    .map(({ at, duration_ms }) => at + (duration_ms ?? 0) - epoch);
  return faults.map((fault) => {
    const next = Math.min(...faults.map(({ from }) => from).filter((from) => from > fault.to));
    const during = answered.filter(({ answeredAt }) => answeredAt > fault.from && answeredAt <= fault.to);
    const after = answered.filter(({ answeredAt }) => answeredAt > fault.to && answeredAt < next);
    const failures = after.filter(isFailure).map(({ answeredAt }) => answeredAt);
    const successes = after.filter(isSuccess).map(({ answeredAt }) => answeredAt);
    const seconds = (times: readonly number[]) =>
      times.length === 0 ? undefined : (Math.min(...times) - fault.to) / 1000;
    return {
      ...fault,
      answered: during.filter(isSuccess).length,
      failed: during.filter(isFailure).length,
      firstSuccess: seconds(successes),
      steady:
        after.length === 0
          ? undefined
          : failures.length === 0
            ? 0
            : (Math.max(...failures) - fault.to) / 1000,
      firstDeletion: seconds(confirmed.filter((at) => at > fault.to && at < next)),
      overlapped: faults.some((other) => other.from < fault.to && other.to > fault.to),
    };
  });
}

export function isFailure({ answer }: Call): boolean {
  return answer.is === 'unknown' || answer.is === 'unexpected';
}

export function isSuccess({ answer }: Call): boolean {
  return answer.is === 'allocated' || answer.is === 'released' || answer.is === 'seen';
}
