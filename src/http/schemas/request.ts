import { z } from 'zod';
import { IDENTIFIER_MAX_LENGTH } from '../../domain/identifiers.ts';

/**
 * An id that a caller chose: 1 to 256 characters of printable ASCII without spaces, after trimming. The same as
 * `IDENTIFIER_PATTERN`, with a message for each way to miss it.
 */
export const identifierSchema = z
  .string()
  // What is not ASCII stays as it is, to be refused: one id has no other spellings, which would be counted apart.
  .overwrite((text) => (/^\p{ASCII}*$/u.test(text) ? text.trim() : text))
  .min(1, 'must not be empty')
  .max(IDENTIFIER_MAX_LENGTH, `must have at most ${IDENTIFIER_MAX_LENGTH} characters`)
  .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without spaces');

export const SANDBOX_ID_HEADER = 'x-instruqt-sandbox-id';
export const TRACK_ID_HEADER = 'x-track-id';

/** Who calls: unique per student. */
export const callerHeadersSchema = z
  .object({
    [SANDBOX_ID_HEADER]: identifierSchema
      .optional()
      .describe('The caller: one id per student, the same on every try')
      .meta({ examples: ['participant-7f3a'] }),
    [TRACK_ID_HEADER]: identifierSchema
      .optional()
      .describe('The same under its older name; one of the two is required, X-Instruqt-Sandbox-ID wins'),
  })
  .refine((headers) => callerOf(headers) !== undefined, {
    path: [SANDBOX_ID_HEADER],
    message: 'is required (or X-Track-ID)',
  });

export const allocateHeadersSchema = callerHeadersSchema.safeExtend({
  'x-instruqt-track-id': identifierSchema.optional().describe('The lab, for grouping and analytics'),
  'x-sandbox-name-prefix': identifierSchema.optional().describe('Only sandboxes whose name starts with it'),
  'idempotency-key': identifierSchema
    .optional()
    .describe("With the caller's id it makes the claim key; without it the caller's id alone does"),
});

export function callerOf(headers: {
  [SANDBOX_ID_HEADER]?: string | undefined;
  [TRACK_ID_HEADER]?: string | undefined;
}): string | undefined {
  return headers[SANDBOX_ID_HEADER] ?? headers[TRACK_ID_HEADER];
}

export const sandboxParametersSchema = z.object({
  sandbox_id: identifierSchema.describe('The id that allocate answered').meta({ examples: ['2009521'] }),
});

export const reasonSchema = z
  .object({
    reason: z
      .string()
      .trim()
      // A length says nothing of blanks, which go before it is looked at.
      .regex(/\S/, 'must not be blank')
      .max(500)
      .optional()
      .describe('Why, for the audit trail')
      .meta({ examples: ['broken tenant'] }),
  })
  // No body, or one that says as much.
  .nullish();
