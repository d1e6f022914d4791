import type { Actor } from './turns.ts';

export interface SimulatedEvent {
  readonly time: number;
  readonly order: number;
  readonly actor: Actor;
  /** What it is, for the trace. */
  readonly label: string;
  readonly run: () => void;
  /** Called instead of `run` when its actor is no more. */
  readonly lost: (() => void) | undefined;
  cancelled: boolean;
}

/** Events by their times; those of one moment in the order in which they were planned. A binary heap. */
export class EventQueue {
  readonly #heap: SimulatedEvent[] = [];

  get first(): SimulatedEvent | undefined {
    return this.#heap[0];
  }

  add(event: SimulatedEvent): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(event);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent] as SimulatedEvent;
      if (isBefore(above, event)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = event;
  }

  take(): SimulatedEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && isBefore(right, heap[child] as SimulatedEvent)) child += 1;
      const below = heap[child] as SimulatedEvent;
      if (isBefore(last, below)) break;
      heap[place] = below;
      place = child;
    }
    heap[place] = last;
    return first;
  }
}

function isBefore(a: SimulatedEvent, b: SimulatedEvent): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
