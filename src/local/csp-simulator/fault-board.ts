import type { Clock, Random } from '../../domain/clock.ts';
import { type Fault, type FaultInput, faultListSchema, faultSchema, type SimulatedCall } from './faults.ts';

export interface SetFault {
  readonly fault: Fault;
  /** How many times it struck. */
  struck: number;
  /** Of every delete that it saw, in monotonic milliseconds; for `delete_burst`. */
  readonly deletes: number[];
}

export interface Strike {
  readonly delayMs: number;
  /** The first that is not latency. */
  readonly fault: Fault | null;
}

/** The faults that are set. The first that fits a call strikes it, after every latency that fits. */
export class FaultBoard {
  readonly #clock: Clock;
  readonly #random: Random;
  #faults: SetFault[] = [];

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Replaces all. @throws ZodError for one that is not valid */
  set(faults: readonly FaultInput[]): void {
    this.#faults = faultListSchema.parse({ faults }).faults.map(asSet);
  }

  /** @throws ZodError for one that is not valid */
  add(fault: FaultInput): void {
    this.#faults.push(asSet(faultSchema.parse(fault)));
  }

  clear(): void {
    this.#faults = [];
  }

  list(): readonly SetFault[] {
    return this.#faults;
  }

  /**
   * What happens to a call; uses up what is limited in times.
   *
   * @param names every name of the account that the call is for; empty for a call that is for none
   */
  strike(call: SimulatedCall, names: readonly string[]): Strike {
    let delayMs = 0;
    let struck: SetFault | null = null;
    for (const set of this.#faults) {
      if (!isFor(set.fault, call, names)) continue;
      if (set.fault.kind === 'delete_burst' && !this.#isBeyondBurst(set, set.fault)) continue;
      if (struck !== null && set.fault.kind !== 'latency') continue;
      if (set.fault.probability !== undefined && this.#random() >= set.fault.probability) continue;
      set.struck += 1;
      if (set.fault.kind === 'latency') {
        const { milliseconds, max_milliseconds = milliseconds } = set.fault;
        delayMs += milliseconds + this.#random() * Math.max(0, max_milliseconds - milliseconds);
      } else {
        struck = set;
      }
    }
    this.#faults = this.#faults.filter(({ fault, struck: times }) => times < (fault.times ?? Infinity));
    return { delayMs, fault: struck?.fault ?? null };
  }

  /** Counts every delete, also those that it fails: whoever repeats a failed one at once stays beyond the limit. */
  #isBeyondBurst(set: SetFault, fault: Extract<Fault, { kind: 'delete_burst' }>): boolean {
    const now = this.#clock.monotonic();
    while (set.deletes.length > 0 && set.deletes[0]! <= now - fault.window_seconds * 1000)
      set.deletes.shift();
    set.deletes.push(now);
    return set.deletes.length > fault.limit;
  }
}

function isFor(fault: Fault, call: SimulatedCall, names: readonly string[]): boolean {
  if (fault.kind === 'delete_burst' && call !== 'delete') return false;
  if ((fault.kind === 'empty_list' || fault.kind === 'short_list') && !isListing(call)) return false;
  if (fault.account !== undefined && !names.includes(fault.account)) return false;
  return fault.call === undefined || fault.call === call || (fault.call === 'niosxaas' && isNiosxaas(call));
}

function isListing(call: SimulatedCall): boolean {
  return call === 'list' || call === 'niosxaas_list';
}

function isNiosxaas(call: SimulatedCall): boolean {
  return call.startsWith('niosxaas_');
}

function asSet(fault: Fault): SetFault {
  return { fault, struck: 0, deletes: [] };
}
