import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Logger } from 'pino';
import { REQUEST_ID_PATTERN } from '../../domain/identifiers.ts';
import type { Metrics } from '../../observability/metrics.ts';

/** What a request's log line says about it; routes fill it in as they learn it. */
export interface Activity {
  action: string;
  outcome: string | undefined;
  trackId: string | undefined;
  sandboxId: string | undefined;
  actor: string | undefined;
  cause: string | undefined;
  /** The answer is on its way out, or would be if anyone were there to take it. */
  isAnswered: boolean;
  /** The client hung up before it had the whole answer. */
  isAbandoned: boolean;
  /** Told when that happens. */
  onAbandoned: (() => void) | undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    activity: Activity;
  }
  interface FastifyContextConfig {
    /** The name of the route in the log. */
    action?: string;
    /** Asked for every few seconds by machines: logged only on demand. */
    quiet?: boolean;
  }
}

/** The client's own request id when it is a harmless one, else a new one. */
export function requestIdOf(message: IncomingMessage): string {
  const given = message.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID_PATTERN.test(given) ? given : randomUUID();
}

const endpoints = new Map<string, string>();

/** The route as dashboards know it: a template, never a path with ids in it. */
function endpointOf(request: FastifyRequest): string {
  const template = request.routeOptions.url;
  if (template === undefined) return 'unmatched';
  let endpoint = endpoints.get(template);
  if (endpoint === undefined) {
    endpoint = template.replace(/:(\w+)/g, '{$1}');
    endpoints.set(template, endpoint);
  }
  return endpoint;
}

export function beginActivity(request: FastifyRequest, action: string): void {
  request.activity = {
    action,
    outcome: undefined,
    trackId: undefined,
    sandboxId: undefined,
    actor: undefined,
    cause: undefined,
    isAnswered: false,
    isAbandoned: false,
    onAbandoned: undefined,
  };
}

/** Records an answer; `elapsedMs`: milliseconds since the request came. */
export type RecordAnswer = (request: FastifyRequest, status: number, elapsedMs: number) => void;

/**
 * One log line and one observation for each answer. The line has only fields that are named here, none of which can
 * hold a credential: so nothing looks through it for one, which would take longer than to write it.
 */
export function answerRecorder(metrics: Metrics, logger: Logger): RecordAnswer {
  const lines = logger.child({}, { redact: [] });
  return (request, status, elapsedMs) => {
    metrics.requestLatency.observe(
      { method: request.method, endpoint: endpointOf(request), status: String(status) },
      elapsedMs / 1000,
    );
    const { action, outcome, trackId, sandboxId, actor, cause, isAbandoned } = request.activity;
    if (actor !== undefined) metrics.credentialRequests.inc({ credential: actor, status: String(status) });
    const level = request.routeOptions.config?.quiet === true ? 'debug' : status >= 500 ? 'warn' : 'info';
    lines[level](
      {
        request_id: request.id,
        track_id: trackId ?? null,
        sandbox_id: sandboxId ?? null,
        action,
        outcome: outcome ?? (status < 400 ? 'success' : 'refused'),
        latency_ms: Math.round(elapsedMs * 1000) / 1000,
        status,
        actor,
        cause,
        ...(isAbandoned ? { abandoned: true } : {}),
      },
      action,
    );
  };
}

/** Every request is recorded once, and has its id in the answer. */
export const activity = fastifyPlugin(
  async (app: FastifyInstance, { recordAnswer }: { recordAnswer: RecordAnswer }) => {
    app.decorateRequest('activity');
    const record = (request: FastifyRequest, reply: FastifyReply) =>
      recordAnswer(request, reply.statusCode, reply.elapsedTime);
    app.addHook('onRequest', (request, reply, done) => {
      beginActivity(request, request.routeOptions.config.action ?? 'unmatched');
      reply.header('x-request-id', request.id);
      // No `onResponse` follows when the client has hung up; what its request did is recorded all the same,
      // when it is known.
      reply.raw.once('close', () => {
        if (reply.raw.writableFinished) return;
        request.activity.isAbandoned = true;
        request.activity.onAbandoned?.();
        if (request.activity.isAnswered) record(request, reply);
      });
      done();
    });
    app.addHook('onSend', (request, reply, _payload, done) => {
      request.activity.isAnswered = true;
      if (request.activity.isAbandoned) record(request, reply);
      done();
    });
    app.addHook('onResponse', (request, reply, done) => {
      if (!request.activity.isAbandoned) record(request, reply);
      done();
    });
  },
  { name: 'activity' },
);
