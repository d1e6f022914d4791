import { randomUUID } from 'node:crypto';
import { type Clock, fullJitter, type Random, unixSeconds } from '../domain/clock.ts';
import {
  allocationContention,
  BrokerError,
  noSandboxesAvailable,
  serviceUnavailable,
} from '../domain/errors.ts';
import { type ClaimKey, claimKeyOf, claimKeyText } from '../domain/identifiers.ts';
import type { Adoption } from '../store/adoption.ts';
import {
  type AllocationOrigin,
  allocationWrites,
  type Candidate,
  CLAIM_WRITE,
  SANDBOX_WRITE,
} from '../store/allocation-writes.ts';
import { toCandidate } from '../store/available-walk.ts';
import type { ClaimReader } from '../store/claim-reader.ts';
import { type Claim, toClaim } from '../store/claim-row.ts';
import type { Database } from '../store/database.ts';
import { isDatabaseUnavailable } from '../store/database-faults.ts';
import { claimKey, sandboxKey } from '../store/keys.ts';
import { plainStatus, type StatusShards } from '../store/status-shards.ts';
import { type CancellationReason, CONDITION_FAILED } from '../store/transact.ts';
import type { CandidateBuffer } from './candidate-buffer.ts';
import type { Deadline } from './deadline.ts';
import { CommitDeadlineError, type GroupCommit } from './group-commit.ts';
import type { PreviousAllocations } from './previous-allocations.ts';
import type { RecentClaims } from './recent-claims.ts';

export interface AllocationRequest extends AllocationOrigin {
  readonly track: string;
  readonly idempotencyKey?: string | undefined;
  readonly namePrefix?: string | undefined;
}

export interface Allocation extends Claim {
  /** The claim was there already: this request repeats an earlier one, or joined one under way. */
  readonly replayed: boolean;
}

export interface AllocatorOptions {
  readonly labDurationHours: number;
  /** Races that one request may lose. */
  readonly maxLostRaces: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
}

export interface AllocatorParts {
  readonly database: Database;
  readonly shards: StatusShards;
  readonly buffer: Pick<CandidateBuffer, 'take' | 'nextReading' | 'giveBack' | 'spent' | 'discard'>;
  readonly commits: Pick<GroupCommit, 'submit'>;
  readonly claims: Pick<ClaimReader, 'get'>;
  readonly adoption: Pick<Adoption, 'completed' | 'refresh'>;
  readonly previous: Pick<PreviousAllocations, 'find'>;
  readonly recent: RecentClaims;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of every race for a sandbox that was lost. */
  readonly onConflict: () => void;
}

/**
 * Whoever has lost so many races takes only what is read from then on: the sandboxes that were read before may all be
 * gone, and an empty pool is no contention.
 */
const RACES_UNTIL_DOUBT = 2;

/** Requests of one claim key that are under way together in this process. */
interface Flight {
  /** What its claim says that it was put by. */
  readonly id: string;
  /** Its place in the order in which requests come and flights begin. */
  readonly began: number;
  readonly key: ClaimKey;
  readonly request: AllocationRequest;
  readonly deadlines: Deadline[];
  readonly wanted: () => boolean;
  /** What a request hears whose time ran out: what stood in the way last. */
  obstacle: () => BrokerError;
}

/**
 * Allocates: one transaction puts the claim and takes the sandbox, each on its condition, so that whatever
 * crashes, races or is repeated, a claim key has one sandbox and a sandbox one claim key (I1, I2, I10).
 */
export class Allocator {
  readonly #options: AllocatorOptions;
  readonly #parts: AllocatorParts;
  readonly #flights = new Map<string, { flight: Flight; landed: Promise<Allocation> }>();
  #order = 0;

  constructor(options: AllocatorOptions, parts: AllocatorParts) {
    this.#options = options;
    this.#parts = parts;
  }

