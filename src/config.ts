import { z } from 'zod';

/**
 * The environment of a process: the only reader of `process.env`. Every variable, its unit and its default
 * stand in this one schema; `.env.example` is made from it.
 */

const integer = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum));

const decimal = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'must be a number')
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum));

const secret = z
  .string()
  .min(8, 'must have at least 8 characters')
  .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces');

const url = z
  .url({ protocol: /^https?$/, error: 'must be an http or https address' })
  .transform((text) => text.replace(/\/+$/, ''));

const name = z.string().regex(/^[A-Za-z0-9_.-]{3,255}$/, 'must be 3 to 255 letters, digits, "_", "." or "-"');

/** A day, in seconds: no interval is sensible beyond it. */
const DAY = 86_400;

export const environmentSchema = z.object({
  BROKER_API_TOKEN: secret.describe('Token of the track routes. Required.'),
  BROKER_ADMIN_TOKEN: secret.describe(
    'Token of the admin routes, another one than BROKER_API_TOKEN. Required.',
  ),
  API_BASE_PATH: z
    .string()
    .regex(/^(\/[A-Za-z0-9_-]+)+$/, 'must be a path such as /v1')
    .default('/v1')
    .describe('Where the API begins.'),
  HOST: z.string().min(1).default('0.0.0.0').describe('Address to listen on.'),
  PORT: integer(0, 65_535).default(8080).describe('Port to listen on; 0 takes a free one.'),
  ROLE: z
    .enum(['all', 'api', 'worker'])
    .default('all')
    .describe(
      'What this process does: "api" answers requests, "worker" runs the jobs (and answers health and metrics), "all" does both.',
    ),

  DDB_TABLE_NAME: name.default('SandboxPool').describe('The table.'),
  DDB_GSI1_NAME: name.default('StatusIndex').describe('Its index by status.'),
  DDB_GSI2_NAME: name.default('TrackIndex').describe('Its index by caller.'),
  DDB_GSI3_NAME: name.default('IdempotencyIndex').describe('Its index by idempotency key.'),
  DDB_ENDPOINT_URL: url.optional().describe('Address of the database; AWS where it is not set.'),
  AWS_ACCESS_KEY_ID: z
    .string()
    .min(1)
    .optional()
    .describe('Read by the AWS SDK. With DDB_ENDPOINT_URL and without it, "local" signs the calls.'),
  AWS_REGION: z.string().min(1).default('us-east-1').describe('Region of the table.'),
  DDB_TIMEOUT_CONNECT_MS: integer(50, 60_000)
    .default(1_000)
    .describe('Milliseconds for a connection to the database.'),
  DDB_TIMEOUT_REQUEST_MS: integer(50, 60_000)
    .default(3_000)
    .describe('Milliseconds for one call to the database.'),
  DDB_MAX_SOCKETS: integer(1, 1_000).default(64).describe('Connections to the database.'),
  REQUEST_DEADLINE_MS: integer(100, 60_000)
    .default(10_000)
    .describe('Milliseconds after which a track request is answered 503 if the database has not settled it.'),
  STATUS_SHARDS: integer(1, 100)
    .default(1)
    .describe(
      'Parts into which the status index is split, for pools that allocate more than about 1,000 a second. May be raised on a live table, never lowered.',
    ),

  LAB_DURATION_HOURS: decimal(0.01, 720)
    .default(4)
    .describe('Hours that a lab lasts; written into each allocation.'),
  GRACE_PERIOD_MINUTES: decimal(0, 10_080)
    .default(30)
    .describe('Minutes after the lab until expiry takes the sandbox back.'),

  K_CANDIDATES: integer(1, 100)
    .default(15)
    .describe('Candidates that one refill asks for at least, and races that one request may lose.'),
  BACKOFF_BASE_MS: integer(1, 10_000)
    .default(100)
    .describe('Milliseconds of the first wait after a conflict or throttling.'),
  BACKOFF_MAX_MS: integer(1, 60_000).default(5_000).describe('Milliseconds of the longest such wait.'),
  COMMIT_MAX_IN_FLIGHT: integer(1, 64)
    .default(2)
    .describe('Grouped transactions under way at once in one process.'),
  COMMIT_MAX_BATCH: integer(1, 50).default(50).describe('Allocations that share one transaction.'),

  RATE_LIMIT_WINDOW_SEC: integer(1, 3_600).default(60).describe('Seconds over which requests are counted.'),
  RATE_LIMIT_PER_CREDENTIAL: integer(1, 100_000_000)
    .default(60_000)
    .describe('Requests in a window from one credential and address.'),
  RATE_LIMIT_PER_CALLER: integer(1, 100_000_000)
    .default(120)
    .describe('Requests in a window with one caller id, from one credential and address.'),
  RATE_LIMIT_FAILED_AUTH: integer(1, 100_000_000)
    .default(30)
    .describe('Failed authentications in a window from one address, after which they are answered 429.'),
  TRUST_PROXY: z
    .string()
    .regex(/^(\d+|[0-9A-Fa-f:./,]+)$/, 'must be a number of proxies or a list of addresses')
    .optional()
    .describe(
      'How many proxies stand in front (1 behind a load balancer), or their addresses; unset: X-Forwarded-For is not believed.',
    ),
  CORS_ALLOWED_ORIGINS: z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((origin) => origin.trim())
        .filter((origin) => origin !== ''),
    )
    .pipe(
      z.array(
        z.url({ protocol: /^https?$/, error: 'must be a list of origins such as https://labs.example' }),
      ),
    )
    .default([])
    .describe('Origins that a browser may call from, separated by commas; none by default.'),

  STATISTICS_INTERVAL_SEC: integer(1, DAY).default(30).describe('Seconds between two counts of the pool.'),

  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('What is logged.'),
  LOG_FORMAT: z.enum(['json', 'text']).default('json').describe('"json" for machines, "text" for people.'),
  SHUTDOWN_DELAY_MS: integer(0, 110_000)
    .default(0)
    .describe('Milliseconds between failing /readyz and closing, for a load balancer to notice.'),
  SHUTDOWN_TIMEOUT_MS: integer(100, 120_000)
    .default(25_000)
    .describe('Milliseconds in which a stop ends, whatever is still in flight.'),
});

