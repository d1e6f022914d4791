import { z } from 'zod';
import { expiresAt, SANDBOX_STATUSES, type Sandbox } from '../../domain/sandbox.ts';

const unixTime = z.int().min(0).describe('Unix seconds');
const statusSchema = z.enum(SANDBOX_STATUSES);

export const allocationSchema = z
  .object({
    sandbox_id: z.string(),
    name: z.string(),
    external_id: z.string().describe("The provider's own id"),
    allocated_at: unixTime,
    expires_at: unixTime.describe('Unix seconds: when the lab is over'),
    sfdc_account_id: z.string().optional(),
  })
  .meta({
    id: 'Allocation',
    examples: [
      {
        sandbox_id: '2009521',
        name: 'lab-adventure-0087',
        external_id: 'identity/accounts/5f1c2a7e-9d6b-4c1b-8f52-3c1d2b7a9e10',
        allocated_at: 1774000000,
        expires_at: 1774014400,
      },
    ],
  });

export const releaseSchema = z
  .object({
    sandbox_id: z.string(),
    status: z.literal('pending_deletion'),
    deletion_requested_at: unixTime,
  })
  .meta({
    id: 'Release',
    examples: [{ sandbox_id: '2009521', status: 'pending_deletion', deletion_requested_at: 1774003600 }],
  });

export const ownSandboxSchema = z
  .object({
    sandbox_id: z.string(),
    name: z.string(),
    external_id: z.string(),
    status: statusSchema,
    allocated_to_track: z.string(),
    allocated_at: unixTime,
    expires_at: unixTime,
    track_name: z.string().optional(),
    sfdc_account_id: z.string().optional(),
  })
  .meta({
    id: 'OwnSandbox',
    examples: [
      {
        sandbox_id: '2009521',
        name: 'lab-adventure-0087',
        external_id: 'identity/accounts/5f1c2a7e-9d6b-4c1b-8f52-3c1d2b7a9e10',
        status: 'allocated',
        allocated_to_track: 'participant-7f3a',
        allocated_at: 1774000000,
        expires_at: 1774014400,
        track_name: 'security-101',
      },
    ],
  });

export const SANDBOX_EXAMPLE = {
  sandbox_id: '2009521',
  name: 'lab-adventure-0087',
  external_id: 'identity/accounts/5f1c2a7e-9d6b-4c1b-8f52-3c1d2b7a9e10',
  status: 'available',
  allocated_to_track: null,
  allocated_at: 0,
  expires_at: null,
  allocated_by: null,
  allocation_request_id: null,
  lab_duration_hours: 4,
  idempotency_key: null,
  track_name: null,
  deletion_requested_at: 0,
  deletion_retry_count: 0,
  next_attempt_at: 0,
  deletion_error: null,
  stale_since: 0,
  status_reason: null,
  last_synced: 1774000000,
  created_at: 1773000000,
  updated_at: 1774000000,
  sfdc_account_id: null,
  superseded: false,
};

/** The whole row, for operators. */
export const sandboxSchema = z
  .object({
    sandbox_id: z.string(),
    name: z.string(),
    external_id: z.string(),
    status: statusSchema,
    allocated_to_track: z.string().nullable().describe('Who holds it, or held it last'),
    allocated_at: unixTime,
    expires_at: unixTime.nullable().describe('Unix seconds: when the lab is over'),
    allocated_by: z.string().nullable().describe('The name of the credential that asked for it'),
    allocation_request_id: z.string().nullable().describe('The id of the request that it went to'),
    lab_duration_hours: z.number(),
    idempotency_key: z.string().nullable(),
    track_name: z.string().nullable().describe('The lab'),
    deletion_requested_at: unixTime,
    deletion_retry_count: z.int().min(0).describe('Failed attempts to delete it at the provider'),
    next_attempt_at: unixTime.describe('Unix seconds: before that, no other attempt'),
    deletion_error: z.string().nullable().describe('What the last attempt met with'),
    stale_since: unixTime,
    status_reason: z.string().nullable().describe('Why an operator moved it'),
    last_synced: unixTime,
    created_at: unixTime,
    updated_at: unixTime,
    sfdc_account_id: z.string().nullable(),
    superseded: z.boolean().describe('An allocation of the previous broker that has no claim'),
  })
  .meta({
    id: 'Sandbox',
    examples: [SANDBOX_EXAMPLE],
  });

/** Rows of the previous broker may hold fractions of a second. */
const seconds = Math.floor;

export function presentSandbox(row: Sandbox): z.output<typeof sandboxSchema> {
  return {
    sandbox_id: row.sandboxId,
    name: row.name,
    external_id: row.externalId,
    status: row.status,
    allocated_to_track: row.allocatedToTrack,
    allocated_at: seconds(row.allocatedAt),
    expires_at: row.allocatedAt === 0 ? null : expiresAt(row),
    allocated_by: row.allocatedBy,
    allocation_request_id: row.allocationRequestId,
    lab_duration_hours: row.labDurationHours,
    idempotency_key: row.idempotencyKey,
    track_name: row.trackName,
    deletion_requested_at: seconds(row.deletionRequestedAt),
    deletion_retry_count: row.deletionRetryCount,
    next_attempt_at: seconds(row.nextAttemptAt),
    deletion_error: row.deletionError,
    stale_since: seconds(row.staleSince),
    status_reason: row.statusReason,
    last_synced: seconds(row.lastSynced),
    created_at: seconds(row.createdAt),
    updated_at: seconds(row.updatedAt),
    sfdc_account_id: row.sfdcAccountId,
    superseded: row.superseded,
  };
}
