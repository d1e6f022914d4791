import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

/** Nothing that the API answers may be run or framed; the documentation brings a policy of its own. */
export const securityHeaders = fastifyPlugin(
  async (app: FastifyInstance, { allowedOrigins }: { allowedOrigins: readonly string[] }) => {
    await app.register(helmet, {
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
