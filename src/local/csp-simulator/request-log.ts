import type { SimulatedCall } from './faults.ts';

/** Older entries than this many are dropped. */
const ENTRIES_MAX = 20_000;

export interface LoggedRequest {
  /** Unix milliseconds. */
  readonly at: number;
  readonly call: SimulatedCall;
  readonly method: string;
  readonly path: string;
  /** The account that it was for, by its id; null for a call that is for none. */
  readonly account: string | null;
  readonly request_id: string | null;
  /** How many were under way when it came, with itself. */
  readonly in_flight: number;
  /** The fault that struck it. */
  fault: string | null;
  /** Null while it is under way, and for good where it was never answered. */
  status: number | null;
  duration_ms: number | null;
}

/** What the simulator was asked, in order. Holds no credential. */
export class RequestLog {
  #entries: LoggedRequest[] = [];
  #waiting: { matches: (entry: LoggedRequest) => boolean; resolve: (entry: LoggedRequest) => void }[] = [];

  begin(entry: LoggedRequest): void {
    this.#entries.push(entry);
    if (this.#entries.length > ENTRIES_MAX) this.#entries.shift();
    this.#waiting = this.#waiting.filter(({ matches, resolve }) => {
      if (!matches(entry)) return true;
      resolve(entry);
      return false;
    });
  }

  all(): readonly LoggedRequest[] {
    return this.#entries;
  }

  of(call: SimulatedCall): readonly LoggedRequest[] {
    return this.#entries.filter((entry) => entry.call === call);
  }

  /** Resolves when such a request has come, or at once if it has. For tests that wait for one. */
  untilAsked(matches: (entry: LoggedRequest) => boolean): Promise<LoggedRequest> {
    const found = this.#entries.find(matches);
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve) => this.#waiting.push({ matches, resolve }));
  }

  clear(): void {
    this.#entries = [];
  }
}
