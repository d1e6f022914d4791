import { EventQueue, type SimulatedEvent } from './event-queue.ts';
import { type Actor, type Delivery, Turns } from './turns.ts';

/** A process that can die and be stopped for a while. */
export interface Process extends Actor {
  /** What comes to it before this time waits until then. */
  readonly pausedUntil: number;
}

/** What is to happen later. */
export interface Planned {
  /** Set, it does not happen. */
  cancelled: boolean;
}

/** Virtual time, in which things can be planned. */
export interface Timeline {
  /** Milliseconds since the world began. */
  readonly now: number;
  /** @param lost called instead when the process has died by then */
  after(milliseconds: number, process: Process, label: string, run: () => void, lost?: () => void): Planned;
}

/** What nobody's crash ends: the store, the network, the provider. */
export const NATURE: Process = { name: 'nature', alive: true, pausedUntil: 0 };

/** Everything that is to happen in one world, in the order of its times. */
export class Schedule implements Timeline {
  now = 0;
  /** Events delivered. */
  steps = 0;
  /** A digest of what was delivered, to whom and when: the same for the same seed. */
  digest = 0x811c9dc5;
  readonly #queue = new EventQueue();
  readonly #labels = new Map<string, number>();
  #order = 0;
  #stopped = false;

  after(
    milliseconds: number,
    process: Process,
    label: string,
    run: () => void,
    lost?: () => void,
  ): SimulatedEvent {
    this.#order += 1;
    const event: SimulatedEvent = {
      time: this.now + Math.max(0, milliseconds),
      order: this.#order,
      actor: process,
      label,
      run,
      lost,
      cancelled: false,
    };
    this.#queue.add(event);
    return event;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Delivers event after event until `isOver` says so, nothing is left or the schedule is stopped. */
  run(isOver: () => boolean): Promise<void> {
    return new Turns().run((waiting) => this.#deliver(waiting, isOver));
  }

  #deliver(waiting: Actor | undefined, isOver: () => boolean): Delivery {
    for (;;) {
      if (this.#stopped) return 'end';
      const event = this.#queue.first;
      // Whatever reaches a process in one moment is read in one turn.
      const sameTurn = event !== undefined && event.time <= this.now && event.actor === waiting;
      if (waiting !== undefined && !sameTurn) return 'wait';
      if (event === undefined || isOver()) return 'end';
      this.#queue.take();
      if (event.cancelled) continue;
      const process = event.actor as Process;
      if (!process.alive) {
        if (event.lost === undefined) continue;
        this.now = event.time;
        return { actor: NATURE, run: event.lost };
      }
      if (process.pausedUntil > event.time) {
        // The same event, so that whoever holds it can still cancel it.
        (event as { time: number }).time = process.pausedUntil;
        this.#queue.add(event);
        continue;
      }
      this.now = event.time;
      this.steps += 1;
      this.#trace(event);
      return { actor: process, run: event.run };
    }
  }

  /** Adds what was decided elsewhere, such as a commit, to the digest. */
  note(text: string): void {
    let digest = this.digest;
    for (let index = 0; index < text.length; index += 1)
      digest = Math.imul(digest ^ text.charCodeAt(index), 0x01000193);
    this.digest = digest >>> 0;
  }

  #trace(event: SimulatedEvent): void {
    const name = `${event.actor.name} ${event.label}`;
    let label = this.#labels.get(name);
    if (label === undefined) {
      label = this.#labels.size + 1;
      this.#labels.set(name, label);
    }
    const digest = Math.imul(this.digest ^ label, 0x01000193);
    this.digest = Math.imul(digest ^ Math.floor(event.time * 1024), 0x01000193) >>> 0;
  }
}
