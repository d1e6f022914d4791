import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { BrokerError, type ErrorDetail, UNAVAILABLE_RETRY_SECONDS } from '../../domain/errors.ts';
import { isDatabaseUnavailable } from '../../store/database-faults.ts';
import { ERROR_STATUSES, type ErrorBody, type ErrorCode } from '../schemas/errors.ts';
import { headerName } from '../schemas/header-names.ts';
import { SANDBOX_ID_HEADER, TRACK_ID_HEADER } from '../schemas/request.ts';

export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfter?: number | undefined;
  readonly details?: readonly ErrorDetail[];
}

export function errorBody(requestId: string, refusal: Refusal): ErrorBody {
  return {
    error: {
      code: refusal.code,
      message: refusal.message,
      request_id: requestId,
      ...(refusal.retryAfter === undefined ? {} : { retry_after: refusal.retryAfter }),
      details: [...(refusal.details ?? [])],
    },
  };
}

/** Answers with an error in the one shape that all of them have. */
export function refuse(request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  request.activity.outcome = refusal.code.toLowerCase();
  if (refusal.retryAfter !== undefined) reply.header('retry-after', String(refusal.retryAfter));
  return reply
    .code(ERROR_STATUSES[refusal.code])
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(errorBody(request.id, refusal));
}

/** Turns whatever was thrown into an answer: the one place where that happens. */
export const errors = fastifyPlugin(
  async (app: FastifyInstance) => {
    app.setErrorHandler((error: FastifyError, request, reply) => {
      const refusal = refusalFor(error);
      if (refusal.code === 'INTERNAL_ERROR') request.log.error({ err: error }, 'request failed');
      else if (error.cause !== undefined || refusal.code === 'SERVICE_UNAVAILABLE') {
        request.activity.cause = causeOf(error);
      }
      return refuse(request, reply, refusal);
    });
  },
  { name: 'errors' },
);

function causeOf(error: unknown): string {
  const root = error instanceof BrokerError && error.cause !== undefined ? error.cause : error;
  return root instanceof Error ? `${root.name}: ${root.message}` : String(root);
}

export function refusalFor(error: FastifyError | Error): Refusal {
  if (error instanceof BrokerError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return invalidRequest(error);
  const status = 'statusCode' in error ? error.statusCode : undefined;
  if (status === 413) return { code: 'PAYLOAD_TOO_LARGE', message: 'The body is too large' };
  if (status === 415)
    return { code: 'UNSUPPORTED_MEDIA_TYPE', message: 'Send the body as application/json, or none' };
  if (status !== undefined && status >= 400 && status < 500) {
    return {
      code: 'VALIDATION_ERROR',
      message: 'The request is malformed',
      details: [frameworkDetail(error)],
    };
  }
  if (isDatabaseUnavailable(error)) {
    return {
      code: 'SERVICE_UNAVAILABLE',
      message: 'The database did not answer in time; try again',
      retryAfter: UNAVAILABLE_RETRY_SECONDS,
    };
  }
  return { code: 'INTERNAL_ERROR', message: 'Something went wrong inside the broker' };
}

function frameworkDetail(error: FastifyError | Error): ErrorDetail {
  const code = 'code' in error ? error.code : '';
  if (code === 'FST_ERR_BAD_URL') return { field: 'path', message: 'is not a valid URL path' };
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') return { field: 'path', message: 'is too long' };
  return { field: 'body', message: 'is not valid JSON' };
}

const PLACES: Record<string, string> = {
  headers: 'header',
  params: 'path parameter',
  querystring: 'query parameter',
  body: 'body field',
};

function invalidRequest(error: FastifyError): Refusal {
  const place = error.validationContext ?? 'body';
  const details = (error.validation ?? []).map((issue) => ({
    field: issue.instancePath.split('/').filter(Boolean).join('.') || place,
    message: issue.message ?? 'is not valid',
  }));
  const callerIsWrong = details.some(({ field }) => field === SANDBOX_ID_HEADER || field === TRACK_ID_HEADER);
  const named = details.map(({ field, message }) => `${headerName(field)} ${message}`).join('; ');
  return {
    code: place === 'headers' && callerIsWrong ? 'INVALID_TRACK_ID' : 'VALIDATION_ERROR',
    message: `Invalid ${PLACES[place] ?? place}: ${named}`,
    details:
      place === 'headers'
        ? details.map((detail) => ({ ...detail, field: headerName(detail.field) }))
        : details,
  };
}
