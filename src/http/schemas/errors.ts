import { z } from 'zod';
import type { BrokerErrorCode } from '../../domain/errors.ts';

/** Codes of the framework's own refusals, beside the domain's. */
export const FRAMEWORK_ERROR_CODES = [
  'NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'UNSUPPORTED_MEDIA_TYPE',
  'PAYLOAD_TOO_LARGE',
  'RATE_LIMIT_EXCEEDED',
  'REQUEST_TIMEOUT',
  'INTERNAL_ERROR',
] as const;

/** The one place where a code becomes a status. */
export const ERROR_STATUSES = {
  VALIDATION_ERROR: 400,
  INVALID_TRACK_ID: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_SANDBOX_OWNER: 403,
  SANDBOX_NOT_FOUND: 404,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  NO_SANDBOXES_AVAILABLE: 409,
  ILLEGAL_MOVE: 409,
  JOB_PAUSED: 409,
  JOB_BUSY: 409,
  JOB_NOT_CONFIGURED: 409,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  RATE_LIMIT_EXCEEDED: 429,
  INTERNAL_ERROR: 500,
  ALLOCATION_CONTENTION: 503,
  SERVICE_UNAVAILABLE: 503,
  JOB_FAILED: 503,
} as const satisfies Record<BrokerErrorCode | (typeof FRAMEWORK_ERROR_CODES)[number], number>;

export type ErrorCode = keyof typeof ERROR_STATUSES;

export const errorBodySchema = z
  .object({
    error: z.object({
      code: z.enum(Object.keys(ERROR_STATUSES) as [ErrorCode, ...ErrorCode[]]),
      message: z.string(),
      request_id: z.string(),
      retry_after: z.int().min(0).optional().describe('Seconds, the same as in the Retry-After header'),
      details: z
        .array(z.object({ field: z.string(), message: z.string() }))
        .describe('What is wrong with the request, part by part'),
    }),
  })
  .meta({
    id: 'Error',
    examples: [
      {
        error: {
          code: 'NO_SANDBOXES_AVAILABLE',
          message: 'No sandbox is available',
          request_id: '0f8fad5b-d9cb-469f-a165-70867728950e',
          retry_after: 30,
          details: [],
        },
      },
    ],
  });

export type ErrorBody = z.output<typeof errorBodySchema>;

/** What each code means, and an example of when to come back (seconds) where the answer says so. */
const MEANINGS: Record<ErrorCode, { readonly meaning: string; readonly retryAfter?: number }> = {
  VALIDATION_ERROR: { meaning: 'The request is malformed; details name what is wrong' },
  INVALID_TRACK_ID: { meaning: 'The id of the caller is missing or malformed' },
  UNAUTHORIZED: { meaning: 'No credential, or an unknown one' },
  FORBIDDEN: { meaning: 'The credential is of the wrong kind' },
  NOT_SANDBOX_OWNER: { meaning: 'The sandbox is not allocated to this caller' },
  SANDBOX_NOT_FOUND: { meaning: 'There is no such sandbox' },
  NOT_FOUND: { meaning: 'There is no such route' },
  METHOD_NOT_ALLOWED: { meaning: 'The route takes other methods' },
  REQUEST_TIMEOUT: { meaning: 'The request did not arrive in time' },
  NO_SANDBOXES_AVAILABLE: {
    meaning: 'The pool, or the part of it that the name prefix names, is empty',
    retryAfter: 30,
  },
  ILLEGAL_MOVE: { meaning: 'The state of the sandbox does not allow it' },
  JOB_PAUSED: { meaning: 'An operator has paused the job' },
  JOB_BUSY: { meaning: 'The job is changing hands; try again', retryAfter: 1 },
  JOB_NOT_CONFIGURED: { meaning: 'What the job needs is not configured' },
  PAYLOAD_TOO_LARGE: { meaning: 'The body is too large' },
  UNSUPPORTED_MEDIA_TYPE: { meaning: 'The body is not application/json' },
  RATE_LIMIT_EXCEEDED: { meaning: 'Too many requests', retryAfter: 12 },
  INTERNAL_ERROR: { meaning: 'A defect of the broker' },
  ALLOCATION_CONTENTION: {
    meaning: 'Every sandbox that was tried went to another caller; try again',
    retryAfter: 2,
  },
  SERVICE_UNAVAILABLE: { meaning: 'The database did not answer in time; try again', retryAfter: 5 },
  JOB_FAILED: { meaning: 'The job ended with an error' },
};

/** What any route behind a credential may answer. */
const COMMON_CODES = [
  'UNAUTHORIZED',
  'FORBIDDEN',
  'RATE_LIMIT_EXCEEDED',
  'INTERNAL_ERROR',
  'SERVICE_UNAVAILABLE',
] as const;

/**
 * Responses of a route for the OpenAPI document: its own errors and those that any route may answer. The
 * description of a status names each code in backticks.
 */
export function errorResponses(...codes: ErrorCode[]): Record<number, z.ZodType<ErrorBody>> {
  const descriptions = new Map<number, string[]>();
  for (const code of new Set<ErrorCode>([...codes, ...COMMON_CODES])) {
    const status = ERROR_STATUSES[code];
    const described = descriptions.get(status) ?? [];
    described.push(`\`${code}\`: ${MEANINGS[code].meaning}.`);
    descriptions.set(status, described);
  }
  const statuses = [...descriptions].sort(([a], [b]) => a - b);
  return Object.fromEntries(
    statuses.map(([status, described]) => [status, errorBodySchema.describe(described.join(' '))]),
  );
}

/** An example for each code that the description of a response names. */
export function errorExamples(description: string): Partial<Record<ErrorCode, { value: ErrorBody }>> {
  const codes = [...description.matchAll(/`([A-Z_]+)`/g)].map((match) => match[1] as ErrorCode);
  return Object.fromEntries(
    codes.map((code) => {
      const { meaning, retryAfter } = MEANINGS[code];
      const field = code === 'INVALID_TRACK_ID' ? 'X-Instruqt-Sandbox-ID' : 'sandbox_id';
      const isDetailed = code === 'INVALID_TRACK_ID' || code === 'VALIDATION_ERROR';
      const error = {
        code,
        message: meaning,
        request_id: '0f8fad5b-d9cb-469f-a165-70867728950e',
        ...(retryAfter === undefined ? {} : { retry_after: retryAfter }),
        details: isDetailed ? [{ field, message: 'must be printable ASCII without spaces' }] : [],
      };
      return [code, { value: { error } }];
    }),
  );
}
