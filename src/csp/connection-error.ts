import { type CspCall, CspError } from './csp-error.ts';

const CONNECT_TIMEOUTS = ['UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT'];

/** A call that had no whole answer, by the code of the error with which the connection failed. */
export function connectionError(call: CspCall, requestId: string, error: unknown): CspError {
  const code = codeOf(error);
  if (CONNECT_TIMEOUTS.includes(code)) {
    return new CspError({ kind: 'timeout', call, reason: `could not connect in time (${code})`, requestId });
  }
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return new CspError({ kind: 'content', call, reason: 'was answered with too large a body', requestId });
  }
  if (code === 'UND_ERR_INVALID_ARG') {
    return new CspError({
      kind: 'request',
      call,
      reason: 'was not sent: a header or the path is not valid',
      requestId,
    });
  }
  return new CspError({ kind: 'network', call, reason: `failed on the network (${code})`, requestId });
}

/** The code alone: messages and properties of connection errors may hold addresses and headers. */
function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === 'string') return code;
  // Node tries every address of a name and puts the failures together.
  const first = error instanceof AggregateError ? error.errors[0] : undefined;
  return first === undefined ? 'unknown' : codeOf(first);
}
