import type { GatedBroker } from '../crash/gated-broker.ts';

/** Which jobs may be said to run elsewhere: those in which a broker was stopped, or in which it ended. */
export class HeldJobs {
  readonly #holders = new Map<string, Set<GatedBroker>>();

  /** The broker stands still in the job. */
  add(job: string, broker: GatedBroker): void {
    const holders = this.#holders.get(job) ?? new Set();
    this.#holders.set(job, holders.add(broker));
  }

  /** It went on, and came to the end of its run; others may stand still in the same job. */
  delete(job: string, broker: GatedBroker): void {
    this.#holders.get(job)?.delete(broker);
  }

  /** A whole run of the job took place. */
  clear(job: string): void {
    this.#holders.delete(job);
  }

  has(job: string): boolean {
    return (this.#holders.get(job)?.size ?? 0) > 0;
  }
}
