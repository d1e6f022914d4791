import { randomUUID } from 'node:crypto';
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { type Clock, fullJitter, type Random } from '../domain/clock.ts';
import { databaseFault } from '../store/database-faults.ts';
import {
  type CancellationReason,
  CONDITION_FAILED,
  TRANSACTION_MAX_ITEMS,
  type Transacted,
} from '../store/transact.ts';

/** Some writes that take effect together, sharing a transaction with strangers where that is cheaper. */
export interface CommitUnit {
  readonly writes: TransactWriteItem[];
  /** Names of the items written: a transaction may not name one twice, so units that share a name wait. */
  readonly itemNames: readonly string[];
  /** Monotonic milliseconds after which it is not sent any more. */
  readonly deadline: number;
  /** Whether anyone still waits; a unit that nobody waits for is dropped before it is sent, never after. */
  readonly wanted: () => boolean;
}

/** `reasons` are those of the unit's own writes, in their order. */
export type CommitOutcome =
  | { readonly outcome: 'committed' }
  | { readonly outcome: 'cancelled'; readonly reasons: readonly CancellationReason[] };

/** The unit was not committed in time, or nobody knows whether it was. */
export class CommitDeadlineError extends Error {
  override readonly name = 'CommitDeadlineError';
}

export interface GroupCommitOptions {
  readonly maxInFlight: number;
  /** Units in one transaction at most. */
  readonly maxBatch: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
}

export interface GroupCommitParts {
  readonly transact: (items: TransactWriteItem[], token: string) => Promise<Transacted>;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of each call to the database: how many units shared it and how it ended. */
  readonly observe?: (event: { units: number; ended: 'committed' | 'cancelled' | 'failed' }) => void;
}

interface Entry {
  readonly unit: CommitUnit;
  readonly resolve: (outcome: CommitOutcome) => void;
  readonly reject: (error: unknown) => void;
  /** In how many groups it was innocent while another unit cancelled them. */
  cancelledGroups: number;
  settled: boolean;
}

/** So long a group that is smaller than usual waits beside another transaction for more to join it. Milliseconds. */
const GATHER_MS = 1;

/** In that many cancelled groups a unit may be innocent before it goes alone. */
const MAX_CANCELLED_GROUPS = 2;

