import type { FaultRates } from './fault-board.ts';
import { PROVIDER_FAULTS, type ProviderFault } from './provider-faults.ts';
import { Randomness } from './randomness.ts';
import { STORE_FAULTS, type StoreFault } from './store-link.ts';

/** What the network between clients and brokers does. */
export const NETWORK_FAULTS = ['request-dropped', 'response-dropped'] as const;
export type NetworkFault = (typeof NETWORK_FAULTS)[number];

/** What happens to the whole world at times. */
export const DISTURBANCES = [
  'crash',
  'restart',
  'pause',
  'clock-step',
  'storm',
  'index-surge',
  'provider-outage',
  'account-vanishes',
  'new-accounts',
] as const;
export type Disturbance = (typeof DISTURBANCES)[number];

/** Everything about a world that its seed decides before it begins. It can be written down, and made smaller. */
export interface WorldPlan {
  readonly seed: number;
  /** Events of the eventful part; the healing that follows has more. */
  readonly steps: number;
  readonly brokers: number;
  readonly students: number;
  readonly sandboxes: number;
  /** How often somebody looks whether there are still enough of them. Milliseconds. */
  readonly supplyMs: number;
  /** Rows that a previous broker had allocated, and whether it still runs at the beginning. */
  readonly previousRows: number;
  readonly previousRuns: boolean;
  readonly operators: number;
  readonly jobs: boolean;
  /** Brokers that disagree about the shards of the status index, as during a deployment. */
  readonly shards: readonly number[];
  /** How long a student does nothing between two labs, and how long a lab is used. Milliseconds. */
  readonly thinkMs: number;
  readonly holdMs: number;
  /** All students come at once, this often; 0 for never. Milliseconds. */
  readonly burstMs: number;
  /** The longest lag of an index. Milliseconds. */
  readonly lagMs: number;
  /** By how much a clock may be wrong. Milliseconds. */
  readonly skewMs: number;
  readonly pageRows: number;
  readonly disturbances: readonly Disturbance[];
  /** Between two of them. Milliseconds. */
  readonly disturbanceMs: number;
  readonly storeFaults: FaultRates<StoreFault>;
  readonly networkFaults: FaultRates<NetworkFault>;
  readonly providerFaults: FaultRates<ProviderFault>;
  /** Settings of the brokers, beside those that every world has. */
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * A world of its own for each seed. Not every fault is in every world: those that leave some out get further in what
 * is left (swarm testing: Groce et al., 2012).
 */
export function planWorld(seed: number, steps?: number): WorldPlan {
  const random = new Randomness(`plan of ${seed}`);
  const calm = random.chance(0.1);
  const some = <Kind extends string>(
    kinds: readonly Kind[],
    least: number,
    most: number,
  ): FaultRates<Kind> => {
    const rates: Partial<Record<Kind, number>> = {};
    for (const kind of kinds) if (!calm && random.chance(0.5)) rates[kind] = random.spread(least, most);
    return rates;
  };
  const grace = random.between(0.5, 3);
  const maxShards = random.pick([1, 1, 2, 3]);
  return {
    seed,
    steps: steps ?? Math.round(random.spread(3_000, 20_000)),
    brokers: random.integer(2, 4),
    students: random.integer(1, 12),
    sandboxes: random.integer(1, 24),
    supplyMs: random.spread(100, 20_000),
    previousRows: random.chance(0.3) ? random.integer(1, 8) : 0,
    previousRuns: random.chance(0.15),
    operators: random.chance(0.5) ? 1 : 0,
    jobs: random.chance(0.85),
    shards: random.chance(0.3) ? [1, maxShards] : [maxShards],
    thinkMs: random.spread(20, 200_000),
    holdMs: random.spread(20, 200_000),
    burstMs: random.chance(0.3) ? random.between(5_000, 60_000) : 0,
    lagMs: random.spread(1, 20_000),
    // Less than the grace time, within which no clock can make a lab end early.
    skewMs: random.chance(0.5) ? 0 : random.between(0, grace * 30_000),
    pageRows: random.pick([2, 5, 20, 1_000]),
    disturbances: calm ? ['new-accounts'] : DISTURBANCES.filter(() => random.chance(0.5)),
    disturbanceMs: random.spread(2_000, 60_000),
    storeFaults: some(STORE_FAULTS, 0.001, 0.15),
    networkFaults: some(NETWORK_FAULTS, 0.001, 0.2),
    // The provider hears from one job at a time: what is rare there never happens.
    providerFaults: some(PROVIDER_FAULTS, 0.02, 0.3),
    environment: {
      LAB_DURATION_HOURS: random.between(0.02, 0.1).toFixed(3),
      GRACE_PERIOD_MINUTES: grace.toFixed(2),
      K_CANDIDATES: String(random.pick([1, 2, 5, 15])),
      BACKOFF_BASE_MS: String(random.pick([5, 50, 100])),
      BACKOFF_MAX_MS: String(random.pick([200, 1_000, 5_000])),
      COMMIT_MAX_IN_FLIGHT: String(random.integer(1, 4)),
      COMMIT_MAX_BATCH: String(random.pick([1, 2, 8, 50])),
      JOB_LEASE_SEC: String(random.integer(3, 30)),
      SYNC_INTERVAL_SEC: String(random.integer(20, 120)),
      SYNC_MAX_STALE_PERCENT: String(random.pick([0, 20, 50])),
      CLEANUP_INTERVAL_SEC: String(random.integer(15, 60)),
      CLEANUP_BATCH_SIZE: String(random.pick([1, 3, 10])),
      CLEANUP_CONCURRENCY: String(random.integer(1, 4)),
      CLEANUP_PER_SANDBOX_DELAY_SEC: random.pick(['0', '0', '1']),
      AUTO_EXPIRY_INTERVAL_SEC: String(random.integer(15, 60)),
      STALE_INTERVAL_SEC: String(random.integer(30, 120)),
      STALE_GRACE_PERIOD_HOURS: random.between(0, 0.1).toFixed(3),
      STATISTICS_INTERVAL_SEC: String(random.integer(30, 120)),
      DELETION_RETRY_MAX_ATTEMPTS: String(random.integer(1, 3)),
      CIRCUIT_BREAKER_THRESHOLD: String(random.pick([2, 5])),
      CIRCUIT_BREAKER_TIMEOUT_SEC: String(random.integer(5, 60)),
      REQUEST_DEADLINE_MS: String(random.pick([1_000, 4_000, 10_000])),
    },
  };
}
