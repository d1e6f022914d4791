import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  LogController,
} from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import type { Container } from './container.ts';
import { activity, answerRecorder, requestIdOf } from './http/plugins/activity.ts';
import { authentication } from './http/plugins/authentication.ts';
import { bodies } from './http/plugins/bodies.ts';
import { documentation } from './http/plugins/documentation.ts';
import { errors } from './http/plugins/errors.ts';
import { oddHeads } from './http/plugins/odd-heads.ts';
import { rateLimits } from './http/plugins/rate-limits.ts';
import { securityHeaders } from './http/plugins/security-headers.ts';
import { unknownRoutes } from './http/plugins/unknown-routes.ts';
import { adminJobRoutes } from './http/routes/admin-jobs.ts';
import { adminSandboxRoutes } from './http/routes/admin-sandboxes.ts';
import { adminStatisticsRoutes } from './http/routes/admin-statistics.ts';
import { healthRoutes } from './http/routes/health.ts';
import { metricsRoutes } from './http/routes/metrics.ts';
import { trackRoutes } from './http/routes/track.ts';
import { cutOffStalledReaders } from './http/stalled-readers.ts';
import { refuseBadPath, refuseUnreadable } from './http/unroutable.ts';
import { RequestLogger } from './observability/request-logger.ts';
import { readEvents } from './store/audit-trail.ts';
import { readNiosxaasRecords } from './store/niosxaas-records.ts';
import { reachTable } from './store/table.ts';
import { VERSION } from './version.ts';

/** A load balancer keeps idle connections for 60 s; the server must keep them longer, or requests meet a closed one. */
const KEEP_ALIVE_MS = 65_000;
/**
 * For slow clients: the whole of a request's head and body must arrive within the first, looked at every second; and
 * within the third at least something of an answer must be taken.
 */
const PATIENCE = { requestTimeoutMs: 30_000, checkIntervalMs: 5_000, stalledReaderMs: 30_000 };
/** No request has a body beyond a reason. */
const BODY_LIMIT_BYTES = 64 * 1024;
/** Longer than the longest id, percent-encoded; validation answers for ids that are too long. */
const MAX_PARAMETER_LENGTH = 4_096;

export interface AppOptions {
  /** True once a stop has begun. */
  readonly isStopping: () => boolean;
  readonly patience?: typeof PATIENCE;
}

/** The whole HTTP surface. Never listens. */
export async function buildApp(container: Container, options: AppOptions): Promise<FastifyInstance> {
  const { isStopping, patience = PATIENCE } = options;
  const { config, clock, metrics, logger } = container;
  const recordAnswer = answerRecorder(metrics, logger);
  const app: FastifyInstance = Fastify({
    loggerInstance: ofFramework(logger),
    // `activity` writes the one line of a request.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    genReqId: requestIdOf,
    trustProxy: config.TRUST_PROXY === undefined ? false : parseTrustProxy(config.TRUST_PROXY),
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: patience.requestTimeoutMs,
    http: { connectionsCheckingInterval: patience.checkIntervalMs, requireHostHeader: false },
    bodyLimit: BODY_LIMIT_BYTES,
    schemaController: ZOD_SCHEMAS,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    // Requests on connections that are open already are served to the end of a stop.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    frameworkErrors: refuseBadPath(recordAnswer),
    clientErrorHandler: refuseUnreadable(logger),
  });
  // Node takes the shorter of the two for the head and the longer for the whole, whichever is which.
  app.server.headersTimeout = patience.requestTimeoutMs;
  cutOffStalledReaders(app.server, patience.stalledReaderMs);
  app.server.maxConnections = config.MAX_CONNECTIONS;
  app.setChildLoggerFactory((parent, bindings) => new RequestLogger(parent, bindings));
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isStopping()) reply.header('connection', 'close');
    done();
  });

  await app.register(activity, { recordAnswer });
  await app.register(errors);
  await app.register(oddHeads);
  await app.register(unknownRoutes, { maxParamLength: MAX_PARAMETER_LENGTH });
  await app.register(bodies);
  await app.register(securityHeaders, { allowedOrigins: config.CORS_ALLOWED_ORIGINS });
  await app.register(rateLimits, {
    metrics,
    windowSeconds: config.RATE_LIMIT_WINDOW_SEC,
    perCredential: config.RATE_LIMIT_PER_CREDENTIAL,
    perCaller: config.RATE_LIMIT_PER_CALLER,
    perReader: config.RATE_LIMIT_PER_CALLER,
    failedAuthentication: config.RATE_LIMIT_FAILED_AUTH,
  });
  await app.register(authentication, {
    credentials: container.credentials,
    isHeldBack: (request, credential) => app.isHeldBack(request, credential),
    onFailure: (request, reply) => app.limitFailedAuthentication(request, reply),
  });
  await app.register(documentation, { basePath: config.API_BASE_PATH, version: VERSION });
  await app.register(async (scope) => {
    await scope.register(healthRoutes, {
      clock,
      checkDatabase: () => reachTable(container.database),
      isStopping,
    });
    if (config.METRICS_PORT === undefined) await scope.register(metricsRoutes, { metrics });
    if (config.ROLE !== 'worker') await scope.register(api, { prefix: config.API_BASE_PATH, container });
  });
  return app;
}

