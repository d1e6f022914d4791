interface Event {
  readonly at: number;
  readonly order: number;
  readonly happen: () => void;
}

/** A clock that jumps from event to event, in order of time and then of their making. Milliseconds. */
export class EventQueue {
  readonly #heap: Event[] = [];
  #made = 0;
  #now = 0;

  get now(): number {
    return this.#now;
  }

  at(time: number, happen: () => void): void {
    this.#made += 1;
    this.#heap.push({ at: Math.max(time, this.#now), order: this.#made, happen });
    this.#rise(this.#heap.length - 1);
  }

  after(delay: number, happen: () => void): void {
    this.at(this.#now + delay, happen);
  }

  /** Until nothing happens any more. */
  run(): void {
    for (let next = this.#take(); next !== undefined; next = this.#take()) {
      this.#now = next.at;
      next.happen();
    }
  }

  #take(): Event | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || this.#heap.length === 0) return first;
    this.#heap[0] = last;
    this.#sink(0);
    return first;
  }

  #rise(index: number): void {
    for (let child = index; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#isBefore(child, parent)) return;
      this.#swap(child, parent);
      child = parent;
    }
  }

  #sink(index: number): void {
    for (let parent = index; ; ) {
      let first = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < this.#heap.length && this.#isBefore(child, first)) first = child;
      }
      if (first === parent) return;
      this.#swap(parent, first);
      parent = first;
    }
  }

  #isBefore(left: number, right: number): boolean {
    const a = this.#heap[left] as Event;
    const b = this.#heap[right] as Event;
    return a.at < b.at || (a.at === b.at && a.order < b.order);
  }

  #swap(left: number, right: number): void {
    const kept = this.#heap[left] as Event;
    this.#heap[left] = this.#heap[right] as Event;
    this.#heap[right] = kept;
  }
}
