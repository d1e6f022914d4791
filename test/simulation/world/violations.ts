/** Something that must never be. */
export interface Violation {
  /** The invariant: I1 to I10, `moves`, or `defect` for what no invariant names. */
  readonly invariant: string;
  readonly text: string;
  /** Milliseconds since the world began. */
  readonly time: number;
  readonly step: number;
}

/** The first violation ends a world: what follows from it tells nothing. */
export class Violations {
  first: Violation | undefined;
  readonly #schedule: { readonly now: number; readonly steps: number; stop(): void };

  constructor(schedule: { readonly now: number; readonly steps: number; stop(): void }) {
    this.#schedule = schedule;
  }

  add(invariant: string, text: string): void {
    if (this.first !== undefined) return;
    this.first = { invariant, text, time: this.#schedule.now, step: this.#schedule.steps };
    this.#schedule.stop();
  }
}
