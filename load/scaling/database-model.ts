import type { EventQueue } from './event-queue.ts';
import type { PoolModel } from './pool-model.ts';
import { logNormal } from './random.ts';
import type { DynamoSettings, EngineSettings } from './settings.ts';

/** What became of each row of a transaction. */
export type Verdict = 'none' | 'taken' | 'held';

export type Outcome =
  | { readonly ended: 'committed' }
  | { readonly ended: 'cancelled'; readonly verdicts: readonly Verdict[] }
  | { readonly ended: 'throttled' };

/**
 * What a limit lets through at once, in seconds of it. DynamoDB keeps up to 300 seconds of unused capacity for a burst,
 * where it can; no plan should count on it.
 */
const BURST_SECONDS = 0.2;

/** Write units of one allocation: two items, each twice its unit in a transaction. */
const TABLE_UNITS = 4;

/** Either database: decides transactions and shows pages, each after its time. */
export class DatabaseModel {
  readonly #settings: EngineSettings | DynamoSettings;
  readonly #events: EventQueue;
  readonly #pool: PoolModel;
  readonly #random: () => number;
  #engineFreeAt = 0;
  readonly #buckets = new Map<string, { level: number; at: number }>();

  constructor(
    settings: EngineSettings | DynamoSettings,
    events: EventQueue,
    pool: PoolModel,
    random: () => number,
  ) {
    this.#settings = settings;
    this.#events = events;
    this.#pool = pool;
    this.#random = random;
  }

  transact(rows: readonly number[], done: (outcome: Outcome) => void): void {
    const settings = this.#settings;
    if (settings.kind === 'engine') {
      const endsAt = this.#serve(settings.callMs + settings.unitMs * rows.length);
      this.#events.at(endsAt, () => done(this.#decide(rows, 0)));
      return;
    }
    const takes = logNormal(settings.callMs + settings.unitMs * rows.length, settings.sigma, this.#random);
    // Decided half-way: before that the request travels, and after that the answer.
    this.#events.after(takes / 2, () => {
      const outcome = this.#isThrottled(rows, settings)
        ? ({ ended: 'throttled' } as const)
        : this.#decide(rows, takes / 2);
      this.#events.after(takes / 2, () => done(outcome));
    });
  }

  read(
    shard: number,
    from: number,
    limit: number,
    done: (page: { rows: number[]; next: number }) => void,
  ): void {
    const settings = this.#settings;
    if (settings.kind === 'engine') {
      const endsAt = this.#serve(settings.callMs + settings.rowMs * limit);
      this.#events.at(endsAt, () => done(this.#pool.page(shard, from, limit, this.#events.now)));
      return;
    }
    const takes = logNormal(settings.callMs, settings.sigma, this.#random);
    this.#events.after(takes / 2, () => {
      const page = this.#pool.page(shard, from, limit, this.#events.now);
      this.#events.after(takes / 2, () => done(page));
    });
  }

  #serve(takes: number): number {
    this.#engineFreeAt = Math.max(this.#engineFreeAt, this.#events.now) + takes;
    return this.#engineFreeAt;
  }

  #decide(rows: readonly number[], heldFor: number): Outcome {
    const now = this.#events.now;
    const verdicts = rows.map((row): Verdict => {
      if (this.#pool.isHeld(row, now)) return 'held';
      return this.#pool.isTaken(row) ? 'taken' : 'none';
    });
    if (verdicts.some((verdict) => verdict !== 'none')) return { ended: 'cancelled', verdicts };
    for (const row of rows) {
      this.#pool.take(row, now + this.#indexLag());
      this.#pool.hold(row, now + heldFor);
    }
    return { ended: 'committed' };
  }

  #indexLag(): number {
    const settings = this.#settings;
    return settings.kind === 'engine'
      ? 0
      : logNormal(settings.indexLagMs, settings.indexLagSigma, this.#random);
  }

  /**
   * An index that cannot keep up refuses the writes of the table. One partition of the index holds all that is
   * available in a shard, and one all that is allocated; an allocation is a write to both.
   */
  #isThrottled(rows: readonly number[], settings: DynamoSettings): boolean {
    const units = new Map<string, number>([['table', TABLE_UNITS * rows.length]]);
    for (const row of rows) {
      const partition = `shard ${this.#pool.shardOf(row)}`;
      units.set(partition, (units.get(partition) ?? 0) + 1);
    }
    const buckets = [...units].map(([name, wanted]) => {
      const perSecond = name === 'table' ? settings.tableWrites : settings.partitionWrites;
      return { bucket: this.#filled(name, perSecond), wanted };
    });
    // A bucket that is not empty serves a call that it cannot quite afford, and is in debt then.
    if (buckets.some(({ bucket }) => bucket.level <= 0)) return true;
    for (const { bucket, wanted } of buckets) bucket.level -= wanted;
    return false;
  }

  #filled(name: string, perSecond: number): { level: number; at: number } {
    const now = this.#events.now;
    const bucket = this.#buckets.get(name) ?? { level: perSecond * BURST_SECONDS, at: now };
    bucket.level = Math.min(perSecond * BURST_SECONDS, bucket.level + ((now - bucket.at) / 1000) * perSecond);
    bucket.at = now;
    this.#buckets.set(name, bucket);
    return bucket;
  }
}
