import type { Sandbox } from '../domain/sandbox.ts';
import { META, SANDBOX_PREFIX } from './keys.ts';
import { statusOf } from './status-shards.ts';

/** A row as the document client gives it. Rows of the previous broker lack some attributes or hold null. */
export type Row = Readonly<Record<string, unknown>>;

/** A sandbox together with its status as stored, which every conditional write of it names. */
export interface StoredSandbox extends Sandbox {
  readonly storedStatus: string;
}

export function isSandboxRow(row: Row): boolean {
  return row.SK === META && typeof row.PK === 'string' && row.PK.startsWith(SANDBOX_PREFIX);
}

/**
 * @param defaultLabDurationHours for rows that do not say how long their lab lasts
 * @throws Error when the row cannot be a sandbox, naming it
 */
export function toSandbox(row: Row, defaultLabDurationHours: number): StoredSandbox {
  const sandboxId = text(row.sandbox_id) ?? String(row.PK).slice(SANDBOX_PREFIX.length);
  const storedStatus = text(row.status);
  if (storedStatus === null) throw new Error(`Row ${String(row.PK)} has no status`);
  const allocatedAt = number(row.allocated_at) ?? 0;
  return {
    sandboxId,
    name: text(row.name) ?? sandboxId,
    externalId: text(row.external_id) ?? sandboxId,
    status: statusOf(storedStatus),
    storedStatus,
    allocatedToTrack: text(row.allocated_to_track),
    allocatedAt,
    allocatedBy: text(row.allocated_by),
    allocationRequestId: text(row.allocation_request_id),
    labDurationHours: number(row.lab_duration_hours) ?? defaultLabDurationHours,
    idempotencyKey: text(row.idempotency_key),
    trackName: text(row.track_name),
    deletionRequestedAt: number(row.deletion_requested_at) ?? 0,
    deletionRetryCount: number(row.deletion_retry_count) ?? 0,
    nextAttemptAt: number(row.next_attempt_at) ?? 0,
    deletionError: text(row.deletion_error),
    staleSince: number(row.stale_since) ?? 0,
    statusReason: text(row.status_reason),
    lastSynced: number(row.last_synced) ?? 0,
    createdAt: number(row.created_at) ?? 0,
    updatedAt: number(row.updated_at) ?? 0,
    sfdcAccountId: text(row.sfdc_account_id),
    superseded: row.superseded === true,
  };
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function number(value: unknown): number | null {
  const parsed = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof parsed === 'number' && Number.isFinite(parsed) ? parsed : null;
}
