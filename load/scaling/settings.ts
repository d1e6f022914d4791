/** How processes keep out of each other's way when they choose candidates. */
export type Preference =
  /** All walk the index from its beginning and shuffle what one reading gave. */
  | 'same-start'
  /** Each begins its walk somewhere else. */
  | 'random-start'
  /** Each tries those first whose id hashes to it, and others' when it finds none of its own. */
  | 'own-share'
  /** The same by whole shards of the index, so that it reads none but its own. Takes as many shards as tasks. */
  | 'own-shards';

/** How a walk goes through the shards of the index. */
export type Walk =
  /** One to its end, then the next: all writes of a task meet in one partition at a time. */
  | 'shard-by-shard'
  /** A page of each in turn. */
  | 'page-by-page';

/** What a task of the broker costs and does. Milliseconds. */
export interface TaskSettings {
  /** Processor time of one request: HTTP, validation, log, metrics. */
  readonly requestMs: number;
  /** Processor time of one call to the database, and of each allocation in it. */
  readonly callMs: number;
  readonly unitMs: number;
  /** Processor time of each row that a reading brings. */
  readonly rowMs: number;
  /** COMMIT_MAX_IN_FLIGHT, COMMIT_MAX_BATCH, K_CANDIDATES. */
  readonly lanes: number;
  readonly group: number;
  readonly candidates: number;
}

/** One server for all calls, one after the other: the embedded engine. Milliseconds. */
export interface EngineSettings {
  readonly kind: 'engine';
  readonly callMs: number;
  readonly unitMs: number;
  readonly rowMs: number;
}

/** As many servers as it takes, behind limits. Milliseconds and write units a second. */
export interface DynamoSettings {
  readonly kind: 'dynamodb';
  readonly callMs: number;
  readonly unitMs: number;
  /** Of the logarithm of a latency. */
  readonly sigma: number;
  /** How far an index is behind: its median; sometimes much more. */
  readonly indexLagMs: number;
  readonly indexLagSigma: number;
  /** Of one partition of an index. */
  readonly partitionWrites: number;
  /** Of the whole table, 4 for each allocation. */
  readonly tableWrites: number;
}

export type Load =
  | { readonly kind: 'closed'; readonly concurrency: number }
  | { readonly kind: 'poisson'; readonly perSecond: number };

export interface SimulationSettings {
  readonly tasks: number;
  readonly task: TaskSettings;
  readonly database: EngineSettings | DynamoSettings;
  readonly preference: Preference;
  readonly walk: Walk;
  /** STATUS_SHARDS */
  readonly shards: number;
  readonly pool: number;
  readonly requests: number;
  readonly load: Load;
  readonly seed: number;
}

export interface SimulationResult {
  /** Allocations a second, over the middle of the run. */
  readonly throughput: number;
  readonly p50: number;
  readonly p99: number;
  readonly callsPerAllocation: number;
  /** Lost races and transactions that met another one, for each allocation. */
  readonly conflictsPerAllocation: number;
  readonly throttledCalls: number;
  readonly rowsReadPerAllocation: number;
  readonly refused: number;
}
