import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { StatusCounts } from '../store/statistics.ts';
import { jobMetrics } from './job-metrics.ts';

const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10];

/** How an allocation ended, as `broker_allocate_total` and the allocation histogram label it. */
export type AllocateOutcome = 'success' | 'replay' | 'no_sandboxes' | 'contention' | 'unavailable' | 'error';

export type ReleaseOutcome = 'success' | 'not_owner' | 'not_found' | 'unavailable' | 'error';

export type Metrics = ReturnType<typeof createMetrics>;

/** Every series of the broker on a registry of its own, so that two brokers of one process do not mix. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter<Label>({ name, help, labelNames: [...labelNames], registers });
  /** Without a value until it is known: 0 would be taken for an empty pool. */
  const gauge = (name: string, help: string) => {
    const series = new Gauge({ name, help, registers });
    series.remove();
    return series;
  };

  const allocateConflicts = [
    counter('broker_allocate_conflicts_total', 'Races for a sandbox that were lost to another caller'),
    counter('broker_conflict_total', 'The same as broker_allocate_conflicts_total, under its older name'),
  ];
  const pool = {
    available: gauge('broker_pool_available', 'Sandboxes that can be allocated'),
    allocated: gauge('broker_pool_allocated', 'Sandboxes that a caller holds'),
    pending_deletion: gauge(
      'broker_pool_pending_deletion',
      'Sandboxes that wait for their deletion at the provider',
    ),
    stale: gauge('broker_pool_stale', 'Sandboxes that the provider no longer lists'),
    deletion_failed: gauge('broker_pool_deletion_failed', 'Sandboxes whose deletion was given up'),
    quarantined: gauge('broker_pool_quarantined', 'Sandboxes that an operator took out of the pool'),
  };
  const poolTotal = gauge('broker_pool_total', 'Sandboxes of any status');
  const poolAsOf = gauge('broker_pool_as_of_seconds', 'When the pool was counted (Unix seconds)');

  return {
    registry,
    allocations: counter('broker_allocate_total', 'Answers to POST allocate', ['outcome']),
    idempotentHits: counter(
      'broker_allocate_idempotent_hits_total',
      'Allocations that repeated an earlier one',
    ),
    deletionsMarked: counter('broker_deletion_marked_total', 'Answers to POST mark-for-deletion', [
      'outcome',
    ]),
    requestLatency: new Histogram({
      name: 'broker_request_latency_seconds',
      help: 'Time from the first byte of a request to the end of its answer',
      labelNames: ['method', 'endpoint', 'status'] as const,
      buckets: LATENCY_BUCKETS,
      registers,
    }),
    allocationLatency: new Histogram({
      name: 'broker_allocation_latency_seconds',
      help: 'Time of an allocation inside the broker',
      labelNames: ['outcome'] as const,
      buckets: LATENCY_BUCKETS,
      registers,
    }),
    databaseRequests: counter('broker_database_requests_total', 'Calls to the database', ['operation']),
    databaseTransactions: counter('broker_database_transactions_total', 'Grouped transactions sent', [
      'ended',
    ]),
    databaseTransactionUnits: counter(
      'broker_database_transaction_units_total',
      'Allocations and releases that those transactions carried',
    ),
    credentialRequests: counter(
      'broker_credential_requests_total',
      'Answers by the name of the credential that asked',
      ['credential', 'status'],
    ),
    rateLimited: counter('broker_rate_limited_total', 'Requests refused with 429', ['limit']),
    ...jobMetrics(registers),
    countConflict(): void {
      for (const each of allocateConflicts) each.inc();
    },
    setPool(counts: StatusCounts, asOf: number): void {
      let total = 0;
      for (const [status, series] of Object.entries(pool)) {
        const count = counts[status as keyof StatusCounts];
        series.set(count);
        total += count;
      }
      poolTotal.set(total);
      poolAsOf.set(asOf);
    },
  };
}
