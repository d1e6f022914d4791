import { type Clock, fullJitter, type Random } from '../domain/clock.ts';
import type { Candidate } from '../store/allocation-writes.ts';
import type { AvailableWalk } from '../store/available-walk.ts';
import { databaseFault } from '../store/database-faults.ts';
import type { HandedOut } from './handed-out.ts';
import type { Neighbours } from './neighbours.ts';

export interface CandidatePoolOptions {
  readonly minimumRefill: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
}

/** Where candidates come from. */
export type CandidateWalk = Pick<AvailableWalk, 'round'>;

/** Which of them are this process's to try first. */
export type Shares = Pick<Neighbours, 'count' | 'owns'>;

interface Ready {
  readonly candidate: Candidate;
  readonly readAt: number;
  readonly reading: number;
}

interface Waiting {
  readonly since: number;
  readonly wanted: () => boolean;
  readonly oldestReading: number;
  readonly resolve: (candidate: Candidate | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** A candidate that was read longer ago has probably gone to another process. */
const FRESH_MS = 3_000;
/**
 * An empty pool is remembered so long, so that a thousand losers do not become a thousand queries. Nobody is
 * turned away once a sandbox has been available for a second; half of that is left for the index to lag.
 */
const EMPTY_MS = 500;
/** Rows that one query reads beyond what is asked for: what other processes take meanwhile. */
const SURPLUS = 3;
/** Rows that one query reads at most. */
const MAX_PAGE = 1_000;

/** The candidates for one name prefix, and the requests that wait for one. */
export class CandidatePool {
  readonly #options: CandidatePoolOptions;
  readonly #walk: CandidateWalk;
  readonly #handedOut: HandedOut;
  readonly #neighbours: Shares;
  readonly #clock: Clock;
  readonly #random: Random;
  #ready: Ready[] = [];
  readonly #known = new Set<string>();
  #waiting: Waiting[] = [];
  #refilling = false;
  /** Readings begun so far. */
  #readings = 0;
  #exhaustedAt = Number.NEGATIVE_INFINITY;
  #wholePoolReadAt = Number.NEGATIVE_INFINITY;
  /** Sandboxes that the last reading saw and that requests of this process are trying. */
  readonly #undecided = new Set<string>();
  /** Ends the wait for all of them to be decided. */
  #wake: (() => void) | undefined;

  constructor(
    options: CandidatePoolOptions,
    walk: CandidateWalk,
    handedOut: HandedOut,
    neighbours: Shares,
    clock: Clock,
    random: Random,
  ) {
    this.#neighbours = neighbours;
    this.#options = options;
    this.#walk = walk;
    this.#handedOut = handedOut;
    this.#clock = clock;
    this.#random = random;
  }

  /** True when nothing would be lost by forgetting this pool. */
  get idle(): boolean {
    return this.#waiting.length === 0 && !this.#refilling;
  }

  /** The number of the reading that begins next. */
  get nextReading(): number {
    return this.#readings + 1;
  }

  take(wanted: () => boolean, oldestReading: number): Promise<Candidate | undefined> {
    const candidate = this.#waiting.length === 0 ? this.#pop(oldestReading) : undefined;
    if (candidate !== undefined) {
      if (this.#ready.length < this.#options.minimumRefill && this.#mayHaveMore()) this.#refill();
      return Promise.resolve(candidate);
    }
    if (this.#clock.monotonic() - this.#exhaustedAt < EMPTY_MS) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ since: this.#clock.monotonic(), wanted, oldestReading, resolve, reject });
      this.#refill();
    });
  }

  /** A candidate came back unused. */
  returned(candidate: Candidate): void {
    this.#exhaustedAt = Number.NEGATIVE_INFINITY;
    this.#add({ candidate, readAt: this.#clock.monotonic(), reading: this.#readings });
    this.#serve();
    this.settled(candidate.sandboxId);
  }

  /** A candidate was decided, one way or the other. */
  settled(sandboxId: string): void {
    if (this.#undecided.delete(sandboxId) && this.#undecided.size === 0) this.#wake?.();
  }

  #pop(oldestReading: number): Candidate | undefined {
    const oldest = this.#clock.monotonic() - FRESH_MS;
    for (let ready = this.#ready.pop(); ready !== undefined; ready = this.#ready.pop()) {
      const { sandboxId } = ready.candidate;
      this.#known.delete(sandboxId);
      if (ready.readAt < oldest || ready.reading < oldestReading) continue;
      if (this.#handedOut.isTrying(sandboxId) || this.#handedOut.isSpent(sandboxId)) continue;
      this.#handedOut.hold(sandboxId);
      return ready.candidate;
    }
    return undefined;
  }

  #add(ready: Ready): void {
    const { sandboxId } = ready.candidate;
    if (this.#known.has(sandboxId)) return;
    this.#known.add(sandboxId);
    // A shuffle as it grows (Fisher-Yates): other processes read the same rows, in the same order.
    const place = Math.floor(this.#random() * (this.#ready.length + 1));
    const displaced = this.#ready[place];
    if (displaced === undefined) this.#ready.push(ready);
    else {
      this.#ready.push(displaced);
      this.#ready[place] = ready;
    }
  }

  /** What is another process's to try first is tried here when there is too little of one's own: after that. */
  #addLast(others: readonly Ready[]): void {
    const own = this.#ready;
    this.#ready = [];
    for (const ready of others) this.#add(ready);
    this.#ready.push(...own);
  }

  #serve(): void {
    while (this.#waiting.length > 0) {
      const next = this.#waiting[0] as Waiting;
      if (!next.wanted()) {
        this.#waiting.shift();
        next.resolve(undefined);
        continue;
      }
      const candidate = this.#pop(next.oldestReading);
      if (candidate === undefined) return;
      this.#waiting.shift();
      next.resolve(candidate);
    }
  }

  /** Reading ahead is pointless for a while after the last reading saw the pool to its end. */
  #mayHaveMore(): boolean {
    return this.#clock.monotonic() - this.#wholePoolReadAt >= EMPTY_MS;
  }

  #refill(): void {
    if (this.#refilling) return;
    this.#refilling = true;
    void this.#refillWhileWanted().finally(() => {
      this.#refilling = false;
      // Somebody may have begun to wait after the last look and before this line.
      if (this.#waiting.length > 0) this.#refill();
    });
  }

