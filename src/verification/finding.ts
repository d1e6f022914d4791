import type { Row } from '../store/sandbox-row.ts';

export const FINDING_KINDS = [
  /** A claim whose sandbox is not allocated under it. */
  'dangling-claim',
  /** An allocation without its claim. */
  'missing-claim',
  /** A claim that says something else of its sandbox than the row. */
  'differing-claim',
  /** Two claims on one sandbox. */
  'double-claim',
  /** A second sandbox for one claim key. */
  'second-allocation',
  /** A sandbox that was used or removed, and is in the pool. */
  'used-sandbox',
  /** A sandbox that somebody gave back, as its history says, and that is in the pool or still allocated. */
  'returned-sandbox',
  /** A sandbox with an owner, and with another one in its history. */
  'second-owner',
  /** A row that the broker cannot read. */
  'unreadable-row',
] as const;

export type FindingKind = (typeof FINDING_KINDS)[number];

/** Something in the table that breaks an invariant, with the rows that show it as they were at one moment. */
export interface Finding {
  readonly kind: FindingKind;
  /** `I1`, `I2`, `I6` or `I10`; `table` for a row that can be no row of the broker's. */
  readonly invariant: string;
  readonly message: string;
  readonly rows: readonly Row[];
}
