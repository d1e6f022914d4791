import type { Randomness } from './randomness.ts';

export type FaultRates<Kind extends string> = Readonly<Partial<Record<Kind, number>>>;

/**
 * Decides which faults come to pass and remembers them. Each has a name (`answer-lost@broker-1#17`) that is the same
 * in every run of a seed, so that a replay can leave some of them out.
 */
export class FaultBoard {
  /** Once off, nothing goes wrong any more. */
  on = true;
  /** Multiplies every rate: above 1 in a storm. */
  severity = 1;
  readonly happened: string[] = [];
  readonly #only: ReadonlySet<string> | undefined;
  readonly #counts = new Map<string, number>();

  /** @param only the faults that may happen; any by default */
  constructor(only?: Iterable<string>) {
    this.#only = only === undefined ? undefined : new Set(only);
  }

  /** Whether this fault, which was to happen, does. */
  permits(kind: string, who: string): boolean {
    const source = `${kind}@${who}`;
    const count = (this.#counts.get(source) ?? 0) + 1;
    this.#counts.set(source, count);
    const name = `${source}#${count}`;
    if (!this.on || this.#only?.has(name) === false) return false;
    this.happened.push(name);
    return true;
  }
}

/** The faults that may befall what one actor does. */
export class FaultSource<Kind extends string> {
  readonly #board: FaultBoard;
  readonly #who: string;
  readonly #random: Randomness;
  readonly #rates: readonly (readonly [Kind, number])[];

  constructor(board: FaultBoard, who: string, random: Randomness, rates: FaultRates<Kind>) {
    this.#board = board;
    this.#who = who;
    this.#random = random;
    this.#rates = Object.entries(rates) as [Kind, number][];
  }

  /** What befalls the next thing done. One decision each time, whether or not faults happen just now. */
  draw(): Kind | undefined {
    let left = this.#random.next() / this.#board.severity;
    for (const [kind, rate] of this.#rates) {
      if (left < rate) return this.#board.permits(kind, this.#who) ? kind : undefined;
      left -= rate;
    }
    return undefined;
  }
}
