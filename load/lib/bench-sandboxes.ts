import type { Candidate } from '../../src/store/allocation-writes.ts';
import type { NewSandbox } from '../../src/store/new-sandboxes.ts';
import type { StatusShards } from '../../src/store/status-shards.ts';

const FIRST_ID = 2_009_001;
/** One name in a hundred begins with this; the others do not. */
export const RARE_PREFIX = 'rare-';

/**
 * The sandbox of a number, the same in every process: loops without a broker know their candidates without
 * reading any.
 */
export function benchSandbox(number: number): NewSandbox {
  const sandboxId = String(FIRST_ID + number);
  return {
    sandboxId,
    name: `${number % 100 === 0 ? RARE_PREFIX : 'lab-adventure-'}${String(number).padStart(7, '0')}`,
    externalId: `identity/accounts/00000000-0000-4000-8000-${sandboxId.padStart(12, '0')}`,
    sfdcAccountId: null,
  };
}

export function benchSandboxes(first: number, count: number): NewSandbox[] {
  return Array.from({ length: count }, (_, index) => benchSandbox(first + index));
}

export function benchCandidate(number: number, shards: StatusShards): Candidate {
  const sandbox = benchSandbox(number);
  return { ...sandbox, storedStatus: shards.stored('available', sandbox.sandboxId) };
}
