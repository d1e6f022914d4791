import type { OutgoingHttpHeaders } from 'node:http';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

/** For answers that no plugin touches. */
export const BARE_HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'SAMEORIGIN',
};

/** Nothing that the API answers may be run or framed; the documentation brings a policy of its own. */
export const securityHeaders = fastifyPlugin(
  async (app: FastifyInstance, { allowedOrigins }: { allowedOrigins: readonly string[] }) => {
    await app.register(helmet, {
      global: false,
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          frameAncestors: ["'none'"],
          baseUri: ["'none'"],
          formAction: ["'none'"],
        },
      },
    });
    // What helmet sets is the same for every answer, and working it out costs more than routing and validation
    // together: so it is asked once, and repeated from then on.
    let known: OutgoingHttpHeaders | undefined;
    app.addHook('onRequest', (_request, reply, done) => {
      if (known !== undefined) reply.headers(known);
      else {
        reply.helmet();
        known = { ...reply.raw.getHeaders() };
      }
      done();
    });
    if (allowedOrigins.length > 0) {
      await app.register(cors, {
        origin: [...allowedOrigins],
        methods: ['GET', 'POST'],
        exposedHeaders: [
          'X-Request-ID',
          'Retry-After',
          'X-RateLimit-Limit',
          'X-RateLimit-Remaining',
          'X-RateLimit-Reset',
        ],
        maxAge: 600,
        // Strict, it would answer an incomplete one with an error of a shape of its own.
        strictPreflight: false,
      });
    }
  },
  { name: 'security-headers' },
);