  async #refillWhileWanted(): Promise<void> {
    let failures = 0;
    do {
      try {
        await this.#read();
        failures = 0;
        // All that is left is being tried by requests of this process: the pool is empty only when they
        // have been decided, and decided against the pool.
        if (this.#waiting.length > 0 && this.#undecided.size > 0) await this.#allDecided();
      } catch (error) {
        if (databaseFault(error) === 'wrong') {
          this.#rejectAll(error);
          return;
        }
        const { backoffBaseMs, backoffMaxMs } = this.#options;
        await this.#clock.sleep(fullJitter(failures, backoffBaseMs, backoffMaxMs, this.#random));
        failures += 1;
        this.#dropUnwanted();
      }
    } while (this.#waiting.length > 0);
  }

  /**
   * Reads on until there is enough for all that wait, serving them as it goes. Turns away whoever is left when a
   * whole round has shown no sandbox that is free, or may yet turn out to be.
   */
  async #read(): Promise<void> {
    this.#readings += 1;
    const reading = this.#readings;
    this.#forgetStale();
    this.#undecided.clear();
    const seen = new Set<string>();
    let complete = false;
    const began = this.#clock.monotonic();
    const others: Ready[] = [];
    // The first request of a burst starts the reading, the others come a moment later: their pages are larger.
    const pageSize = () => {
      const wanted = Math.max(this.#options.minimumRefill, this.#waiting.length);
      return Math.min(MAX_PAGE, SURPLUS * wanted * this.#neighbours.count);
    };
    for await (const page of this.#walk.round(pageSize)) {
      // Not when the round began: a long round must not take its own last page for old.
      const readAt = this.#clock.monotonic();
      for (const candidate of page.candidates) {
        if (this.#handedOut.isSpent(candidate.sandboxId)) continue;
        seen.add(candidate.sandboxId);
        if (this.#handedOut.isTrying(candidate.sandboxId)) continue;
        const ready = { candidate, readAt, reading };
        if (this.#neighbours.owns(candidate.sandboxId)) this.#add(ready);
        else others.push(ready);
      }
      const enough = Math.max(this.#options.minimumRefill, this.#waiting.length);
      if ((page.complete || others.length >= MAX_PAGE) && this.#ready.length < enough) {
        this.#addLast(others.splice(0));
      }
      // Nobody goes on waiting longer than need be.
      this.#serve();
      complete = page.complete;
      if (this.#ready.length >= this.#options.minimumRefill) break;
    }
    if (!complete) return;
    this.#wholePoolReadAt = began;
    for (const sandboxId of seen) {
      if (this.#handedOut.isSpent(sandboxId)) seen.delete(sandboxId);
      else if (this.#handedOut.isTrying(sandboxId)) this.#undecided.add(sandboxId);
    }
    if (seen.size > 0) return;
    this.#exhaustedAt = began;
    this.#turnAwayBefore(began + EMPTY_MS);
  }

  /** What has been read too long ago, or before somebody who waits began to doubt it. */
  #forgetStale(): void {
    const oldest = this.#clock.monotonic() - FRESH_MS;
    const oldestReading = this.#waiting.reduce(
      (latest, waiting) => Math.max(latest, waiting.oldestReading),
      0,
    );
    this.#ready = this.#ready.filter((ready) => ready.readAt >= oldest && ready.reading >= oldestReading);
    this.#known.clear();
    for (const ready of this.#ready) this.#known.add(ready.candidate.sandboxId);
  }

  /** Not for ever: meanwhile others may fill the pool. */
  #allDecided(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.after(EMPTY_MS, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Whoever came later may have come after a sandbox that the round had passed by then: they wait for the next. */
  #turnAwayBefore(end: number): void {
    this.#waiting = this.#waiting.filter((waiting) => {
      if (waiting.since >= end) return true;
      waiting.resolve(undefined);
      return false;
    });
  }

  #rejectAll(error: unknown): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }

  #dropUnwanted(): void {
    this.#waiting = this.#waiting.filter((waiting) => {
      if (waiting.wanted()) return true;
      waiting.resolve(undefined);
      return false;
    });
  }
}
