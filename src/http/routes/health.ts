import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { type Clock, unixSeconds } from '../../domain/clock.ts';

export interface HealthRoutesOptions {
  readonly clock: Clock;
  /** Resolves when the database answers; rejects within its time-out when it does not. */
  readonly checkDatabase: () => Promise<void>;
  readonly isStopping: () => boolean;
}

const readinessSchema = z
  .object({ status: z.enum(['ready', 'not_ready']), checks: z.record(z.string(), z.string()) })
  .meta({
    id: 'Readiness',
    description: 'Each check by its name, `ok` or what failed',
    examples: [{ status: 'ready', checks: { dynamodb: 'ok' } }],
  });

/** For the load balancer. Liveness touches nothing outside the process; readiness asks the database. */
export const healthRoutes: FastifyPluginAsyncZod<HealthRoutesOptions> = async (app, options) => {
  // Anybody may ask, without a credential or a limit: those who ask at once share one answer.
  let checking: Promise<void> | undefined;
  const checkDatabase = () => {
    checking ??= options.checkDatabase().finally(() => {
      checking = undefined;
    });
    return checking;
  };

  app.get(
    '/healthz',
    {
      config: { action: 'healthz', quiet: true },
      schema: {
        tags: ['observability'],
        summary: 'Is the process alive?',
        description: 'Touches nothing outside the process.',
        response: {
          200: z.object({ status: z.literal('healthy'), timestamp: z.int() }).meta({
            id: 'Health',
            description: 'The process is alive',
            examples: [{ status: 'healthy', timestamp: 1774000000 }],
          }),
        },
      },
    },
    async () => ({ status: 'healthy' as const, timestamp: unixSeconds(options.clock) }),
  );

  app.get(
    '/readyz',
    {
      config: { action: 'readyz', quiet: true },
      schema: {
        tags: ['observability'],
        summary: 'Should requests be sent here?',
        description: 'Asks the database, in bounded time. No while the process is shutting down.',
        response: { 200: readinessSchema, 503: readinessSchema },
      },
    },
    async (_request, reply) => {
      if (options.isStopping())
        return reply.code(503).send({ status: 'not_ready', checks: { process: 'stopping' } });
      try {
        await checkDatabase();
        return { status: 'ready' as const, checks: { dynamodb: 'ok' } };
      } catch (error) {
        const problem = error instanceof Error ? error.name : 'unknown';
        return reply.code(503).send({ status: 'not_ready', checks: { dynamodb: `failed (${problem})` } });
      }
    },
  );
};
