import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
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

/** The route as dashboards know it: a template, never a path with ids in it. */
export function endpointOf(request: FastifyRequest): string {
  const template = request.routeOptions.url;
  return template === undefined ? 'unmatched' : template.replace(/:(\w+)/g, '{$1}');
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
  };
}

/** One log line, which has the request's id as all of its lines do, and one observation. @param elapsedMs milliseconds since the request came */
export function recordAnswer(
  metrics: Metrics,
  request: FastifyRequest,
  status: number,
  elapsedMs: number,
): void {
  metrics.requestLatency.observe(
    { method: request.method, endpoint: endpointOf(request), status: String(status) },
    elapsedMs / 1000,
  );
  const { action, outcome, trackId, sandboxId, actor, cause, isAbandoned } = request.activity;
  if (actor !== undefined) metrics.credentialRequests.inc({ credential: actor, status: String(status) });
  const level = request.routeOptions.config?.quiet === true ? 'debug' : status >= 500 ? 'warn' : 'info';
  request.log[level](
    {
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
}

/** One log line and one observation for each request, and its id in the answer. */
export const activity = fastifyPlugin(
  async (app: FastifyInstance, { metrics }: { metrics: Metrics }) => {
    app.decorateRequest('activity');
    const record = (request: FastifyRequest, reply: FastifyReply) =>
      recordAnswer(metrics, request, reply.statusCode, reply.elapsedTime);
    app.addHook('onRequest', async (request, reply) => {
      beginActivity(request, request.routeOptions.config.action ?? 'unmatched');
      reply.header('x-request-id', request.id);
      // No `onResponse` follows when the client has hung up; what its request did is recorded all the same,
      // when it is known.
      reply.raw.once('close', () => {
        if (reply.raw.writableFinished) return;
        request.activity.isAbandoned = true;
        if (request.activity.isAnswered) record(request, reply);
      });
    });
    app.addHook('onSend', async (request, reply) => {
      request.activity.isAnswered = true;
      if (request.activity.isAbandoned) record(request, reply);
    });
    app.addHook('onResponse', async (request, reply) => {
      if (!request.activity.isAbandoned) record(request, reply);
    });
  },
  { name: 'activity' },
);
