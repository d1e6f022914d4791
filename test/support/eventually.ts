import { setTimeout as realTime } from 'node:timers/promises';

/** Between two looks, in milliseconds: short against what processes need, long against what a look costs. */
const PAUSE_MS = 40;

/**
 * Waits for something that another process does: looks again and again until it is there, at most for the time
 * given. Only for what no clock of the test moves.
 *
 * @param look returns what was awaited; undefined or false while it is not there; one that throws is repeated
 * @param what is named when it does not come
 */
export async function eventually<Result>(
  what: string,
  look: () => Promise<Result | undefined | false> | Result | undefined | false,
  withinMs = 50_000,
): Promise<Result> {
  const end = performance.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      last = found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      throw new Error(`Not within ${withinMs} ms: ${what}`, { cause: last });
    }
    await realTime(PAUSE_MS);
  }
}
