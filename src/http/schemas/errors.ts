import { z } from 'zod';
import type { BrokerErrorCode } from '../../domain/errors.ts';

/** Codes of the framework's own refusals, beside the domain's. */
export const FRAMEWORK_ERROR_CODES = [
  'NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'UNSUPPORTED_MEDIA_TYPE',
  'PAYLOAD_TOO_LARGE',
  'RATE_LIMIT_EXCEEDED',
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
  NO_SANDBOXES_AVAILABLE: 409,
  ILLEGAL_MOVE: 409,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  RATE_LIMIT_EXCEEDED: 429,
  INTERNAL_ERROR: 500,
  ALLOCATION_CONTENTION: 503,
  SERVICE_UNAVAILABLE: 503,
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

const MEANINGS: Record<number, string> = {
  400: 'The request is malformed; `details` names what is wrong',
  401: 'No credential, or an unknown one',
  403: 'The credential or the caller may not do this',
  404: 'There is no such thing',
  409: 'Not possible in the present state',
  413: 'The body is too large',
  415: 'The body is of a media type that is not understood',
  429: 'Too many requests; `Retry-After` says when to come back',
  500: 'A defect of the broker',
  503: 'Not now; `Retry-After` says when to come back',
};

/** Responses of a route for the OpenAPI document: its own errors and those that any route may answer. */
export function errorResponses(...statuses: number[]): Record<number, z.ZodType<ErrorBody>> {
  const all = [...new Set([...statuses, 401, 403, 429, 500, 503])].sort((a, b) => a - b);
  return Object.fromEntries(all.map((status) => [status, errorBodySchema.describe(MEANINGS[status] ?? '')]));
}
