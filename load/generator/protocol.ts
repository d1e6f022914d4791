/** What the callers of one load send. */
export interface Callers {
  readonly token: string;
  /** Makes their ids different from those of any other load. */
  readonly run: string;
  readonly namePrefix?: string | undefined;
  /** Ids that hold a sandbox already, each used once, in turn with new ones: one new caller, then one of these. */
  readonly replays?: readonly string[] | undefined;
}

/** `concurrency` callers, each of whom sends its next request when it has its answer. Ends by number or by time. */
export interface ClosedLoop {
  readonly kind: 'closed';
  readonly urls: readonly string[];
  readonly callers: Callers;
  readonly concurrency: number;
  readonly requests?: number | undefined;
  readonly seconds?: number | undefined;
}

/** Arrivals that do not wait for anybody's answer (a Poisson process). */
export interface OpenLoop {
  readonly kind: 'open';
  readonly urls: readonly string[];
  readonly callers: Callers;
  readonly ratePerSecond: number;
  readonly seconds: number;
}

/** `requests` at one moment. */
export interface Burst {
  readonly kind: 'burst';
  readonly urls: readonly string[];
  readonly callers: Callers;
  readonly requests: number;
  /** Whether each opens its connection within the measured time, as lab scripts do. */
  readonly newConnections: boolean;
}

export type Load = ClosedLoop | OpenLoop | Burst;

/** One answer, as seen by who asked. Arrays of one length, in order of the answers. */
export interface LoadResult {
  /** From the first request to the last answer. */
  readonly elapsedMs: number;
  /** Answer by answer: 0 where there was none. */
  readonly statuses: Uint16Array;
  readonly latenciesMs: Float64Array;
  /** When each answer came, since the first request. */
  readonly answeredAtMs: Float64Array;
  /** Sandboxes that two new callers were given. Must be none. */
  readonly servedTwice: readonly string[];
  /** New callers that were served. */
  readonly served: readonly string[];
  /** What went wrong on the wire, in a few words, and how often. */
  readonly faults: Readonly<Record<string, number>>;
  readonly processorMs: number;
}
