import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import type { Credential } from '../../credentials/credential.ts';
import { IDENTIFIER_PATTERN } from '../../domain/identifiers.ts';
import type { Metrics } from '../../observability/metrics.ts';
import { RecentTexts } from '../recent-texts.ts';
import { callerOf } from '../schemas/request.ts';
import { refuse } from './errors.ts';

export interface RateLimitsOptions {
  readonly metrics: Metrics;
  readonly windowSeconds: number;
  /** Requests in a window from one credential and address. */
  readonly perCredential: number;
  /** Requests in a window with one caller id, from one credential and address. */
  readonly perCaller: number;
  /** Requests in a window for the documentation, from one address. */
  readonly perReader: number;
  /** Failed authentications in a window from one address. */
  readonly failedAuthentication: number;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** By which the limits know a credential at an address, once it has been asked whether it is held back. */
    credentialAndAddress: string;
  }
  interface FastifyInstance {
    /** An `onRequest` hook for after authentication. */
    limitRequests(request: FastifyRequest, reply: FastifyReply): Promise<unknown>;
    /** An `onRequest` hook for what anybody may read without a credential. */
    limitReaders(request: FastifyRequest, reply: FastifyReply): Promise<unknown>;
    /** @returns true when it has answered with 429 */
    limitFailedAuthentication(request: FastifyRequest, reply: FastifyReply): Promise<boolean>;
    /**
     * Whether a credential is to be answered as a wrong one: it is new at an address that has none left of the failures
     * that it may have. At once for one that was there before.
     */
    isHeldBack(request: FastifyRequest, credential: Credential): boolean | Promise<boolean>;
  }
}

/** Addresses and callers that are counted at once; those heard of longest ago are forgotten first. */
const MAX_COUNTED = 20_000;

/** Stands for every caller id that is none, and for every address that is none: what is kept of either is bounded. */
const MALFORMED = 'not valid';
/** An IPv6 address in its longest form, with a zone. */
const ADDRESS_MAX_LENGTH = 64;

/**
 * Four limits. A credential and address together have a generous one, which no choice of caller id escapes;
 * each caller id has a small one below it, so that a script that runs in a circle stops only itself; and
 * failed authentications are counted apart, by address, so that whoever guesses tokens takes nothing from
 * those behind the same address who have shown theirs before. One that is new there is held back while guesses are:
 * else a right guess would be told from the wrong ones, and guessing would go on at any speed. The documentation,
 * which takes no credential, is limited by address alone.
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
    const perCredential = limiter(options.perCredential, (request) => request.credentialAndAddress);
    const perCaller = limiter(
      options.perCaller,
      (request) => `${request.credentialAndAddress} ${callerIdOf(request)}`,
    );
    // A text of its own: a part of a long header would keep the whole of it in memory.
    const failures = limiter(options.failedAuthentication, (request) => `failed ${addressOf(request)}`);
    const readers = limiter(options.perReader, (request) => `reader ${addressOf(request)}`);

    app.decorate('limitReaders', async (request, reply) => {
      const state = await readers(request);
      if (state.isAllowed) return;
      if (state.isExceeded) return tooMany(options.metrics, request, reply, state, 'reader');
      announce(reply, state);
    });

    app.decorate('limitRequests', async (request, reply) => {
      // The caller first: what its own limit refuses takes nothing from the others behind its credential and address.
      const caller = callerIdOf(request) === undefined ? undefined : await perCaller(request);
      const isCounted = caller !== undefined && !caller.isAllowed;
      if (isCounted && caller.isExceeded) return tooMany(options.metrics, request, reply, caller, 'caller');
      const credential = await perCredential(request);
      if (credential.isAllowed) return;
      if (credential.isExceeded) return tooMany(options.metrics, request, reply, credential, 'credential');
      announce(reply, isCounted && caller.remaining < credential.remaining ? caller : credential);
    });

    app.decorate('limitFailedAuthentication', async (request, reply) => {
      const state = await failures(request);
      if (state.isAllowed) return false;
      if (!state.isExceeded) {
        announce(reply, state);
        return false;
      }
      // Whoever guesses on has to connect anew for each guess.
      reply.header('connection', 'close');
      tooMany(options.metrics, request, reply, state, 'failed_authentication');
      return true;
    });

    /** Credentials at an address where they were good before. */
    const accepted = new RecentTexts(MAX_COUNTED);
    app.decorateRequest('credentialAndAddress', '');
    app.decorate('isHeldBack', (request, { kind, name }) => {
      // By its name, not by its token: one that was rotated goes on.
      const credentialAndAddress = `${kind} ${name} ${addressOf(request)}`;
      request.credentialAndAddress = credentialAndAddress;
      if (accepted.has(credentialAndAddress)) return false;
      return failures(request, { increment: false }).then((state) => {
        const isHeldBack = !state.isAllowed && state.remaining === 0;
        if (!isHeldBack) accepted.add(credentialAndAddress);
        return isHeldBack;
      });
    });
  },
  { name: 'rate-limits', dependencies: ['activity', 'errors'] },
);

interface LimitState {
  readonly max: number;
  readonly remaining: number;
  readonly ttlInSeconds: number;
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
  state: LimitState,
  limit: 'credential' | 'caller' | 'reader' | 'failed_authentication',
) {
  announce(reply, state);
  metrics.rateLimited.inc({ limit });
  return refuse(request, reply, {
    code: 'RATE_LIMIT_EXCEEDED',
    message: 'Too many requests; slow down',
    retryAfter: Math.max(1, state.ttlInSeconds),
  });
}

/** One host, in whichever of its many IPv6 addresses: the network of 64 bits that a customer is given. */
function addressOf({ ip }: FastifyRequest): string {
  return ip.length > ADDRESS_MAX_LENGTH ? MALFORMED : normalizeIP(ip, 64);
}

/** Those that validation will refuse are counted as one: there is no end to them, and each may fill a header. */
function callerIdOf(request: FastifyRequest): string | undefined {
  const id = callerOf(request.headers as Record<string, string | undefined>);
  return id === undefined || IDENTIFIER_PATTERN.test(id) ? id : MALFORMED;
}
