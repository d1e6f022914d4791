import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import Fastify, { type FastifyInstance, type RouteOptions } from 'fastify';
import { describeRoute, finishDocument } from './schemas/open-api.ts';

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

/**
 * The OpenAPI document, made from the schemas that validate, at `/openapi.json` below the base path, and the page that
 * shows it at `/docs`. An application of its own, which is asked in process and never listens: what it needs is a fifth
 * of all that a broker loads, and is loaded when somebody reads.
 *
 * @param routes those that are described; they are not served here
 */
export async function buildDocumentationSite(
  routes: readonly RouteOptions[],
  { basePath, version }: { basePath: string; version: string },
): Promise<FastifyInstance> {
  const site = Fastify();
  await site.register(swagger, {
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
  await site.register(async (described) => {
    described.setValidatorCompiler(() => () => true);
    described.setSerializerCompiler(() => JSON.stringify);
    for (const { method, url, schema, config } of routes) {
      described.route({
        method,
        url,
        ...(schema === undefined ? {} : { schema }),
        ...(config === undefined ? {} : { config }),
        handler: notServedHere,
      });
    }
  });
  site.get(`${basePath}/openapi.json`, { schema: { hide: true } }, async () => site.swagger());
  await site.register(swaggerUi, {
    routePrefix: `${basePath}/docs`,
    staticCSP: PAGE_POLICY,
    uiConfig: {
      // Without the bar of the vendor, which loads any other document.
      layout: 'BaseLayout',
      // A token that was typed in goes with the page.
      persistAuthorization: false,
      tryItOutEnabled: true,
      displayRequestDuration: true,
      defaultModelsExpandDepth: 0,
    },
    theme: { title: 'Sandbox Broker' },
  });
  await site.ready();
  return site;
}

function notServedHere(): never {
  throw new Error('The documentation only describes this route');
}
