import { type Clock, unixSeconds } from '../domain/clock.ts';

/** What time it is at the database (Unix seconds), where that can be asked. */
export type DatabaseTime = (() => Promise<number | undefined>) | undefined;

/**
 * Never later than it is at the database: by a clock that is ahead, what has hardly begun would be over. By one that
 * is behind things last longer, which costs little.
 *
 * @returns Unix seconds, and by how many of them the clock of this process is ahead
 */
export async function presentTime(
  clock: Clock,
  databaseTime: DatabaseTime,
): Promise<{ now: number; ahead: number }> {
  const there = await databaseTime?.();
  const here = unixSeconds(clock);
  return { now: Math.min(here, there ?? here), ahead: here - (there ?? here) };
}
