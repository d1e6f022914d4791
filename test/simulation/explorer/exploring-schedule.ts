import type { Planned, Process, Timeline } from '../world/schedule.ts';
import { type Actor, type Delivery, Turns } from '../world/turns.ts';
import type { Choices } from './choices.ts';

interface Event extends Planned {
  readonly time: number;
  readonly actor: Process;
  readonly label: string;
  readonly run: () => void;
  readonly lost: (() => void) | undefined;
}

/** What happens as soon as it can: it touches one process and nothing that others see, so its place matters little. */
const AT_ONCE: ReadonlySet<string> = new Set(['answer', 'boot', 'request', 'response', 'provider-answer']);
const WAITS: ReadonlySet<string> = new Set(['timer', 'timeout', 'patience']);
/** A timer further off does not overtake what is under way: calls to the store give up before. Milliseconds. */
const SOON_MS = 1_000;

/** Time in which any of the events at hand may be the next, as the choices say. */
export class ExploringSchedule implements Timeline {
  now = 0;
  steps = 0;
  readonly #choices: Choices;
  readonly #timersWait: boolean;
  readonly #atOnce: Event[] = [];
  /** By time, and in the order of their planning. */
  #events: Event[] = [];
  #stopped = false;
  /** Something was left to happen when its steps were used up: what would have come of it, nobody has seen. */
  wasCut = false;

  /**
   * @param timersWait whether a timer comes only when nothing else is left: else whoever tries again could try for
   *   ever while what it waits for is put off
   */
  constructor(choices: Choices, timersWait: boolean) {
    this.#choices = choices;
    this.#timersWait = timersWait;
  }

  after(milliseconds: number, process: Process, label: string, run: () => void, lost?: () => void): Planned {
    const time = this.now + Math.max(0, milliseconds);
    const event: Event = { time, actor: process, label, run, lost, cancelled: false };
    if (AT_ONCE.has(label)) {
      this.#atOnce.push(event);
      return event;
    }
    let place = this.#events.length;
    while (place > 0 && (this.#events[place - 1] as Event).time > time) place -= 1;
    this.#events.splice(place, 0, event);
    return event;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Delivers events until nothing is left, or `maxSteps` have been. */
  run(maxSteps: number): Promise<void> {
    return new Turns().run((waiting) => this.#deliver(waiting, maxSteps));
  }

  #deliver(waiting: Actor | undefined, maxSteps: number): Delivery {
    for (;;) {
      if (this.#stopped) return 'end';
      if (this.steps >= maxSteps) {
        this.wasCut = this.#isPending();
        return 'end';
      }
      const first = this.#atOnce[0];
      if (waiting !== undefined && first?.actor !== waiting) return 'wait';
      const event = this.#atOnce.shift() ?? this.#choose();
      if (event === undefined) return 'end';
      if (event.cancelled) continue;
      if (event.time > this.now) this.now = event.time;
      if (!event.actor.alive) {
        if (event.lost !== undefined) event.lost();
        continue;
      }
      this.steps += 1;
      return { actor: event.actor, run: event.run };
    }
  }

  #isPending(): boolean {
    return [...this.#atOnce, ...this.#events].some(({ cancelled, actor }) => !cancelled && actor.alive);
  }

  #choose(): Event | undefined {
    this.#events = this.#events.filter(({ cancelled, actor, lost }) => !cancelled && (actor.alive || lost));
    const soon = this.#timersWait
      ? this.#events.filter(({ label }) => !WAITS.has(label))
      : this.#events.filter(({ time }) => time <= this.now + SOON_MS);
    const chosen = soon.length < 2 ? (soon[0] ?? this.#events[0]) : soon[this.#choices.pick(soon.length)];
    if (chosen !== undefined) this.#events.splice(this.#events.indexOf(chosen), 1);
    return chosen;
  }
}
