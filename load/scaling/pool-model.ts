import type { SimulationSettings } from './settings.ts';

/** The rows of a pool and its status index: who is free, and what the index still shows. */
export class PoolModel {
  readonly #shards: number;
  /** Rows by shard, in the order of the index. */
  readonly #order: readonly number[][];
  readonly #taken: Uint8Array;
  /** When the index stops showing a row. */
  readonly #hiddenAt: Float64Array;
  /** Until when a transaction holds a row. */
  readonly #heldUntil: Float64Array;

  constructor({ pool, shards }: SimulationSettings, random: () => number) {
    this.#shards = shards;
    this.#taken = new Uint8Array(pool);
    this.#hiddenAt = new Float64Array(pool).fill(Number.POSITIVE_INFINITY);
    this.#heldUntil = new Float64Array(pool);
    this.#order = Array.from({ length: shards }, () => []);
    const rows = Array.from({ length: pool }, (_, row) => row);
    // The order of an index has nothing to do with anything else.
    for (let index = pool - 1; index > 0; index -= 1) {
      const other = Math.floor(random() * (index + 1));
      [rows[index], rows[other]] = [rows[other] as number, rows[index] as number];
    }
    for (const row of rows) this.#order[this.shardOf(row)]?.push(row);
  }

  get shards(): number {
    return this.#shards;
  }

  shardOf(row: number): number {
    return hash(row) % this.#shards;
  }

  isTaken(row: number): boolean {
    return this.#taken[row] === 1;
  }

  isHeld(row: number, now: number): boolean {
    return (this.#heldUntil[row] as number) > now;
  }

  hold(row: number, until: number): void {
    this.#heldUntil[row] = until;
  }

  take(row: number, hiddenAt: number): void {
    this.#taken[row] = 1;
    this.#hiddenAt[row] = hiddenAt;
  }

  length(shard: number): number {
    return (this.#order[shard] as number[]).length;
  }

  /** A page of the index as it shows itself now. @returns where the next one begins */
  page(shard: number, from: number, limit: number, now: number): { rows: number[]; next: number } {
    const order = this.#order[shard] as number[];
    const rows: number[] = [];
    let position = from;
    for (; position < order.length && rows.length < limit; position += 1) {
      const row = order[position] as number;
      if ((this.#hiddenAt[row] as number) > now) rows.push(row);
    }
    return { rows, next: position };
  }
}

/** Whose a row is to try first, among so many. */
export function ownerOf(row: number, tasks: number): number {
  return hash(row ^ 0x5bd1e995) % tasks;
}

/** Finish of MurmurHash3 (Appleby). */
function hash(row: number): number {
  let value = row + 1;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
