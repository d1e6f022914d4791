import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';

/**
 * Bodies are JSON or absent. An empty body counts as absent, whatever its media type: clients in production
 * send `Content-Type` with nothing behind it.
 */
export const bodies = fastifyPlugin(
  async (app: FastifyInstance) => {
    const parseJson = app.getDefaultJsonParser('error', 'error');
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
      if (body === '') done(null, undefined);
      else parseJson(request, body as string, done);
    });
    app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
      if (body === '') done(null, undefined);
      else done(Object.assign(new Error('Unsupported media type'), { statusCode: 415 }), undefined);
    });
  },
  { name: 'bodies' },
);
