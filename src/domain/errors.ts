/** Codes that clients read. Their HTTP statuses stand in http/schemas/errors.ts and nowhere else. */
export type BrokerErrorCode =
  | 'NO_SANDBOXES_AVAILABLE'
  | 'ALLOCATION_CONTENTION'
  | 'SERVICE_UNAVAILABLE'
  | 'SANDBOX_NOT_FOUND'
  | 'NOT_SANDBOX_OWNER'
  | 'ILLEGAL_MOVE'
  | 'JOB_PAUSED'
  | 'JOB_BUSY'
  | 'JOB_NOT_CONFIGURED'
  | 'JOB_FAILED'
  | 'INVALID_TRACK_ID'
  | 'VALIDATION_ERROR'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN';

export interface ErrorDetail {
  /** Which part of the request is wrong: a header, a path or query parameter, a field of the body. */
  readonly field: string;
  readonly message: string;
}

/** A refusal that a client is told of. The message is for the client and holds nothing about anyone else. */
export class BrokerError extends Error {
  readonly code: BrokerErrorCode;
  /** Seconds after which the same request may succeed. */
  readonly retryAfter: number | undefined;
  readonly details: readonly ErrorDetail[];

  constructor(
    code: BrokerErrorCode,
    message: string,
    options: { retryAfter?: number; details?: readonly ErrorDetail[]; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'BrokerError';
    this.code = code;
    this.retryAfter = options.retryAfter;
    this.details = options.details ?? [];
  }
}

/** Nothing is free in the pool, or in the part of it that a prefix names. Seconds. */
export const EMPTY_POOL_RETRY_SECONDS = 30;
/** Rows were free, every race for them was lost: the next try may well win. Seconds. */
export const CONTENTION_RETRY_SECONDS = 2;
/** The database did not answer in time. Seconds. */
export const UNAVAILABLE_RETRY_SECONDS = 5;

export function noSandboxesAvailable(namePrefix: string | undefined): BrokerError {
  return new BrokerError(
    'NO_SANDBOXES_AVAILABLE',
    namePrefix === undefined
      ? 'No sandbox is available'
      : `No sandbox whose name starts with "${namePrefix}" is available`,
    { retryAfter: EMPTY_POOL_RETRY_SECONDS },
  );
}

export function allocationContention(): BrokerError {
  return new BrokerError(
    'ALLOCATION_CONTENTION',
    'Every sandbox that was tried went to another caller; try again',
    {
      retryAfter: CONTENTION_RETRY_SECONDS,
    },
  );
}

export function serviceUnavailable(cause: unknown): BrokerError {
  return new BrokerError('SERVICE_UNAVAILABLE', 'The database did not answer in time; try again', {
    retryAfter: UNAVAILABLE_RETRY_SECONDS,
    cause,
  });
}
