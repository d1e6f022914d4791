import type { JobNotes } from '../store/job-rows.ts';

const NOBODY = '';
/** No sandbox has this id. */
const SEVERAL = '*';

/**
 * What deletions of late say: is it the provider that is unwell, or one account that cannot be deleted? In the
 * incident on record listings came while no deletion succeeded, so only deletions are signs.
 *
 * It travels from run to run in the job's memory, because rows that have failed come back in different runs.
 */
export class DeletionSigns {
  /** The only sandbox that has failed since anyone's last success; one that fails on while others go stays it. */
  #suspect: string;
  #deletedHere = false;

  constructor(memory: JobNotes) {
    this.#suspect = typeof memory.deletion_suspect === 'string' ? memory.deletion_suspect : NOBODY;
  }

  succeeded(sandboxId: string): void {
    this.#deletedHere = true;
    if (this.#suspect === SEVERAL || this.#suspect === sandboxId) this.#suspect = NOBODY;
  }

  /**
   * @returns `the_account` when others were deleted in this run; `perhaps_the_account` when this one has failed
   *   before and nobody else has since; else `the_provider`
   */
  failed(sandboxId: string): 'the_account' | 'perhaps_the_account' | 'the_provider' {
    const alone = this.#suspect === sandboxId;
    this.#suspect = alone || this.#suspect === NOBODY ? sandboxId : SEVERAL;
    if (this.#deletedHere) return 'the_account';
    return alone ? 'perhaps_the_account' : 'the_provider';
  }

  get memory(): JobNotes {
    return { deletion_suspect: this.#suspect };
  }
}
