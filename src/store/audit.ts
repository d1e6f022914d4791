import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { Clock, Random } from '../domain/clock.ts';
import type { Move, SandboxStatus } from '../domain/sandbox.ts';
import type { Database } from './database.ts';
import { attributes, eventKey } from './keys.ts';
import type { StoredSandbox } from './sandbox-row.ts';
import { TIME_TO_LIVE_ATTRIBUTE } from './table.ts';

/** How long an event is kept, in seconds: 30 days. */
const KEEP_SECONDS = 30 * 86_400;

/** Who moved what, when and why. */
export interface AuditEvent {
  readonly move: Move;
  readonly from: string;
  readonly to: string;
  /** The name of a credential (`track` and `admin` where there is one of each) or `job:<name>`; never a token. */
  readonly actor: string;
  readonly reason: string | null;
  readonly requestId: string | null;
  readonly at: number;
  /** The allocation that the move ended or, if it was one, began. */
  readonly allocatedToTrack: string | null;
  readonly allocatedAt: number;
}

export interface Author {
  readonly actor: string;
  readonly reason?: string | undefined;
  readonly requestId?: string | undefined;
}

/** What an event tells of the sandbox as it was before the move. */
export type EventSubject = Pick<
  StoredSandbox,
  'sandboxId' | 'allocatedToTrack' | 'allocatedAt' | 'allocatedBy' | 'allocationRequestId'
> & { readonly status: SandboxStatus | 'absent' };

/** A sandbox that comes into the pool. */
export function newcomer(sandboxId: string): EventSubject {
  return {
    sandboxId,
    status: 'absent',
    allocatedToTrack: null,
    allocatedAt: 0,
    allocatedBy: null,
    allocationRequestId: null,
  };
}

/**
 * The write that records a move, for the transaction that makes it. An allocation has none, to keep it at two
 * writes: the row itself tells of it while it lasts, and the event that ends it afterwards.
 */
export function eventWrite(
  database: Database,
  row: EventSubject,
  move: Move,
  to: string,
  author: Author,
  clock: Clock,
  random: Random,
): TransactWriteItem {
  const now = clock.now();
  const sequence = Math.floor(random() * 0x1_0000_0000)
    .toString(16)
    .padStart(8, '0');
  const text = (value: string | null | undefined) =>
    value === null || value === undefined ? { NULL: true as const } : { S: value };
  return {
    Put: {
      TableName: database.tableName,
      Item: {
        ...attributes(eventKey(row.sandboxId, now, sequence)),
        sandbox_id: { S: row.sandboxId },
        move: { S: move },
        from: { S: row.status },
        to: { S: to },
        actor: { S: author.actor },
        reason: text(author.reason),
        request_id: text(author.requestId),
        at: { N: String(Math.floor(now / 1000)) },
        held_by_track: text(row.allocatedToTrack),
        held_since: { N: String(row.allocatedAt) },
        allocated_by: text(row.allocatedBy),
        allocation_request_id: text(row.allocationRequestId),
        [TIME_TO_LIVE_ATTRIBUTE]: { N: String(Math.floor(now / 1000) + KEEP_SECONDS) },
      },
    },
  };
}
