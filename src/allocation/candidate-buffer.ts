import type { Clock, Random } from '../domain/clock.ts';
import type { Candidate } from '../store/allocation-writes.ts';
import { CandidatePool, type CandidateWalk, type Shares } from './candidate-pool.ts';
import { HandedOut } from './handed-out.ts';

export interface CandidateBufferOptions {
  /** Candidates that one refill asks for at least. */
  readonly minimumRefill: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
}

export interface CandidateBufferParts {
  readonly openWalk: (namePrefix: string | undefined) => CandidateWalk;
  /** Whose sandboxes are whose to try first, where several processes share the pool. */
  readonly neighbours: Shares;
  readonly clock: Clock;
  readonly random: Random;
}

/** Name prefixes whose pools are kept at once; the one unused longest goes first. */
const MAX_POOLS = 64;

/**
 * The sandboxes that this process may try next, so that an allocation reads nothing: within a process no two
 * requests are given one sandbox, and a thousand requests cost a few queries. One pool for each name prefix
 * that is asked for; what is handed out is known to all of them, for one row may be in several.
 */
export class CandidateBuffer {
  readonly #options: CandidateBufferOptions;
  readonly #parts: CandidateBufferParts;
  readonly #handedOut: HandedOut;
  readonly #pools = new Map<string, CandidatePool>();

  constructor(options: CandidateBufferOptions, parts: CandidateBufferParts) {
    this.#options = options;
    this.#parts = parts;
    this.#handedOut = new HandedOut(parts.clock);
  }

  /**
   * A sandbox that was available a moment ago, for one request alone, or undefined when there is none.
   * Whoever takes one says what became of it: `giveBack`, `spent` or `discard`.
   *
   * @param oldestReading the reading of the pool in which it was seen is that one or a later one
   * @throws what the database throws when it could not be asked
   */
  take(
    namePrefix: string | undefined,
    wanted: () => boolean,
    oldestReading = 0,
  ): Promise<Candidate | undefined> {
    return this.#pool(namePrefix).take(wanted, oldestReading);
  }

  /** For `take`: nothing that has been read by now. */
  nextReading(namePrefix: string | undefined): number {
    return this.#pool(namePrefix).nextReading;
  }

  /** The candidate was not used, and is as available as it was. */
  giveBack(candidate: Candidate): void {
    this.#handedOut.release(candidate.sandboxId);
    for (const [prefix, pool] of this.#pools) {
      if (candidate.name.startsWith(prefix)) pool.returned(candidate);
    }
  }

  /** The sandbox was allocated, to us or to somebody else: it never becomes available again (I6). */
  spent(candidate: Candidate): void {
    this.#handedOut.bury(candidate.sandboxId);
    this.#settled(candidate);
  }

  /** Nothing is known of the candidate but that it was not to be had. */
  discard(candidate: Candidate): void {
    this.#handedOut.release(candidate.sandboxId);
    this.#settled(candidate);
  }

  #settled(candidate: Candidate): void {
    for (const [prefix, pool] of this.#pools) {
      if (candidate.name.startsWith(prefix)) pool.settled(candidate.sandboxId);
    }
  }

  #pool(namePrefix = ''): CandidatePool {
    let pool = this.#pools.get(namePrefix);
    if (pool === undefined) {
      pool = new CandidatePool(
        this.#options,
        this.#parts.openWalk(namePrefix === '' ? undefined : namePrefix),
        this.#handedOut,
        this.#parts.neighbours,
        this.#parts.clock,
        this.#parts.random,
      );
      this.#forgetIdlePools();
    } else {
      this.#pools.delete(namePrefix);
    }
    this.#pools.set(namePrefix, pool);
    return pool;
  }

  /** A map keeps the order of insertion, and every use inserts anew: the first are the longest unused. */
  #forgetIdlePools(): void {
    for (const [prefix, pool] of this.#pools) {
      if (this.#pools.size < MAX_POOLS) return;
      if (pool.idle) this.#pools.delete(prefix);
    }
  }
}
