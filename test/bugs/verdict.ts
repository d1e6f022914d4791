/** What a run of a check says of the bug that is in the copy. */
export type Verdict =
  | { readonly is: 'passed' }
  /** A test, or an invariant, failed: the bug was caught. */
  | { readonly is: 'failed'; readonly because: string }
  /** It did not come to an end, or ended for a reason of its own: nobody knows. */
  | { readonly is: 'undecided'; readonly because: string };

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null;
  /** What it printed, or the end of that. */
  readonly output: string;
  readonly ranOutOfTime: boolean;
}

/** How vitest counts tests that failed: a file that could not even be loaded is not among them. */
const TESTS_FAILED = /^ *Tests +\d+ failed/m;
/** What vitest names first, and what it says of it. */
const FIRST_FAILURE = /^ FAIL {2}(.+ > .+)\n((?:.*\n){1,12})/m;
/** How the simulation tells of an invariant that was broken. */
const BROKEN = /^BROKEN (.+)$/m;

export function verdictOf({ code, output, ranOutOfTime }: Ended, limitSeconds: number): Verdict {
  if (ranOutOfTime) return { is: 'undecided', because: `not over after ${limitSeconds} s` };
  if (code === 0) return { is: 'passed' };
  const [, broken] = BROKEN.exec(output) ?? [];
  if (broken !== undefined) return { is: 'failed', because: broken };
  if (!TESTS_FAILED.test(output)) {
    return { is: 'undecided', because: `ended with ${code ?? 'a signal'} before any test had failed` };
  }
  return { is: 'failed', because: FIRST_FAILURE.exec(output)?.[1] ?? 'a test' };
}

/** What was said of the first test that failed. */
export function wordsOfFirstFailure(output: string): string {
  return FIRST_FAILURE.exec(output)?.[2] ?? '';
}
