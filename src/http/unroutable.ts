import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { beginActivity, type RecordAnswer } from './plugins/activity.ts';
import { errorBody, type Refusal, refusalFor, refuse } from './plugins/errors.ts';
import { BARE_HEADERS } from './plugins/security-headers.ts';
import { ERROR_STATUSES } from './schemas/errors.ts';

/**
 * Answers a request whose path is no path, for which no hook runs: in the shape of all errors, counted and
 * logged as the others are.
 */
export function refuseBadPath(recordAnswer: RecordAnswer) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const began = performance.now();
    beginActivity(request, 'unmatched');
    reply.header('x-request-id', request.id).headers(BARE_HEADERS);
    reply.raw.once('finish', () => recordAnswer(request, reply.statusCode, performance.now() - began));
    refuse(request, reply, refusalFor(error));
  };
}

// An import would load all that this module might ever give, WebSocket included: 30 ms of every start.
const { maxHeaderSize, STATUS_CODES } = process.getBuiltinModule('node:http');

const UNREADABLE: Refusal = { code: 'VALIDATION_ERROR', message: 'The request is not valid HTTP' };

/** What Node's parser stumbled over, by its code. */
const UNREADABLE_BY_CODE: Record<string, Refusal> = {
  HPE_HEADER_OVERFLOW: {
    code: 'VALIDATION_ERROR',
    message: 'The headers are too large',
    details: [{ field: 'headers', message: `have more than ${maxHeaderSize} bytes together` }],
  },
  HPE_INVALID_HEADER_TOKEN: {
    code: 'VALIDATION_ERROR',
    message: 'A header is malformed',
    details: [{ field: 'headers', message: 'hold a character that no header may hold' }],
  },
  HPE_INVALID_METHOD: { code: 'METHOD_NOT_ALLOWED', message: 'There is no such method' },
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'REQUEST_TIMEOUT', message: 'The request did not arrive in time' },
};

/** Answers what is not HTTP, or too much of it, and hangs up. There is no request yet, only a connection. */
export function refuseUnreadable(logger: Logger) {
  return (error: Error & { code?: string }, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const refusal = UNREADABLE_BY_CODE[error.code ?? ''] ?? UNREADABLE;
    const status = ERROR_STATUSES[refusal.code];
    const requestId = randomUUID();
    const body = JSON.stringify(errorBody(requestId, refusal));
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-ID: ${requestId}`,
      ...Object.entries(BARE_HEADERS).map(([name, value]) => `${name}: ${value}`),
      ...(refusal.code === 'METHOD_NOT_ALLOWED' ? ['Allow: GET, HEAD, POST'] : []),
      'Connection: close',
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
    socket.destroySoon();
    logger.info(
      {
        request_id: requestId,
        track_id: null,
        sandbox_id: null,
        action: 'unreadable',
        outcome: refusal.code.toLowerCase(),
        latency_ms: 0,
        status,
        cause: error.code,
      },
      'unreadable',
    );
  };
}
