import type { Author } from './audit.ts';
import type { NewSandbox } from './new-sandboxes.ts';
import { ADDITION_WRITES, type AdditionParts, additionWrites } from './sync-writes.ts';
import { CONDITION_FAILED, TRANSACTION_MAX_ITEMS, transactPatiently } from './transact.ts';

const GROUP = Math.floor(TRANSACTION_MAX_ITEMS / ADDITION_WRITES);
/** Transactions under way at once. */
const LANES = 4;

/**
 * Adds sandboxes to a pool that may be in use: those that are in it, and those that were used or removed, stay
 * as they are.
 *
 * @param sandboxes each of another id
 * @param author for the audit trail
 * @returns how many were added
 */
export async function addToPool(
  parts: AdditionParts,
  sandboxes: readonly NewSandbox[],
  author: Author,
): Promise<number> {
  let next = 0;
  let added = 0;
  const lane = async () => {
    while (next < sandboxes.length) {
      let group = sandboxes.slice(next, next + GROUP);
      next += GROUP;
      while (group.length > 0) {
        const writes = group.flatMap((sandbox) => additionWrites(parts, sandbox, author));
        const result = await transactPatiently(parts.database, writes, parts);
        if (result.committed) {
          added += group.length;
          break;
        }
        const isRefused = (index: number) =>
          result.reasons
            .slice(index * ADDITION_WRITES, (index + 1) * ADDITION_WRITES)
            .some(({ code }) => code === CONDITION_FAILED);
        group = group.filter((_, index) => !isRefused(index));
      }
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return added;
}
