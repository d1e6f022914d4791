import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { describeRoute, finishDocument } from '../schemas/open-api.ts';

const INTRODUCTION = `Hands out pre-created, one-time-use sandboxes: each caller gets exactly one, and no sandbox is handed out twice.

Track routes take the track token and the caller's id in \`X-Instruqt-Sandbox-ID\` (or \`X-Track-ID\`); admin routes take the admin token. Times are Unix seconds. Every error has one shape, with a \`code\` to branch on and a \`request_id\` to quote.`;

/**
 * What the documentation page may load: its own files, and the API that it tries out. It sets style attributes, but
 * no style of its own is let in otherwise. Nothing is upgraded to https: a broker on one machine has none.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The OpenAPI document, made from the schemas that validate. Registered before the routes that it describes. */
export const openApi = fastifyPlugin(
  async (app: FastifyInstance, { version }: { version: string }) => {
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: { title: 'Sandbox Broker', version, description: INTRODUCTION },
        servers: [{ url: '/' }],
        components: {
          securitySchemes: {
            trackToken: { type: 'http', scheme: 'bearer', description: 'The token of the lab scripts' },
            adminToken: { type: 'http', scheme: 'bearer', description: 'The token of the operators' },
          },
        },
        tags: [
          { name: 'track', description: 'For lab scripts' },
          { name: 'admin', description: 'For operators' },
          { name: 'observability', description: 'For machines' },
        ],
      },
      transform: describeRoute,
      transformObject: finishDocument,
    });
  },
  { name: 'open-api' },
);

/** `/openapi.json` and `/docs` below the base path; `/docs` at the root leads there. */
export const documentation = fastifyPlugin(
  async (app: FastifyInstance, { basePath }: { basePath: string }) => {
    app.get(
      `${basePath}/openapi.json`,
      { schema: { hide: true }, config: { action: 'openapi', quiet: true } },
      async () => app.swagger(),
    );
    await app.register(swaggerUi, {
      routePrefix: `${basePath}/docs`,
      staticCSP: PAGE_POLICY,
      uiConfig: {
        // Without the bar of the vendor, which loads any other document.
        layout: 'BaseLayout',
        persistAuthorization: true,
        tryItOutEnabled: true,
        displayRequestDuration: true,
        defaultModelsExpandDepth: 0,
      },
      theme: { title: 'Sandbox Broker' },
    });
    if (basePath !== '') {
      app.get(
        '/docs',
        { schema: { hide: true }, config: { action: 'docs', quiet: true } },
        async (_request, reply) => reply.redirect(`${basePath}/docs`),
      );
    }
  },
  { name: 'documentation', dependencies: ['open-api'] },
);