export type Config = Readonly<z.output<typeof environmentSchema>>;

/** Names every bad variable at once; holds no value of one, as it may be a secret. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** What commands need that work on the table alone: everything but the tokens of the API. */
export type TableConfig = Omit<Config, 'BROKER_API_TOKEN' | 'BROKER_ADMIN_TOKEN'>;

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws ConfigError naming each variable that is missing or wrong */
export function readConfig(environment: Environment): Config {
  const config = read(environmentSchema, environment);
  if (config.BROKER_API_TOKEN === config.BROKER_ADMIN_TOKEN) {
    throw new ConfigError(['BROKER_ADMIN_TOKEN must differ from BROKER_API_TOKEN']);
  }
  if (config.BACKOFF_MAX_MS < config.BACKOFF_BASE_MS) {
    throw new ConfigError(['BACKOFF_MAX_MS must not be below BACKOFF_BASE_MS']);
  }
  return config;
}

/** @throws ConfigError naming each variable that is missing or wrong */
export function readTableConfig(environment: Environment): TableConfig {
  return read(environmentSchema.omit({ BROKER_API_TOKEN: true, BROKER_ADMIN_TOKEN: true }), environment);
}

/** An empty variable counts as one that is not set: compose files and task definitions write it so. */
function read<Output>(schema: z.ZodType<Output>, environment: Environment): Output {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  throw new ConfigError(
    result.error.issues.map((issue) => {
      const variable = String(issue.path[0]);
      return `${variable} ${given[variable] === undefined ? 'is not set' : issue.message}`;
    }),
  );
}
