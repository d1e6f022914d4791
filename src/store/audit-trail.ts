import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { ENDINGS, MOVES } from '../domain/sandbox.ts';
import type { AuditEvent } from './audit.ts';
import type { Database } from './database.ts';
import { sandboxKey } from './keys.ts';
import { isSandboxRow, type Row } from './sandbox-row.ts';
import { plainStatus } from './status-shards.ts';

/** Who allocated, where nobody wrote it down: rows of the previous broker. */
const UNKNOWN_ACTOR = 'unknown';

/**
 * The latest events of a sandbox, the latest first. They outlive its row. An allocation is told of by the row while it
 * lasts, and by the event that ended it afterwards.
 */
export async function readEvents(
  database: Database,
  sandboxId: string,
  limit: number,
): Promise<AuditEvent[]> {
  const answer = await database.documents.send(
    new QueryCommand({
      TableName: database.tableName,
      KeyConditionExpression: 'PK = :pk',
      ExpressionAttributeValues: { ':pk': sandboxKey(sandboxId).PK },
      // The row itself comes first, then its events.
      ScanIndexForward: false,
      ConsistentRead: true,
      Limit: limit + 1,
    }),
  );
  const events = (answer.Items ?? []).flatMap((item) =>
    isSandboxRow(item) ? toldByRow(item) : toldByEvent(item),
  );
  return events.slice(0, limit);
}

/** Events of one sandbox in which its ending is looked for: operators add some after it, one at a time. */
const SEARCHED_EVENTS = 100;

/** The event that ended a caller's allocation; it outlives the row. Undefined when the trail does not tell of one. */
export async function endingOf(
  database: Database,
  sandboxId: string,
  track: string,
): Promise<AuditEvent | undefined> {
  const events = await readEvents(database, sandboxId, SEARCHED_EVENTS);
  return events.find(
    ({ move, allocatedToTrack }) => ENDINGS.some((ending) => ending === move) && allocatedToTrack === track,
  );
}

function toldByRow(row: Row): AuditEvent[] {
  if (plainStatus(String(row.status)) !== MOVES.allocate.to) return [];
  return [allocation(row, row.allocated_to_track, row.allocated_at)];
}

function toldByEvent(item: Row): AuditEvent[] {
  const event = {
    move: item.move,
    from: item.from,
    to: item.to,
    actor: item.actor,
    reason: item.reason ?? null,
    requestId: item.request_id ?? null,
    at: item.at,
    allocatedToTrack: item.held_by_track ?? null,
    allocatedAt: item.held_since ?? 0,
  } as AuditEvent;
  if (event.from !== MOVES.allocate.to) return [event];
  return [event, allocation(item, event.allocatedToTrack, event.allocatedAt)];
}

function allocation(item: Row, track: unknown, at: unknown): AuditEvent {
  return {
    move: 'allocate',
    from: 'available',
    to: MOVES.allocate.to,
    actor: item.allocated_by ?? UNKNOWN_ACTOR,
    reason: null,
    requestId: item.allocation_request_id ?? null,
    at: Math.floor(Number(at)),
    allocatedToTrack: track,
    allocatedAt: at,
  } as AuditEvent;
}
