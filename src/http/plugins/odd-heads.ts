import type { FastifyInstance } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { refuse } from './errors.ts';

/**
 * Requests that Node would refuse by itself, in no shape of ours and without an id. The server must be made with
 * `requireHostHeader: false`.
 */
export const oddHeads = fastifyPlugin(
  async (app: FastifyInstance) => {
    // One that is not known may be left unmet (RFC 9110, 10.1.1).
    app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
    app.addHook('onRequest', (request, reply, done) => {
      const { headers, httpVersion } = request.raw;
      if (headers.host !== undefined || httpVersion !== '1.1') done();
      else {
        const details = [{ field: 'host', message: 'is required' }];
        refuse(request, reply, {
          code: 'VALIDATION_ERROR',
          message: 'Invalid header: host is required',
          details,
        });
      }
    });
  },
  { name: 'odd-heads', dependencies: ['activity', 'errors'] },
);
