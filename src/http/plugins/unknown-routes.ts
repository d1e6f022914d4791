import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import findMyWay, { type HTTPMethod } from 'find-my-way';
import { refuse } from './errors.ts';

/** Tells a path that does not exist (404) from one that exists for other methods (405, with `Allow`). */
export const unknownRoutes = fastifyPlugin(
  async (app: FastifyInstance, { maxParamLength }: { maxParamLength: number }) => {
    const methodsOf = new Map<string, Set<string>>();
    const paths = findMyWay({ maxParamLength });
    app.addHook('onRoute', (route) => {
      // Where browsers of other origins may call, every path takes their OPTIONS; that makes it no route.
      if (route.url === '*') return;
      let methods = methodsOf.get(route.url);
      if (methods === undefined) {
        methods = new Set();
        methodsOf.set(route.url, methods);
        // Under one method each: only the path is looked up.
        paths.on('GET' as HTTPMethod, route.url, () => undefined, methods);
      }
      for (const method of [route.method].flat()) methods.add(method);
    });
    const refuseUnknown = (request: FastifyRequest, reply: FastifyReply) => {
      const path = request.raw.url?.split('?')[0] ?? '/';
      const methods = paths.find('GET' as HTTPMethod, path)?.store as Set<string> | undefined;
      // A route that takes the method and has nothing all the same: a file that does not exist.
      if (methods === undefined || methods.has(request.method)) {
        return refuse(request, reply, { code: 'NOT_FOUND', message: 'There is no such route' });
      }
      const allowed = [...methods].sort().join(', ');
      reply.header('allow', allowed);
      return refuse(request, reply, { code: 'METHOD_NOT_ALLOWED', message: `This route takes ${allowed}` });
    };
    app.setNotFoundHandler(refuseUnknown);
    // Before the body is looked at: what is wrong with it is nothing beside a route that does not exist.
    app.addHook('preParsing', (request, reply, _payload, done) => {
      if (request.is404) refuseUnknown(request, reply);
      else done();
    });
  },
  { name: 'unknown-routes', dependencies: ['errors'] },
);
