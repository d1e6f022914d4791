import type { Snapshot } from './snapshot.ts';

interface Sign {
  readonly text: string;
  /** Whether a run holds the lease. */
  readonly isHeld: boolean;
  /** It was not given before this moment. Model milliseconds. */
  readonly notBefore: number;
}

/** The last signs of life of those who hold leases, as the table shows them between two steps. */
export class LeaseWatch {
  readonly #leaseMs: number;
  readonly #signs = new Map<string, Sign>();
  #lookedAt = 0;

  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  look({ items }: Pick<Snapshot, 'items'>, now: number): void {
    for (const { PK, fence, beat, run_id: runId } of items) {
      const partition = String(PK);
      if (!partition.startsWith('LEASE#')) continue;
      const job = partition.slice('LEASE#'.length);
      const text = `${fence} ${beat}`;
      if (this.#signs.get(job)?.text === text) continue;
      this.#signs.set(job, { text, isHeld: runId !== undefined, notBefore: this.#lookedAt });
    }
    this.#lookedAt = now;
  }

  /** Whether a run may have been silent for the time of a lease by now, or none holds it (I8). */
  mayBeTaken(job: string, now: number): boolean {
    const sign = this.#signs.get(job);
    return sign === undefined || !sign.isHeld || now - sign.notBefore >= this.#leaseMs;
  }
}
