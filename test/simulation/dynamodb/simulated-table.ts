import type { Item } from './attribute-values.ts';
import { LaggingIndex } from './lagging-index.ts';
import type { TableShape } from './table-shape.ts';

/** One item as a write found it and as it left it. */
export interface Change {
  readonly key: string;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
}

interface Former {
  readonly item: Item | undefined;
  readonly until: number;
}

/** The items of one table, and its indexes. Items are never changed, only replaced. */
export class SimulatedTable {
  readonly shape: TableShape;
  readonly indexes: ReadonlyMap<string, LaggingIndex>;
  readonly #items = new Map<string, Item>();
  /** What a replica may still show in an eventually consistent read. */
  readonly #former = new Map<string, Former>();
  readonly #now: () => number;
  readonly #lagMs: () => number;
  readonly #onCommit: (changes: readonly Change[]) => void;

  constructor(
    shape: TableShape,
    now: () => number,
    lagMs: () => number,
    onCommit: (changes: readonly Change[]) => void,
  ) {
    this.shape = shape;
    this.#now = now;
    this.#lagMs = lagMs;
    this.#onCommit = onCommit;
    this.indexes = new Map([...shape.indexes].map(([name, keys]) => [name, new LaggingIndex(keys, lagMs)]));
  }

  get(key: string): Item | undefined {
    return this.#items.get(key);
  }

  /** The item as it is, or as it was a moment ago. */
  getEventually(key: string): Item | undefined {
    const former = this.#former.get(key);
    if (former !== undefined && former.until > this.#now()) return former.item;
    return this.#items.get(key);
  }

  entries(): IterableIterator<[string, Item]> {
    return this.#items.entries();
  }

  /** Makes all changes at once. */
  commit(changes: readonly Change[]): void {
    const now = this.#now();
    for (const { key, before, after } of changes) {
      if (after === undefined) this.#items.delete(key);
      else this.#items.set(key, after);
      for (const index of this.indexes.values()) index.changed(key, before, after, now);
      const lag = this.#lagMs();
      if (lag > 0) this.#former.set(key, { item: before, until: now + lag });
    }
    if (changes.length > 0) this.#onCommit(changes);
  }
}