/** `/metrics` alone, for a port of its own. */
export async function buildMetricsApp({ metrics, logger }: Container): Promise<FastifyInstance> {
  const recordAnswer = answerRecorder(metrics, logger);
  const app: FastifyInstance = Fastify({
    logger: false,
    schemaController: ZOD_SCHEMAS,
    requestTimeout: PATIENCE.requestTimeoutMs,
    http: { connectionsCheckingInterval: PATIENCE.checkIntervalMs, requireHostHeader: false },
    frameworkErrors: refuseBadPath(recordAnswer),
    clientErrorHandler: refuseUnreadable(logger),
  });
  app.server.headersTimeout = PATIENCE.requestTimeoutMs;
  cutOffStalledReaders(app.server, PATIENCE.stalledReaderMs);
  await app.register(activity, { recordAnswer });
  await app.register(errors);
  await app.register(oddHeads);
  await app.register(unknownRoutes, { maxParamLength: MAX_PARAMETER_LENGTH });
  await app.register(securityHeaders, { allowedOrigins: [] });
  await app.register(metricsRoutes, { metrics });
  return app;
}

/** Everything that needs a credential. */
async function api(scope: FastifyInstance, { container }: { container: Container }): Promise<void> {
  const { allocator, releaser, reader, listing, moves, removal, statistics, metrics, clock, config } =
    container;
  const deadlineMs = config.REQUEST_DEADLINE_MS;
  await scope.register(trackRoutes, { allocator, releaser, reader, metrics, clock, deadlineMs });
  await scope.register(
    async (admin: FastifyInstance) => {
      admin.addHook('onRequest', admin.authenticate);
      admin.addHook('onRequest', admin.limitRequests);
      admin.addHook('onRequest', admin.allowOnly('admin'));
      await admin.register(adminSandboxRoutes, {
        reader,
        listing,
        moves,
        removal,
        readEvents: (sandboxId: string, limit: number) => readEvents(container.database, sandboxId, limit),
        clock,
        deadlineMs,
      });
      await admin.register(adminStatisticsRoutes, { statistics, clock, deadlineMs });
      await admin.register(adminJobRoutes, {
        jobs: container.jobs,
        runner: container.runner,
        rows: container.jobRows,
        readNiosxaasRecords: (limit: number) => readNiosxaasRecords(container.database, clock, limit),
        clock,
        deadlineMs,
      });
    },
    { prefix: '/admin' },
  );
}

/** All that the framework says at the level info is that it listens, which `process.ts` says with the fields of a line. */
function ofFramework(logger: Logger): FastifyBaseLogger {
  return logger.child({}, { level: logger.isLevelEnabled('warn') ? 'warn' : logger.level });
}

/** Fastify has null validated where a request has no body; to a schema that is another thing. */
const validateWithZod: typeof validatorCompiler = (part) => {
  const validate = validatorCompiler(part);
  return part.httpPart === 'body' ? (body) => validate(body ?? undefined) : validate;
};

/**
 * Given here, not set later: else the framework loads a compiler of its own, which costs a tenth of a start. It is typed
 * for that one's schemas.
 */
const ZOD_SCHEMAS = {
  compilersFactory: { buildValidator: () => validateWithZod, buildSerializer: () => serializerCompiler },
} as unknown as NonNullable<FastifyServerOptions['schemaController']>;

/** A number of proxies, counted from the socket, or their addresses. */
function parseTrustProxy(text: string): string | ((address: string, hop: number) => boolean) {
  const count = Number(text);
  return Number.isInteger(count) ? (_address, hop) => hop < count : text;
}
