import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Metrics } from '../../observability/metrics.ts';
import { callerOf } from '../schemas/request.ts';
import { refuse } from './errors.ts';

export interface RateLimitsOptions {
  readonly metrics: Metrics;
  readonly windowSeconds: number;
  /** Requests in a window from one credential and address. */
  readonly perCredential: number;
  /** Requests in a window with one caller id, from one credential and address. */
  readonly perCaller: number;
  /** Failed authentications in a window from one address. */
  readonly failedAuthentication: number;
}

declare module 'fastify' {
  interface FastifyInstance {
    /** An `onRequest` hook for after authentication. */
    limitRequests(request: FastifyRequest, reply: FastifyReply): Promise<unknown>;
    /** @returns true when it has answered with 429 */
    limitFailedAuthentication(request: FastifyRequest, reply: FastifyReply): Promise<boolean>;
  }
}

/** Addresses and callers that are counted at once; those heard of longest ago are forgotten first. */
const MAX_COUNTED = 20_000;

/**
 * Three limits. A credential and address together have a generous one, which no choice of caller id escapes;
 * each caller id has a small one below it, so that a script that runs in a circle stops only itself; and
 * failed authentications are counted apart, by address, so that whoever guesses tokens takes nothing from
 * those behind the same address who know theirs.
 *
 * Counted in the memory of the process: with N tasks behind a load balancer a client may get up to N times as
 * much.
 */
export const rateLimits = fastifyPlugin(
  async (app: FastifyInstance, options: RateLimitsOptions) => {
    await app.register(rateLimit, { global: false });
    const limiter = (max: number, keyGenerator: (request: FastifyRequest) => string) => {
      const settings = { max, timeWindow: options.windowSeconds * 1000, keyGenerator, cache: MAX_COUNTED };
      return app.createRateLimit(settings);
    };
    const credentialAndAddress = (request: FastifyRequest) =>
      `${request.credential?.kind} ${request.credential?.name} ${addressOf(request)}`;
    const perCredential = limiter(options.perCredential, credentialAndAddress);
    const perCaller = limiter(
      options.perCaller,
      (request) => `${credentialAndAddress(request)} ${callerIdOf(request)}`,
    );
    const failures = limiter(options.failedAuthentication, addressOf);

    app.decorate('limitRequests', async (request, reply) => {
      const counted = [{ name: 'credential', state: await perCredential(request) }];
      if (callerIdOf(request) !== undefined)
        counted.push({ name: 'caller', state: await perCaller(request) });
      let tightest: Counted | undefined;
      for (const { name, state } of counted) {
        if (state.isAllowed) continue;
        if (tightest === undefined || isTighter(state, tightest)) tightest = { ...state, name };
      }
      if (tightest === undefined) return;
      announce(reply, tightest);
      if (tightest.isExceeded) return tooMany(options.metrics, request, reply, tightest);
    });

    app.decorate('limitFailedAuthentication', async (request, reply) => {
      const state = await failures(request);
      if (state.isAllowed) return false;
      announce(reply, state);
      if (!state.isExceeded) return false;
      tooMany(options.metrics, request, reply, { ...state, name: 'failed_authentication' });
      return true;
    });
  },
  { name: 'rate-limits', dependencies: ['activity', 'errors'] },
);

interface LimitState {
  readonly max: number;
  readonly remaining: number;
  readonly ttlInSeconds: number;
  readonly isExceeded: boolean;
}

interface Counted extends LimitState {
  readonly name: string;
}

/** A limit at its end and one beyond it have nothing left both; only the other one refuses. */
function isTighter(state: LimitState, other: LimitState): boolean {
  if (state.isExceeded !== other.isExceeded) return state.isExceeded;
  return state.remaining < other.remaining;
}

function announce(reply: FastifyReply, { max, remaining, ttlInSeconds }: LimitState): void {
  reply.headers({
    'x-ratelimit-limit': max,
    'x-ratelimit-remaining': remaining,
    'x-ratelimit-reset': ttlInSeconds,
  });
}

function tooMany(
  metrics: Metrics,
  request: FastifyRequest,
  reply: FastifyReply,
  { name, ttlInSeconds }: Counted,
) {
  metrics.rateLimited.inc({ limit: name });
  return refuse(request, reply, {
    code: 'RATE_LIMIT_EXCEEDED',
    message: 'Too many requests; slow down',
    retryAfter: Math.max(1, ttlInSeconds),
  });
}

/** One host, in whichever of its many IPv6 addresses: the network of 64 bits that a customer is given. */
function addressOf(request: FastifyRequest): string {
  return normalizeIP(request.ip, 64);
}

/** Unvalidated, but bounded by the size of a header. */
function callerIdOf(request: FastifyRequest): string | undefined {
  return callerOf(request.headers as Record<string, string | undefined>);
}
