/**
 * Texts that were looked for or added of late: `most` of them, and of those used last half as many at least.
 *
 * Forgotten by the generation, not one by one: to find the first of a set that has lost many takes as long as it has
 * lost.
 */
export class RecentTexts {
  readonly #generation: number;
  #young = new Set<string>();
  #old = new Set<string>();

  constructor(most: number) {
    this.#generation = Math.floor(most / 2);
  }

  add(text: string): void {
    this.#young.add(text);
    if (this.#young.size < this.#generation) return;
    this.#old = this.#young;
    this.#young = new Set();
  }

  has(text: string): boolean {
    if (this.#young.has(text)) return true;
    if (!this.#old.has(text)) return false;
    this.add(text);
    return true;
  }
}
