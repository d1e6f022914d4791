import { randomUUID } from 'node:crypto';
import type { NewSandbox } from '../store/new-sandboxes.ts';

const FIRST_ID = 2_009_001;

/** Sandboxes as the provider names them, for a pool of one's own. @param first number of the first, from 0 */
export function sampleSandboxes(count: number, first = 0): NewSandbox[] {
  return Array.from({ length: count }, (_, index) => ({
    sandboxId: String(FIRST_ID + first + index),
    name: `lab-adventure-${String(first + index + 1).padStart(4, '0')}`,
    externalId: `identity/accounts/${randomUUID()}`,
    sfdcAccountId: null,
  }));
}