  /**
   * @throws BrokerError NO_SANDBOXES_AVAILABLE, ALLOCATION_CONTENTION or SERVICE_UNAVAILABLE. After the last
   * one the allocation may have taken effect all the same; the same claim key recovers it (I3).
   */
  async allocate(request: AllocationRequest, deadline: Deadline): Promise<Allocation> {
    const key = claimKeyOf(request.track, request.idempotencyKey);
    const text = claimKeyText(key);
    this.#order += 1;
    const came = this.#order;
    for (;;) {
      const underWay = this.#flights.get(text);
      if (underWay === undefined) break;
      const { flight, landed } = underWay;
      flight.deadlines.push(deadline);
      if (flight.began > came && flight.request.namePrefix === request.namePrefix) {
        const claim = await deadline.bound(landed, () => flight.obstacle());
        return { ...claim, replayed: true };
      }
      // What a flight finds out holds for whoever came before it began. Its answer may have been on its way for long,
      // and the allocation released by then through another process; and it need not hold for another part of the
      // pool. Whoever came later, or asks for another part, waits for it to land and then looks for itself.
      const settled = landed.catch(() => undefined);
      await deadline.bound(settled, () => flight.obstacle());
    }
    this.#order += 1;
    const deadlines = [deadline];
    const flight: Flight = {
      id: randomUUID(),
      began: this.#order,
      key,
      request,
      deadlines,
      wanted: () => deadlines.some((each) => each.wanted()),
      obstacle: () => serviceUnavailable(undefined),
    };
    const landed = this.#fly(flight, text).finally(() => this.#flights.delete(text));
    this.#flights.set(text, { flight, landed });
    return deadline.bound(landed, () => flight.obstacle());
  }