/**
 * Lets units that wait at the same moment share one transaction.
 *
 * While fewer than `maxInFlight` transactions are under way a unit goes with whatever else arrived in the
 * same turn of the event loop, so an idle process adds no wait. Otherwise units queue in order of arrival.
 * Answers bring their callers back one after the other: so beside another transaction a group first waits for a
 * moment, unless it is half as large as the one before it. Small groups would cost as many calls.
 *
 * A cancelled group is read reason by reason. Those at fault are told. The innocent go again at once, among
 * themselves: nobody new joins, so whoever repeats a claim cannot hold the same neighbours up twice. After
 * two such groups a unit goes alone.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #parts: GroupCommitParts;
  #queue: Entry[] = [];
  #inFlight = 0;
  #scheduled = false;
  #gathering = false;
  #lastGroup = 0;
  /** Falls by half when the database asks for less, and recovers by one with each group that it takes. */
  #batch: number;

  constructor(options: GroupCommitOptions, parts: GroupCommitParts) {
    this.#options = options;
    this.#parts = parts;
    this.#batch = options.maxBatch;
  }

  /**
   * @throws CommitDeadlineError when the deadline passed first: the unit may still take effect if it had been
   * sent, which its own conditions make safe to find out by sending it again
   */
  submit(unit: CommitUnit): Promise<CommitOutcome> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ unit, resolve, reject, cancelledGroups: 0, settled: false });
      this.#schedule();
    });
  }

  /** Units that wait for a place in a transaction. */
  get waiting(): number {
    return this.#queue.length;
  }

  #schedule(): void {
    if (this.#scheduled || this.#inFlight >= this.#options.maxInFlight || this.#gathers()) return;
    this.#scheduled = true;
    // After the current turn, so that all requests that it reads from their sockets share the group.
    setImmediate(() => {
      this.#scheduled = false;
      this.#fill();
    });
  }

  /** Whether the queue is left to grow for a moment. */
  #gathers(): boolean {
    if (this.#inFlight === 0 || this.#queue.length === 0 || this.#queue.length >= this.#lastGroup / 2)
      return false;
    if (!this.#gathering) {
      this.#gathering = true;
      this.#parts.clock.after(GATHER_MS, () => {
        this.#gathering = false;
        this.#lastGroup = 0;
        this.#fill();
      });
    }
    return true;
  }

  #fill(): void {
    while (this.#inFlight < this.#options.maxInFlight && !this.#gathers()) {
      const group = this.#takeGroup();
      if (group.length === 0) return;
      this.#lastGroup = group.length;
      this.#inFlight += 1;
      void this.#commit(group).finally(() => {
        this.#inFlight -= 1;
        this.#fill();
      });
    }
  }

  /** The longest-waiting units that fit into one transaction and do not name one item twice. */
  #takeGroup(): Entry[] {
    const group: Entry[] = [];
    const names = new Set<string>();
    const left: Entry[] = [];
    let items = 0;
    for (let index = 0; index < this.#queue.length; index += 1) {
      const entry = this.#queue[index] as Entry;
      if (!this.#stillWanted(entry)) continue;
      const goesAlone = entry.cancelledGroups >= MAX_CANCELLED_GROUPS;
      const fits =
        group.length === 0 ||
        (!goesAlone &&
          items + entry.unit.writes.length <= TRANSACTION_MAX_ITEMS &&
          entry.unit.itemNames.every((name) => !names.has(name)));
      if (!fits) {
        left.push(entry);
        continue;
      }
      group.push(entry);
      items += entry.unit.writes.length;
      for (const name of entry.unit.itemNames) names.add(name);
      if (goesAlone || group.length >= this.#batch) {
        for (index += 1; index < this.#queue.length; index += 1) left.push(this.#queue[index] as Entry);
      }
    }
    this.#queue = left;
    return group;
  }

  #stillWanted(entry: Entry): boolean {
    if (entry.settled) return false;
    if (!entry.unit.wanted() || this.#parts.clock.monotonic() >= entry.unit.deadline) {
      this.#fail(entry, new CommitDeadlineError('The deadline passed before the write was sent'));
      return false;
    }
    return true;
  }

  /** Sees one group, and whatever innocents are left of it, to their end. */
  async #commit(first: Entry[]): Promise<void> {
    let group = first;
    while (group.length > 0) {
      const result = await this.#send(group);
      if (result === undefined) return;
      if (result.committed) {
        this.#batch = Math.min(this.#options.maxBatch, this.#batch + 1);
        for (const entry of group) this.#succeed(entry, { outcome: 'committed' });
        return;
      }
      group = this.#sortOut(group, result.reasons);
    }
  }

  /** Tells those at fault, and returns the innocent that may go again together. */
  #sortOut(group: Entry[], reasons: readonly CancellationReason[]): Entry[] {
    const innocent: Entry[] = [];
    const alone: Entry[] = [];
    let position = 0;
    let conflicts = false;
    for (const entry of group) {
      const own = reasons.slice(position, position + entry.unit.writes.length);
      position += entry.unit.writes.length;
      if (own.some((reason) => reason.code !== 'None')) {
        conflicts ||= own.some(({ code }) => code !== 'None' && code !== CONDITION_FAILED);
        this.#succeed(entry, { outcome: 'cancelled', reasons: own });
        continue;
      }
      entry.cancelledGroups += 1;
      if (!this.#stillWanted(entry)) continue;
      (entry.cancelledGroups < MAX_CANCELLED_GROUPS ? innocent : alone).push(entry);
    }
    if (conflicts) this.#halve();
    this.#queue.unshift(...alone);
    return innocent;
  }

  /**
   * One group in one transaction, repeated under its token for as long as nobody knows what became of it.
   * Undefined when every unit of it has been told already.
   */
  async #send(group: Entry[]): Promise<Transacted | undefined> {
    const token = randomUUID();
    const items = group.flatMap((entry) => entry.unit.writes);
    for (let attempt = 0; ; attempt += 1) {
      try {
        const result = await this.#parts.transact(items, token);
        this.#parts.observe?.({ units: group.length, ended: result.committed ? 'committed' : 'cancelled' });
        return result;
      } catch (error) {
        this.#parts.observe?.({ units: group.length, ended: 'failed' });
        const fault = databaseFault(error);
        if (fault === 'wrong') {
          this.#findTheWrongOne(group, error);
          return undefined;
        }
        await this.#backOff(attempt, group);
        if (fault === 'refused' && group.length > 1) {
          this.#halve();
          this.#queue.unshift(...group);
          return undefined;
        }
        this.#failExpired(group, error);
        if (group.every((entry) => entry.settled)) return undefined;
      }
    }
  }

  /** Nobody can tell whose write the database would not have: each goes alone, and hears what is its own. */
  #findTheWrongOne(group: readonly Entry[], error: unknown): void {
    if (group.length === 1) {
      for (const entry of group) this.#fail(entry, error);
      return;
    }
    for (const entry of group) entry.cancelledGroups = MAX_CANCELLED_GROUPS;
    this.#queue.unshift(...group);
  }

  #failExpired(group: readonly Entry[], cause: unknown): void {
    for (const entry of group) {
      if (this.#parts.clock.monotonic() >= entry.unit.deadline || !entry.unit.wanted()) {
        this.#fail(
          entry,
          new CommitDeadlineError('The database did not settle the write in time', { cause }),
        );
      }
    }
  }

  /** Not beyond the last deadline: a group that nobody waits for holds a place that others could have. */
  #backOff(attempt: number, group: readonly Entry[]): Promise<void> {
    const { clock, random } = this.#parts;
    const { backoffBaseMs, backoffMaxMs } = this.#options;
    const left = Math.max(...group.map((entry) => entry.unit.deadline)) - clock.monotonic();
    return clock.sleep(Math.min(fullJitter(attempt, backoffBaseMs, backoffMaxMs, random), Math.max(0, left)));
  }

  #halve(): void {
    this.#batch = Math.max(1, Math.floor(this.#batch / 2));
  }

  #succeed(entry: Entry, outcome: CommitOutcome): void {
    entry.settled = true;
    entry.resolve(outcome);
  }

  #fail(entry: Entry, error: unknown): void {
    if (entry.settled) return;
    entry.settled = true;
    entry.reject(error);
  }
}
