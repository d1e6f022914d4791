import type { CandidateWalk } from '../../src/allocation/candidate-pool.ts';
import type { Candidate } from '../../src/store/allocation-writes.ts';
import type { WalkPage } from '../../src/store/available-walk.ts';

export function candidate(sandboxId: string, name = `lab-${sandboxId}`): Candidate {
  return {
    sandboxId,
    name,
    externalId: `identity/accounts/${sandboxId}`,
    sfdcAccountId: null,
    storedStatus: 'available',
  };
}

/** A page that the pool has asked for, and that the test gives. */
export interface AskedPage {
  readonly pageSize: number;
  give(candidates: readonly Candidate[], complete: boolean): void;
  fail(error: Error): void;
}

/** An index that lists what the test says: `rows` at once and whole, or page by page by hand. */
export class ScriptedWalk implements CandidateWalk {
  /** While set, every round is one page that lists these. */
  rows: Candidate[] | undefined;
  readonly asked: AskedPage[] = [];

  constructor(rows?: Candidate[]) {
    this.rows = rows;
  }

  /** The page that was asked for last. */
  get last(): AskedPage {
    const last = this.asked.at(-1);
    if (last === undefined) throw new Error('No page was asked for');
    return last;
  }

  async *round(pageSize: () => number): AsyncGenerator<WalkPage> {
    for (;;) {
      const page = await this.#ask(pageSize());
      yield page;
      if (page.complete) return;
    }
  }

  #ask(pageSize: number): Promise<WalkPage> {
    return new Promise((resolve, reject) => {
      const page: AskedPage = {
        pageSize,
        give: (candidates, complete) => resolve({ candidates: [...candidates], complete }),
        fail: reject,
      };
      this.asked.push(page);
      if (this.rows !== undefined) page.give(this.rows, true);
    });
  }
}
