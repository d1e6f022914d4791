import type { JobContext } from '../../../src/workers/job.ts';
import type { Change } from '../dynamodb/simulated-table.ts';
import type { Process } from '../world/schedule.ts';
import type { Violations } from '../world/violations.ts';
import { kindOf, numberOf } from './rows.ts';

export interface LeaseWitness {
  /** Milliseconds since the world began: the true time, whatever any process's clock says. */
  time(): number;
  /** The shortest time without a sign of life after which any process may take a lease. Milliseconds. */
  readonly leaseMs: number;
}

/** A run as the process sees it in which it goes on. */
interface Run {
  readonly runId: string;
  readonly process: Process;
  readonly signal: AbortSignal;
}

/**
 * I8, from both of its sides. In the table: a lease is taken from a run that has not ended only when that has given no
 * sign of life for the whole of its time. In the processes: whenever a run begins or a lease shows a sign of life, at most
 * one run of the job has not been aborted, not counting processes that are dead or stand still: those find out as they
 * wake.
 */
export class LeaseChecker {
  readonly #violations: Violations;
  readonly #witness: LeaseWitness;
  /** When each job's holder gave its last sign of life: the commit that changed fence or beat. */
  readonly #signs = new Map<string, number>();
  /** Runs that have begun and not ended, by job. */
  readonly #runs = new Map<string, Set<Run>>();
  /** Leases taken from runs that had not ended. */
  takeovers = 0;

  constructor(violations: Violations, witness: LeaseWitness) {
    this.#violations = violations;
    this.#witness = witness;
  }

  committed(changes: readonly Change[]): void {
    for (const change of changes) {
      const kind = kindOf(change.key);
      if (kind.kind === 'lease') this.#leaseWritten(kind.id, change);
    }
  }

  #leaseWritten(job: string, { before, after }: Change): void {
    const now = this.#witness.time();
    const from = before?.run_id?.S;
    const to = after?.run_id?.S;
    if (from !== undefined && to !== undefined && from !== to) {
      this.takeovers += 1;
      const silentMs = now - (this.#signs.get(job) ?? Number.NEGATIVE_INFINITY);
      if (silentMs < this.#witness.leaseMs)
        this.#violations.add(
          'I8',
          `the lease of ${job} went from run ${from} to run ${to} ${silentMs.toFixed(0)} ms after a sign of life`,
        );
    }
    const isSign = ['fence', 'beat'].some(
      (name) =>
        before === undefined || after === undefined || numberOf(before, name) !== numberOf(after, name),
    );
    if (!isSign) return;
    this.#signs.set(job, now);
    this.#oneGoesOn(job);
  }

  /** @returns to be called when the run has ended, however it did */
  began(
    job: string,
    process: Process,
    { signal, author }: Pick<JobContext, 'signal' | 'author'>,
  ): () => void {
    const runs = this.#runs.get(job) ?? new Set();
    this.#runs.set(job, runs);
    const run: Run = { runId: author.requestId ?? '', process, signal };
    runs.add(run);
    this.#oneGoesOn(job);
    return () => runs.delete(run);
  }

  #oneGoesOn(job: string): void {
    const runs = this.#runs.get(job) ?? new Set();
    for (const run of runs) if (!run.process.alive) runs.delete(run);
    const [one, other] = [...runs].filter(
      ({ signal, process }) => !signal.aborted && process.pausedUntil < this.#witness.time(),
    );
    if (one === undefined || other === undefined) return;
    this.#violations.add(
      'I8',
      `${job} goes on in two processes: run ${one.runId} in ${one.process.name}, run ${other.runId} in ${other.process.name}`,
    );
  }
}
