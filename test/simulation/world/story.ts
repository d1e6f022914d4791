/** What happened, for people to read. Told only when somebody listens: words cost time. */
export class Story {
  readonly told: boolean;
  readonly #lines: string[] = [];
  readonly #now: () => number;

  constructor(told: boolean, now: () => number) {
    this.told = told;
    this.#now = now;
  }

  /** Does nothing when nobody listens; where the words themselves cost, ask `told` first. */
  tell(who: string, what: string): void {
    if (!this.told) return;
    const seconds = (this.#now() / 1000).toFixed(3).padStart(10);
    this.#lines.push(`${seconds} s  ${who.padEnd(11)} ${what}`);
  }

  get lines(): readonly string[] {
    return this.#lines;
  }
}
