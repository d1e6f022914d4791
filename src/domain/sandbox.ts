/** The states of a sandbox. A deleted one has no row, only a tombstone. */
export const SANDBOX_STATUSES = [
  'available',
  'allocated',
  'pending_deletion',
  'stale',
  'deletion_failed',
  'quarantined',
] as const;

export type SandboxStatus = (typeof SANDBOX_STATUSES)[number];

/** A row of the pool. Times are Unix seconds; 0 and null mean "never" and "not known". */
export interface Sandbox {
  readonly sandboxId: string;
  readonly name: string;
  /** The provider's own id, whose last segment its delete call takes. */
  readonly externalId: string;
  readonly status: SandboxStatus;
  /** The caller that holds it or held it last; kept after a release, so that a release can be repeated. */
  readonly allocatedToTrack: string | null;
  readonly allocatedAt: number;
  /** The name of the credential that asked for the allocation. */
  readonly allocatedBy: string | null;
  readonly allocationRequestId: string | null;
  readonly labDurationHours: number;
  readonly idempotencyKey: string | null;
  /** The lab, for grouping. */
  readonly trackName: string | null;
  readonly deletionRequestedAt: number;
  readonly deletionRetryCount: number;
  /** When the next try to delete it at the provider may begin. */
  readonly nextAttemptAt: number;
  readonly deletionError: string | null;
  readonly staleSince: number;
  readonly statusReason: string | null;
  readonly lastSynced: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly sfdcAccountId: string | null;
  /** An allocation of the previous broker that a later one of the same claim key has replaced: it has no claim. */
  readonly superseded: boolean;
}

/** Whether somebody holds or held it: it never becomes available again (I6), and its account is to be deleted (I4). */
export function wasHeld({ allocatedToTrack, allocatedAt }: Sandbox): boolean {
  return allocatedToTrack !== null || allocatedAt > 0;
}

/** When the lab's time is over, in Unix seconds. The owner may go on until expiry takes the sandbox. */
export function expiresAt(allocation: { allocatedAt: number; labDurationHours: number }): number {
  return Math.floor(allocation.allocatedAt + allocation.labDurationHours * 3600);
}

/** Whether the lab's time and the grace after it are over. @param now Unix seconds */
export function isExpired(
  allocation: { allocatedAt: number; labDurationHours: number },
  gracePeriodMinutes: number,
  now: number,
): boolean {
  return expiresAt(allocation) + gracePeriodMinutes * 60 < now;
}

/**
 * Every legal move of a row; any other is a bug. `removed` and `deleted` leave a tombstone instead of a row; one that is `absent` has neither.
 */
export const MOVES = {
  add: { from: ['absent'], to: 'available' },
  allocate: { from: ['available'], to: 'allocated' },
  release: { from: ['allocated'], to: 'pending_deletion' },
  expire: { from: ['allocated'], to: 'pending_deletion' },
  mark_stale: { from: ['available'], to: 'stale' },
  listed_again: { from: ['stale'], to: 'available' },
  remove: { from: ['stale', 'deletion_failed', 'quarantined'], to: 'removed' },
  delete: { from: ['pending_deletion'], to: 'deleted' },
  give_up_deletion: { from: ['pending_deletion'], to: 'deletion_failed' },
  retry_deletion: { from: ['deletion_failed'], to: 'pending_deletion' },
  quarantine: { from: ['available', 'stale'], to: 'quarantined' },
  restore: { from: ['quarantined'], to: 'available' },
} as const satisfies Record<
  string,
  { from: readonly (SandboxStatus | 'absent')[]; to: SandboxStatus | 'removed' | 'deleted' }
>;

export type Move = keyof typeof MOVES;

/** How an allocation ends: its owner's word or an operator's, or its time. */
export const ENDINGS = ['release', 'expire'] as const satisfies readonly Move[];
export type Ending = (typeof ENDINGS)[number];

/**
 * Besides them, for a row that was held and is in a state in which nobody can be its holder, as the previous broker's
 * sync or a repair has left it: it ends like any other allocation, or its account would be left to nobody (I4).
 */
const MOVES_OF_THE_HELD: Partial<Record<Move, readonly SandboxStatus[]>> = {
  release: ['stale', 'quarantined'],
  expire: ['stale'],
};

export function mayMove(move: Move, sandbox: Sandbox): boolean {
  const legal: readonly string[] = MOVES[move].from;
  const isLeftOver = wasHeld(sandbox) && MOVES_OF_THE_HELD[move]?.includes(sandbox.status) === true;
  return legal.includes(sandbox.status) || isLeftOver;
}
