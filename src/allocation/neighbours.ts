import type { Logger } from 'pino';
import type { Clock, Random } from '../domain/clock.ts';
import { hash, mix } from '../domain/hashes.ts';
import type { Database } from '../store/database.ts';
import { readSigns, signOfLife, withdrawSign } from '../store/instances.ts';

export interface NeighboursParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** This process. */
  readonly instance: string;
}

/** Between two signs of life. */
const BEAT_MS = 10_000;
/** An instance whose sign has not changed for so long, on our own timer, is gone. */
const SILENT_MS = 35_000;

/** For a process that shares the pool with no other. */
export const ALONE: Pick<Neighbours, 'count' | 'owns'> = { count: 1, owns: () => true };

interface Seen {
  readonly beat: number;
  /** Monotonic milliseconds. */
  readonly since: number;
}

/**
 * Which sandboxes this process should try first, so that processes seldom try the same one: each sandbox belongs
 * to one of those that are alive (rendezvous hashing: Thaler, Ravishankar, 1998), and when one comes or goes only
 * its own share changes hands. A preference and no more: whoever runs out of its own takes others'.
 */
export class Neighbours {
  readonly #parts: NeighboursParts;
  readonly #self: number;
  #others: readonly number[] = [];
  readonly #seen = new Map<string, Seen>();
  #beat = 0;
  readonly #stopped = new AbortController();
  #beating: Promise<void> = Promise.resolve();

  constructor(parts: NeighboursParts) {
    this.#parts = parts;
    this.#self = hash(parts.instance);
  }

  /** Begins to give signs of life and to look for others'. */
  start(): void {
    this.#beating = this.#beatUntilStopped();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#beating;
    await withdrawSign(this.#parts.database, this.#parts.instance).catch(() => {});
  }

  /** Processes that share the pool, this one among them. */
  get count(): number {
    return this.#others.length + 1;
  }

  /** Whether a sandbox is this process's to try first. */
  owns(sandboxId: string): boolean {
    if (this.#others.length === 0) return true;
    const sandbox = hash(sandboxId);
    const own = mix(sandbox, this.#self);
    return this.#others.every((other) => mix(sandbox, other) <= own);
  }

  async #beatUntilStopped(): Promise<void> {
    const { clock, random, logger } = this.#parts;
    while (!this.#stopped.signal.aborted) {
      try {
        await this.beat();
      } catch (error) {
        logger.debug({ err: error, action: 'neighbours' }, 'no sign of life could be given');
      }
      await clock.sleep(BEAT_MS * (0.8 + 0.4 * random()), this.#stopped.signal).catch(() => {});
    }
  }

  /** One sign of life, and a look around. */
  async beat(): Promise<void> {
    const { database, clock, instance } = this.#parts;
    this.#beat += 1;
    await signOfLife(database, clock, { instance, beat: this.#beat });
    const now = clock.monotonic();
    const alive: number[] = [];
    for (const sign of await readSigns(database)) {
      if (sign.instance === instance) continue;
      const seen = this.#seen.get(sign.instance);
      if (seen?.beat !== sign.beat) this.#seen.set(sign.instance, { beat: sign.beat, since: now });
      else if (now - seen.since > SILENT_MS) continue;
      alive.push(hash(sign.instance));
    }
    this.#others = alive;
  }
}
