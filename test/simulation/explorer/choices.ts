/** One decision of a schedule: which of how many. 0 is what happens where nothing is out of the ordinary. */
interface Choice {
  readonly chosen: number;
  readonly of: number;
}

/**
 * The decisions of one schedule: first those that were given, then the ordinary ones.
 *
 * Schedules are enumerated by their deviations from the ordinary one, as most errors need few (delay-bounded
 * scheduling: Emmi, Qadeer, Rakamarić, 2011): with a bound of two, all schedules with no, one and two deviations.
 */
export class Choices {
  readonly #given: readonly number[];
  readonly #bound: number;
  readonly #taken: Choice[] = [];
  #deviations = 0;

  constructor(given: readonly number[], bound: number) {
    this.#given = given;
    this.#bound = bound;
  }

  /** @param of how many possibilities there are, 1 or more */
  pick(of: number): number {
    const open = this.#deviations < this.#bound ? of : 1;
    if (open === 1) return 0;
    const chosen = this.#given[this.#taken.length] ?? 0;
    if (chosen >= open) throw new Error('A schedule did not repeat itself: something is left to chance');
    this.#taken.push({ chosen, of: open });
    if (chosen > 0) this.#deviations += 1;
    return chosen;
  }

  get taken(): readonly number[] {
    return this.#taken.map(({ chosen }) => chosen);
  }

  /** The decisions that lead to the next schedule, depth first; undefined when this was the last. */
  following(): number[] | undefined {
    for (let index = this.#taken.length - 1; index >= 0; index -= 1) {
      const { chosen, of } = this.#taken[index] as Choice;
      if (chosen + 1 < of) return [...this.taken.slice(0, index), chosen + 1];
    }
    return undefined;
  }
}
