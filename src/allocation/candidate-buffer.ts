import type { Clock, Random } from '../domain/clock.ts';
import type { Candidate } from '../store/allocation-writes.ts';
import type { WalkPage } from '../store/available-walk.ts';
import { CandidatePool, type CandidateWalk, type Shares } from './candidate-pool.ts';
import { HandedOut } from './handed-out.ts';
import { Lanes } from './lanes.ts';

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
 * Pages that are read at once for name prefixes. A prefix is no key, so that each reads through the whole pool, and
 * callers may invent any number of them: others are not to feel it, nor is the database.
 */
const PREFIX_READS = 2;
/** Milliseconds after which nobody waits any more who waited for a page when its turn was asked for. */
const LATE_TURN_MS = 10_000;

/**
 * The sandboxes that this process may try next, so that an allocation reads nothing: within a process no two
 * requests are given one sandbox, and a thousand requests cost a few queries. One pool for each name prefix
 * that is asked for; what is handed out is known to all of them, for one row may be in several.
 */
export class CandidateBuffer {
  readonly #options: CandidateBufferOptions;
  readonly #parts: CandidateBufferParts;
  readonly #handedOut: HandedOut;
  readonly #prefixReads = new Lanes(PREFIX_READS);
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
        this.#walk(namePrefix),
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

  #walk(namePrefix: string): CandidateWalk {
    if (namePrefix === '') return this.#parts.openWalk(undefined);
    const walk = this.#parts.openWalk(namePrefix);
    return { round: (pageSize) => this.#inTurn(walk.round(pageSize)) };
  }

  /** The same pages, each when its turn has come. A turn that comes late ends the round: whoever is left begins another. */
  async *#inTurn(round: AsyncGenerator<WalkPage>): AsyncGenerator<WalkPage> {
    const { clock } = this.#parts;
    for (;;) {
      const asked = clock.monotonic();
      const isLate = () => clock.monotonic() - asked > LATE_TURN_MS;
      const page = await this.#prefixReads.run(async () => (isLate() ? undefined : round.next()));
      if (page?.done) return;
      yield page?.value ?? { candidates: [], complete: false };
      if (page === undefined) return;
    }
  }

  /** A map keeps the order of insertion, and every use inserts anew: the first are the longest unused. */
  #forgetIdlePools(): void {
    for (const [prefix, pool] of this.#pools) {
      if (this.#pools.size < MAX_POOLS) return;
      if (pool.idle) this.#pools.delete(prefix);
    }
  }
}