  async #fly(flight: Flight, text: string): Promise<Allocation> {
    try {
      const claim = await this.#existingClaim(flight.key, text);
      if (claim !== undefined) return answerTo(flight, claim);
      return await this.#race(flight, text);
    } catch (error) {
      if (error instanceof CommitDeadlineError) throw flight.obstacle();
      if (error instanceof BrokerError || !isDatabaseUnavailable(error)) throw error;
      throw serviceUnavailable(error);
    }
  }

  /** Looks for a claim where there may well be one; otherwise the transaction itself finds out. */
  async #existingClaim(key: ClaimKey, text: string): Promise<Claim | undefined> {
    const { adoption, previous, recent, claims } = this.#parts;
    if (!adoption.completed && !(await adoption.refresh())) return previous.find(key);
    return recent.has(text) ? claims.get(key) : undefined;
  }

  /** Until adoption is complete a claim may outlive its allocation, which the previous broker ends without it. */
  #activeClaim(key: ClaimKey): Promise<Claim | undefined> {
    const { adoption, previous, claims } = this.#parts;
    return adoption.completed ? claims.get(key) : previous.find(key);
  }

  async #race(flight: Flight, text: string): Promise<Allocation> {
    const { buffer, recent, clock, random } = this.#parts;
    let lost = 0;
    let held = 0;
    let oldestReading = 0;
    while (lost < this.#options.maxLostRaces) {
      const candidate = await buffer.take(flight.request.namePrefix, flight.wanted, oldestReading);
      if (candidate === undefined) {
        if (!flight.wanted()) throw flight.obstacle();
        // A replay must be answered from an empty pool too.
        const claim = await this.#activeClaim(flight.key);
        if (claim === undefined) throw noSandboxesAvailable(flight.request.namePrefix);
        return answerTo(flight, claim);
      }
      // Before the try: whoever never hears of its end is the likeliest to come again.
      recent.add(text);
      const attempt = await this.#try(flight, candidate);
      if (attempt.result === 'won') {
        if (!attempt.allocation.replayed || this.#parts.adoption.completed) return attempt.allocation;
        const claim = await this.#activeClaim(flight.key);
        if (claim !== undefined) return answerTo(flight, claim);
        lost += 1;
        continue;
      }
      if (attempt.result === 'lost') {
        lost += 1;
        this.#parts.onConflict();
        flight.obstacle = allocationContention;
        if (lost === RACES_UNTIL_DOUBT) oldestReading = buffer.nextReading(flight.request.namePrefix);
        continue;
      }
      // Held up: somebody else's transaction on our claim, or throttling. Says nothing about any condition.
      flight.obstacle = attempt.throttled ? () => serviceUnavailable(undefined) : allocationContention;
      const { backoffBaseMs, backoffMaxMs } = this.#options;
      await clock.sleep(fullJitter(held, backoffBaseMs, backoffMaxMs, random));
      held += 1;
      if (!flight.wanted()) throw flight.obstacle();
    }
    throw allocationContention();
  }

  async #try(
    flight: Flight,
    candidate: Candidate,
  ): Promise<
    { result: 'won'; allocation: Allocation } | { result: 'lost' } | { result: 'held'; throttled: boolean }
  > {
    const { database, shards, buffer, commits, clock } = this.#parts;
    const claim: Claim = {
      sandboxId: candidate.sandboxId,
      name: candidate.name,
      externalId: candidate.externalId,
      allocatedAt: unixSeconds(clock),
      labDurationHours: this.#options.labDurationHours,
      sfdcAccountId: candidate.sfdcAccountId,
      claimedBy: flight.id,
    };
    let outcome: Awaited<ReturnType<GroupCommit['submit']>>;
    try {
      outcome = await commits.submit({
        writes: allocationWrites(database, shards, flight.key, candidate, claim, flight.request),
        itemNames: [claimKey(flight.key).PK, sandboxKey(candidate.sandboxId).PK],
        // Read when it counts: whoever joins meanwhile may have more time than those before.
        get deadline() {
          return flight.deadlines.reduce((latest, { at }) => Math.max(latest, at), 0);
        },
        wanted: flight.wanted,
      });
    } catch (error) {
      buffer.discard(candidate);
      throw error;
    }
    if (outcome.outcome === 'committed') {
      buffer.spent(candidate);
      return { result: 'won', allocation: answerTo(flight, claim) };
    }
    return this.#readReasons(flight, outcome.reasons, candidate);
  }

  #readReasons(flight: Flight, reasons: readonly CancellationReason[], candidate: Candidate) {
    const { buffer } = this.#parts;
    const ofClaim = reasons[CLAIM_WRITE];
    const ofSandbox = reasons[SANDBOX_WRITE];
    if (ofSandbox?.code === CONDITION_FAILED) this.#settleLost(candidate, ofSandbox.item);
    else buffer.giveBack(candidate);

    if (ofClaim?.code === CONDITION_FAILED && ofClaim.item !== undefined) {
      return { result: 'won' as const, allocation: answerTo(flight, toClaim(ofClaim.item)) };
    }
    if (ofSandbox?.code === CONDITION_FAILED) return { result: 'lost' as const };
    const codes = [ofClaim?.code, ofSandbox?.code];
    const wrong = codes.find((code) => code !== undefined && !HOLD_UPS.has(code));
    if (wrong !== undefined) throw new Error(`The database refused an allocation: ${wrong}`);
    return { result: 'held' as const, throttled: !codes.includes('TransactionConflict') };
  }

  /** What the row turned out to be instead of available. */
  #settleLost(candidate: Candidate, row: CancellationReason['item']): void {
    const { buffer } = this.#parts;
    const status = plainStatus(row?.status?.S ?? 'gone');
    if (status === 'stale' || status === 'quarantined') buffer.discard(candidate);
    else if (status === 'available' && row !== undefined) {
      // Renamed since the index was read: as good a candidate as before, under its new name.
      buffer.discard(candidate);
      buffer.giveBack(toCandidate(row));
    } else buffer.spent(candidate);
  }
}

/**
 * A claim that the flight itself put is no replay. It meets its own when its commit went unheard and the repetition
 * was turned away for another reason: a conflict, throttling.
 */
function answerTo(flight: Flight, claim: Claim): Allocation {
  return { ...claim, replayed: claim.claimedBy !== flight.id };
}

/** Reasons that pass: the same transaction may well go through in a moment. */
const HOLD_UPS = new Set(['None', 'TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);
