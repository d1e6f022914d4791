import { hash } from '../domain/hashes.ts';
import { SANDBOX_STATUSES, type SandboxStatus } from '../domain/sandbox.ts';

/**
 * `status` is the partition key of an index, and one partition takes 1,000 writes a second. With more than
 * one shard the stored value carries a suffix that is constant for the row (`available#07`), so that the
 * index spreads over as many partitions. With one shard it is plain, as the previous broker wrote it.
 *
 * Readers ask for the plain form and for every shard, so the number can be raised on a live table.
 */
export class StatusShards {
  readonly count: number;

  constructor(count: number) {
    this.count = count;
  }

  /** What to store for a row that enters `status`. */
  stored(status: SandboxStatus, sandboxId: string): string {
    return this.count === 1 ? status : `${status}#${suffix(hash(sandboxId) % this.count)}`;
  }

  /** Every partition of the index in which rows of this status may be. */
  partitions(status: SandboxStatus): string[] {
    if (this.count === 1) return [status];
    return [status, ...Array.from({ length: this.count }, (_, shard) => `${status}#${suffix(shard)}`)];
  }
}

/** The status that a stored value stands for. @throws Error for a value that is none. */
export function statusOf(stored: string): SandboxStatus {
  const plain = plainStatus(stored);
  if (isStatus(plain)) return plain;
  throw new Error(`The table holds a status that this version does not know: "${stored}"`);
}

/** Whether this version knows a status, given without its shard. */
export function isStatus(plain: string): plain is SandboxStatus {
  return (SANDBOX_STATUSES as readonly string[]).includes(plain);
}

/** A stored value without its shard, known to this version or not. */
export function plainStatus(stored: string): string {
  const separator = stored.indexOf('#');
  return separator === -1 ? stored : stored.slice(0, separator);
}

function suffix(shard: number): string {
  return String(shard).padStart(2, '0');
}
