import { type Item, order } from './attribute-values.ts';
import type { KeyNames } from './table-shape.ts';

interface Entry {
  readonly key: string;
  readonly item: Item;
}

interface Partition {
  readonly entries: Map<string, Entry>;
  /** In the order of the sort key; made anew after a change. */
  sorted: Entry[] | undefined;
}

interface Update {
  readonly due: number;
  readonly partition: string;
  readonly key: string;
  /** Undefined takes the entry out. */
  readonly item: Item | undefined;
}

/**
 * A global secondary index: a copy that comes after its table.
 *
 * Each update becomes visible at a time of its own. Those of one item in one partition keep their order; an item
 * that changes its partition leaves the old one and enters the new one by two updates, so that for a while both show
 * it, or neither.
 */
export class LaggingIndex {
  readonly keys: KeyNames;
  readonly #lagMs: () => number;
  readonly #partitions = new Map<string, Partition>();
  #updates: Update[] = [];
  #nextDue = Number.POSITIVE_INFINITY;

  /** @param lagMs asked for each update: how long it takes to be seen */
  constructor(keys: KeyNames, lagMs: () => number) {
    this.keys = keys;
    this.#lagMs = lagMs;
  }

  /** The table has changed. */
  changed(key: string, before: Item | undefined, after: Item | undefined, now: number): void {
    const from = before === undefined ? undefined : this.#partitionOf(before);
    const to = after === undefined ? undefined : this.#partitionOf(after);
    if (from !== undefined && from !== to) this.#add(from, key, undefined, now);
    if (to !== undefined) this.#add(to, key, after, now);
  }

  /** What a partition shows, by its sort key. Items whose sort keys are the same come in no order that means anything. */
  read(partition: string, now: number): readonly Entry[] {
    this.#catchUp(now);
    const found = this.#partitions.get(partition);
    if (found === undefined) return [];
    found.sorted ??= [...found.entries.values()].sort((a, b) => this.#compare(a, b));
    return found.sorted;
  }

  #compare(a: Entry, b: Entry): number {
    const byKey = order(a.item[this.keys.sort] as Item[string], b.item[this.keys.sort] as Item[string]) ?? 0;
    return byKey === 0 ? (a.key < b.key ? -1 : 1) : byKey;
  }

  /** Undefined for an item that the index does not hold, as it lacks a key of it. */
  #partitionOf(item: Item): string | undefined {
    return item[this.keys.sort] === undefined ? undefined : item[this.keys.partition]?.S;
  }

  #add(partition: string, key: string, item: Item | undefined, now: number): void {
    let due = now + this.#lagMs();
    for (const update of this.#updates) {
      if (update.key === key && update.partition === partition && update.due > due) due = update.due;
    }
    const update = { due, partition, key, item };
    if (due <= now && this.#updates.length === 0) {
      this.#apply(update);
      return;
    }
    this.#updates.push(update);
    if (due < this.#nextDue) this.#nextDue = due;
  }

  #catchUp(now: number): void {
    if (now < this.#nextDue) return;
    const left: Update[] = [];
    this.#nextDue = Number.POSITIVE_INFINITY;
    for (const update of this.#updates) {
      if (update.due <= now) {
        this.#apply(update);
        continue;
      }
      left.push(update);
      if (update.due < this.#nextDue) this.#nextDue = update.due;
    }
    this.#updates = left;
  }

  #apply({ partition: name, key, item }: Update): void {
    let partition = this.#partitions.get(name);
    if (partition === undefined) {
      partition = { entries: new Map(), sorted: undefined };
      this.#partitions.set(name, partition);
    }
    partition.sorted = undefined;
    if (item === undefined) partition.entries.delete(key);
    else partition.entries.set(key, { key, item });
  }
}
