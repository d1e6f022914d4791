import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { NiosxaasCleanup } from '../csp/niosxaas-client.ts';
import type { ProviderObserver } from '../csp/provider-observer.ts';
import type { FinishedRun } from '../store/job-rows.ts';

const RUN_BUCKETS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600];
const CALL_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 20, 30];

const BREAKER_VALUES = { closed: 0, half_open: 1, open: 2 } as const;

/** The series of the background jobs and of the provider's API. */
export function jobMetrics(registers: Registry[]) {
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter<Label>({ name, help, labelNames: [...labelNames], registers });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge<Label>({ name, help, labelNames: [...labelNames], registers });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly Label[] = [],
  ) => new Histogram<Label>({ name, help, buckets, labelNames: [...labelNames], registers });

  const sync = counter('broker_sync_total', 'Runs of sync', ['outcome']);
  const synced = counter('broker_sync_sandboxes_synced_total', 'Accounts that listings held');
  const staled = counter('broker_sync_sandboxes_stale_total', 'Sandboxes that went stale');
  const braked = counter('broker_sync_braked_total', 'Listings that were not believed');
  const syncDuration = histogram('broker_sync_duration_seconds', 'Time of a sync', RUN_BUCKETS);
  const cleanup = counter('broker_cleanup_total', 'Runs of cleanup', ['outcome']);
  const deleted = counter('broker_cleanup_deleted_total', 'Sandboxes deleted at the provider');
  const failed = counter('broker_cleanup_failed_total', 'Deletions that failed');
  const capped = counter('broker_cleanup_capped_total', 'Runs that the cap on deletions ended: an alarm');
  const cleanupDuration = histogram('broker_cleanup_duration_seconds', 'Time of a cleanup', RUN_BUCKETS);
  const expiry = counter('broker_expiry_total', 'Runs of expiry', ['outcome']);
  const orphaned = counter('broker_expiry_orphaned_total', 'Allocations that nobody ended in time');
  const runs = counter('broker_job_runs_total', 'Runs of any job', ['job', 'outcome']);
  const lastSuccess = gauge(
    'broker_job_last_success_seconds',
    'When a job last succeeded here (Unix seconds)',
    ['job'],
  );
  const niosxaas = counter('broker_niosxaas_cleanup_total', 'NIOSXaaS clean-ups before a deletion', [
    'outcome',
  ]);
  const services = counter('broker_niosxaas_services_deleted_total', 'NIOSXaaS services deleted');
  const authentications = counter('broker_niosxaas_auth_total', 'Sign-ins and account switches at NIOSXaaS', [
    'outcome',
  ]);
  const calls = histogram('broker_csp_call_seconds', 'Calls to the provider', CALL_BUCKETS, [
    'call',
    'outcome',
  ]);
  const breaker = gauge('broker_csp_breaker_state', '0 closed, 1 half open, 2 open', ['breaker']);
  for (const name of ['csp', 'niosxaas']) breaker.set({ breaker: name }, BREAKER_VALUES.closed);

  const observeByJob: Partial<Record<string, (run: FinishedRun) => void>> = {
    sync: (run) => {
      sync.inc({ outcome: run.outcome });
      synced.inc(count(run, 'synced'));
      staled.inc(count(run, 'marked_stale'));
      if (run.outcome === 'braked') braked.inc();
      syncDuration.observe(run.durationMs / 1000);
    },
    cleanup: (run) => {
      cleanup.inc({ outcome: run.outcome });
      deleted.inc(count(run, 'deleted'));
      failed.inc(count(run, 'failed'));
      if (run.outcome === 'deletion_cap') capped.inc();
      cleanupDuration.observe(run.durationMs / 1000);
    },
    expiry: (run) => {
      expiry.inc({ outcome: run.outcome });
      orphaned.inc(count(run, 'expired'));
    },
  };

  return {
    observeRun(job: string, run: FinishedRun): void {
      runs.inc({ job, outcome: run.outcome });
      if (run.outcome === 'success') lastSuccess.set({ job }, run.finishedAt);
      observeByJob[job]?.(run);
    },
    observeNiosxaas(result: NiosxaasCleanup): void {
      niosxaas.inc({ outcome: result.outcome });
      services.inc(result.deleted);
    },
    providerObserver: {
      onCall: ({ call, outcome, seconds }) => {
        calls.observe({ call, outcome }, seconds);
        if (call === 'niosxaas_sign_in' || call === 'niosxaas_switch') authentications.inc({ outcome });
      },
      onBreaker: (name, state) => breaker.set({ breaker: name }, BREAKER_VALUES[state]),
    } satisfies ProviderObserver,
  };
}

function count(run: FinishedRun, note: string): number {
  return Number(run.result[note] ?? 0);
}
