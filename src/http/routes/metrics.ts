import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Metrics } from '../../observability/metrics.ts';

/** For Prometheus. Everything that it shows is in memory already. */
export const metricsRoutes: FastifyPluginAsyncZod<{ metrics: Metrics }> = async (app, { metrics }) => {
  app.get(
    '/metrics',
    {
      config: { action: 'metrics', quiet: true },
      schema: {
        tags: ['observability'],
        summary: 'All metrics, in the text format of Prometheus',
        description: 'Costs no call to the database.',
        produces: ['text/plain'],
        response: { 200: z.string().describe('All series of this process') },
      },
    },
    async (_request, reply) =>
      reply
        .type(metrics.registry.contentType)
        .serializer((text: string) => text)
        .send(await metrics.registry.metrics()),
  );
};
