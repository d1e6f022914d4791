import type { FastifyReply } from 'fastify';
import type { Fault } from './faults.ts';

export interface SimulatedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What was seen of the real service on a bad day. */
const LICENCE_MESSAGE =
  "HTTP interceptor error: unable to get licenses for account identity/accounts/unknown: invalid character '<' looking for beginning of value";

const MAINTENANCE_PAGE = `<!DOCTYPE html>
<html><head><title>503 Service Temporarily Unavailable</title></head>
<body><center><h1>503 Service Temporarily Unavailable</h1></center></body></html>
`;

export function jsonAnswer(status: number, value: unknown): SimulatedAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

export function errorAnswer(status: number, message: string): SimulatedAnswer {
  return jsonAnswer(status, { error: [{ message }] });
}

export const licenceError = errorAnswer(500, LICENCE_MESSAGE);

/**
 * The answer that a fault gives in place of the true one; null for a fault that is not an answer, or only alters
 * the true one.
 *
 * @param authorization what the request carried, for an error page that repeats it
 */
export function faultAnswer(fault: Fault, authorization: string): SimulatedAnswer | null {
  switch (fault.kind) {
    case 'rate_limited':
      return withRetryAfter(errorAnswer(429, 'Too many requests'), fault.retry_after);
    case 'error': {
      const body =
        fault.body === 'empty'
          ? ''
          : fault.body === 'echo'
            ? JSON.stringify({
                error: [{ message: `Refused a request with Authorization: ${authorization}` }],
              })
            : licenceError.body;
      const headers: Record<string, string> = fault.body === 'empty' ? {} : licenceError.headers;
      return withRetryAfter({ status: fault.status, headers, body }, fault.retry_after);
    }
    case 'html': {
      const headers = { 'content-type': 'text/html' };
      return withRetryAfter({ status: fault.status, headers, body: MAINTENANCE_PAGE }, fault.retry_after);
    }
    case 'unauthorized':
      return errorAnswer(fault.status, fault.status === 401 ? 'Authentication failed' : 'Forbidden');
    case 'delete_burst':
      return licenceError;
    default:
      return null;
  }
}

/** The true answer as a fault leaves it. */
export function alteredAnswer(fault: Fault | null, answer: SimulatedAnswer): SimulatedAnswer {
  if (fault?.kind === 'truncated_json') return { ...answer, body: half(answer.body) };
  if (answer.status !== 200 || (fault?.kind !== 'empty_list' && fault?.kind !== 'short_list')) return answer;
  const listing = JSON.parse(answer.body) as { results: unknown[] };
  const results = listing.results.slice(0, fault.kind === 'short_list' ? fault.keep : 0);
  return { ...answer, body: JSON.stringify({ ...listing, results }) };
}

/** Writes an answer to the socket in the way that the fault wants, past the framework. */
export function deliver(reply: FastifyReply, answer: SimulatedAnswer | null, fault: Fault | null): void {
  const { raw } = reply.hijack();
  if (fault?.kind === 'hang') return;
  if (fault?.kind === 'reset' || answer === null) {
    raw.socket?.destroy();
    return;
  }
  const body = Buffer.from(answer.body);
  // A 204 has no body, and says nothing of its length (RFC 9110, 8.6).
  raw.writeHead(
    answer.status,
    answer.status === 204 ? answer.headers : { ...answer.headers, 'content-length': body.length },
  );
  if (fault?.kind === 'cut_connection') {
    raw.write(body.subarray(0, body.length / 2), () => raw.socket?.destroy());
    return;
  }
  raw.end(body);
}

function half(text: string): string {
  return text.slice(0, Math.floor(text.length / 2));
}

function withRetryAfter(answer: SimulatedAnswer, retryAfter: string | number | undefined): SimulatedAnswer {
  if (retryAfter === undefined) return answer;
  return { ...answer, headers: { ...answer.headers, 'retry-after': String(retryAfter) } };
}
