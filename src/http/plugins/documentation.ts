import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

/** Of the answers of the site: what says how to read the body. The others are said anew. */
const HEADERS_OF_THE_SITE = [
  'content-type',
  'content-security-policy',
  'cache-control',
  'etag',
  'last-modified',
  'location',
];

/**
 * `/openapi.json` and `/docs` below the base path; `/docs` at the root leads there. Registered before the routes that it
 * describes.
 */
export const documentation = fastifyPlugin(
  async (app: FastifyInstance, { basePath, version }: { basePath: string; version: string }) => {
    const described: RouteOptions[] = [];
    app.addHook('onRoute', (route) => {
      if (route.schema !== undefined && route.method !== 'HEAD') described.push(route);
    });
    let site: Promise<FastifyInstance> | undefined;
    const openSite = () => {
      site ??= import('../documentation-site.ts').then(({ buildDocumentationSite }) =>
        buildDocumentationSite(described, { basePath, version }),
      );
      return site;
    };
    app.addHook('onClose', async () => {
      await (await site)?.close();
    });

    const answer = async (request: FastifyRequest, reply: FastifyReply) => {
      const { statusCode, headers, rawPayload } = await (await openSite()).inject({
        method: 'GET',
        url: request.url,
        headers: request.headers,
      });
      if (statusCode >= 400) return reply.callNotFound();
      for (const name of HEADERS_OF_THE_SITE) {
        const value = headers[name];
        if (value !== undefined) reply.header(name, value);
      }
      return reply.code(statusCode).send(rawPayload);
    };
    await app.register(async (scope) => {
      scope.addHook('onRequest', scope.limitReaders);
      scope.get(`${basePath}/openapi.json`, { config: { action: 'openapi', quiet: true } }, answer);
      for (const path of ['', '/', '/*']) {
        scope.get(`${basePath}/docs${path}`, { config: { action: 'docs', quiet: true } }, answer);
      }
      if (basePath !== '') {
        scope.get('/docs', { config: { action: 'docs', quiet: true } }, async (_request, reply) =>
          reply.redirect(`${basePath}/docs`),
        );
      }
    });
  },
  { name: 'documentation', dependencies: ['rate-limits'] },
);
