import { describe, expect, test } from 'vitest';
import {
  allocationContention,
  noSandboxesAvailable,
  serviceUnavailable,
} from '../../../src/domain/errors.ts';
import { errorBody, refusalFor } from '../../../src/http/plugins/errors.ts';
import {
  ERROR_STATUSES,
  type ErrorCode,
  errorBodySchema,
  errorExamples,
  errorResponses,
} from '../../../src/http/schemas/errors.ts';

const CODES = Object.keys(ERROR_STATUSES) as ErrorCode[];

describe('The statuses of the contract:', () => {
  test.each([
    ['VALIDATION_ERROR', 400],
    ['INVALID_TRACK_ID', 400],
    ['UNAUTHORIZED', 401],
    ['FORBIDDEN', 403],
    ['NOT_SANDBOX_OWNER', 403],
    ['SANDBOX_NOT_FOUND', 404],
    ['NOT_FOUND', 404],
    ['METHOD_NOT_ALLOWED', 405],
    ['NO_SANDBOXES_AVAILABLE', 409],
    ['PAYLOAD_TOO_LARGE', 413],
    ['UNSUPPORTED_MEDIA_TYPE', 415],
    ['RATE_LIMIT_EXCEEDED', 429],
    ['INTERNAL_ERROR', 500],
    ['ALLOCATION_CONTENTION', 503],
    ['SERVICE_UNAVAILABLE', 503],
  ] as const)('%s is %i', (code, status) => {
    expect(ERROR_STATUSES[code]).toBe(status);
  });
});

test.each(CODES)(
  '%s is documented under its status, with an example that fits the schema of errors',
  (code) => {
    const schema = errorResponses(code)[ERROR_STATUSES[code]];
    const example = errorExamples(schema?.description ?? '')[code]?.value;
    expect(example?.error.code).toBe(code);
    expect(() => errorBodySchema.parse(example)).not.toThrow();
  },
);

describe('Errors become refusals:', () => {
  test.each([
    ['an empty pool', noSandboxesAvailable(undefined), 'NO_SANDBOXES_AVAILABLE', 30],
    ['an empty part of it', noSandboxesAvailable('emea-'), 'NO_SANDBOXES_AVAILABLE', 30],
    ['lost races', allocationContention(), 'ALLOCATION_CONTENTION', 2],
    ['a database that does not settle', serviceUnavailable(undefined), 'SERVICE_UNAVAILABLE', 5],
    ['a refused connection', Object.assign(new Error(), { code: 'ECONNREFUSED' }), 'SERVICE_UNAVAILABLE', 5],
    ['throttling', named('ThrottlingException'), 'SERVICE_UNAVAILABLE', 5],
    [
      'a body that is too large',
      Object.assign(new Error(), { statusCode: 413 }),
      'PAYLOAD_TOO_LARGE',
      undefined,
    ],
    [
      'another media type',
      Object.assign(new Error(), { statusCode: 415 }),
      'UNSUPPORTED_MEDIA_TYPE',
      undefined,
    ],
    [
      'a body that is no JSON',
      Object.assign(new Error(), { statusCode: 400 }),
      'VALIDATION_ERROR',
      undefined,
    ],
    ['a refusal of the database', named('ValidationException'), 'INTERNAL_ERROR', undefined],
    ['a defect', new TypeError('x is undefined'), 'INTERNAL_ERROR', undefined],
  ])('%s', (_, error, code, retryAfter) => {
    expect(refusalFor(error)).toMatchObject({ code, ...(retryAfter === undefined ? {} : { retryAfter }) });
    if (retryAfter === undefined) expect(refusalFor(error).retryAfter).toBeUndefined();
  });

  test('what a defect says stays inside', () => {
    const { message, details } = refusalFor(new Error('password is hunter2'));
    expect(`${message}${JSON.stringify(details ?? [])}`).not.toContain('hunter2');
  });
});

test('A body has retry_after only where there is something to wait for, and details always', () => {
  expect(errorBody('r', { code: 'NOT_FOUND', message: 'm' })).toEqual({
    error: { code: 'NOT_FOUND', message: 'm', request_id: 'r', details: [] },
  });
  expect(errorBody('r', refusalFor(noSandboxesAvailable(undefined))).error.retry_after).toBe(30);
});

function named(name: string): Error {
  return Object.assign(new Error('said the database'), { name });
}
