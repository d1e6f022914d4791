import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
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
  };
}

/** One log line and one observation. @param elapsedMs milliseconds since the request came */
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
  const { action, outcome, trackId, sandboxId, actor, cause } = request.activity;
  const level = request.routeOptions.config?.quiet === true ? 'debug' : status >= 500 ? 'warn' : 'info';
  request.log[level](
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
    },
    action,
  );
}

/** One log line and one observation for each request, and its id in the answer. */
export const activity = fastifyPlugin(
  async (app: FastifyInstance, { metrics }: { metrics: Metrics }) => {
    app.decorateRequest('activity');
    app.addHook('onRequest', async (request, reply) => {
      beginActivity(request, request.routeOptions.config.action ?? 'unmatched');
      reply.header('x-request-id', request.id);
    });
    app.addHook('onResponse', async (request, reply) => {
      recordAnswer(metrics, request, reply.statusCode, reply.elapsedTime);
    });
  },
  { name: 'activity' },
);
