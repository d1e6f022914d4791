import { kindOf, ownerOf, statusOf } from '../checker/rows.ts';
import type { Change } from '../dynamodb/simulated-table.ts';

/** A change of the table in a few words. */
export function changeWords({ key, before, after }: Change): string {
  const kind = kindOf(key);
  const done = after === undefined ? 'goes' : before === undefined ? 'comes' : 'changes';
  switch (kind.kind) {
    case 'sandbox': {
      const from = statusOf(before);
      const to = statusOf(after);
      const owner = to === 'allocated' && after !== undefined ? ` to "${ownerOf(after)}"` : '';
      return from === to
        ? `sandbox ${kind.id} changes while ${to}`
        : `sandbox ${kind.id}: ${from} -> ${to}${owner}`;
    }
    case 'claim':
      return `claim "${kind.id}" on ${(after ?? before)?.sandbox_id?.S} ${done}`;
    case 'tombstone':
      return `tombstone of ${kind.id} ${done}`;
    default:
      return `${key.replace('\n', ' ')} ${done}`;
  }
}
