import { isIP } from 'node:net';
import { z } from 'zod';
import { parseTokens, tokenSchema } from './credentials/secret-text.ts';

/**
 * The environment of a process, which nobody else interprets. Every variable, its unit and its default stand in
 * this one schema; `.env.example` is made from it.
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

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

const secret = tokenSchema;

/** One token, or a JSON object of tokens by name. */
const tokens = z.string().check((context) => {
  try {
    parseTokens(context.value, 'token');
  } catch (error) {
    context.issues.push({ code: 'custom', message: (error as Error).message, input: '' });
  }
});

const secretId = z.string().regex(/^[A-Za-z0-9/_+=.@:-]{1,2048}$/, 'must be the name or ARN of a secret');

const list = <Item extends z.ZodType<string, string>>(item: Item) =>
  z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((each) => each.trim())
        .filter((each) => each !== ''),
    )
    .pipe(z.array(item));

const url = z
  .url({ protocol: /^https?$/, error: 'must be an http or https address' })
  .transform((text) => text.replace(/\/+$/, ''));

/** As a browser sends it: a scheme, a host, a port that is not the usual one, and nothing else. */
function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/**
 * A number of hops, or addresses and networks such as 10.0.0.0/8, separated by commas: what the framework will take. A
 * network of 0 bits would be everybody.
 */
function namesProxies(text: string): boolean {
  if (/^\d{1,3}$/.test(text)) return true;
  return text.split(',').every((each) => {
    const [address = '', bits, ...rest] = each.split('/');
    const version = isIP(address);
    if (version === 0 || rest.length > 0 || /%.*[^0-9a-z]/i.test(address)) return false;
    return bits === undefined || (/^[1-9]\d{0,2}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
  });
}

const name = z.string().regex(/^[A-Za-z0-9_.-]{3,255}$/, 'must be 3 to 255 letters, digits, "_", "." or "-"');

/** A day, in seconds: no interval is sensible beyond it. */
const DAY = 86_400;

export const environmentSchema = z.object({
  BROKER_API_TOKEN: tokens
    .optional()
    .describe('Token of the track routes, or several by name: {"team-a": "...", "team-b": "..."}.'),
  BROKER_ADMIN_TOKEN: tokens
    .optional()
    .describe('Token of the admin routes, or several by name; none of them a track token.'),
  BROKER_API_TOKEN_SECRET_ID: secretId
    .optional()
    .describe(
      'Name or ARN of a secret of AWS Secrets Manager that holds the same; it is read again while the broker runs.',
    ),
  BROKER_ADMIN_TOKEN_SECRET_ID: secretId.optional().describe('The same for the admin routes.'),
  SECRETS_REFRESH_SEC: integer(10, DAY)
    .default(300)
    .describe('Seconds between two readings of the secrets, about.'),
  SECRETS_ENDPOINT_URL: url.optional().describe('Address of another Secrets Manager than that of AWS.'),
  COGNITO_ISSUER_URL: url
    .optional()
    .describe(
      'Issuer of access tokens (https://cognito-idp.<region>.amazonaws.com/<user pool id>); unset: none are taken.',
    ),
  COGNITO_KEYS_URL: url.optional().describe("Where the issuer's keys are; below the issuer by default."),
  COGNITO_CLIENT_IDS: list(z.string().regex(/^[\x21-\x7e]{1,128}$/, 'must be a list of client ids'))
    .default([])
    .describe(
      'Clients whose access tokens are taken, separated by commas; required with COGNITO_ISSUER_URL.',
    ),
  COGNITO_SCOPE_PREFIX: z
    .string()
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'must be the identifier of a resource server')
    .default('sandbox-broker')
    .describe('Scopes are <prefix>/allocate for the track routes and <prefix>/admin for the admin routes.'),
  API_BASE_PATH: z
    .string()
    .regex(/^(\/[A-Za-z0-9_-]+)+$/, 'must be a path such as /v1')
    .default('/v1')
    .describe('Where the API begins.'),
  HOST: z.string().min(1).default('0.0.0.0').describe('Address to listen on.'),
  METRICS_PORT: integer(0, 65_535)
    .optional()
    .describe('Port of its own for /metrics, which then is on no other; 0 takes a free one.'),
  PORT: integer(0, 65_535).default(8080).describe('Port to listen on; 0 takes a free one.'),
  MAX_CONNECTIONS: integer(1, 1_000_000)
    .default(10_000)
    .describe('Connections of clients at once; those beyond are closed unheard.'),
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
    .describe('Milliseconds after which a request is answered 503 if the database has not settled it.'),
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
    .describe(
      'Requests in a window with one caller id, from one credential and address; and for the documentation, from one address.',
    ),
  RATE_LIMIT_FAILED_AUTH: integer(1, 100_000_000)
    .default(30)
    .describe(
      'Failed authentications in a window from one address, after which they are answered 429, and so is a credential that is new there.',
    ),
  TRUST_PROXY: z
    .string()
    .refine(namesProxies, { error: 'must be a number of proxies or a list of addresses and networks' })
    .optional()
    .describe(
      'How many proxies stand in front (1 behind a load balancer), or their addresses; unset: X-Forwarded-For is not believed.',
    ),
  CORS_ALLOWED_ORIGINS: list(
    z
      .string()
      .refine(isOrigin, { error: 'must be a list of origins such as https://labs.example, without a path' }),
  )
    .default([])
    .describe('Origins that a browser may call from, separated by commas; none by default.'),

  CSP_BASE_URL: url.default('https://csp.infoblox.com/v2').describe('Where the provider is.'),
  CSP_API_TOKEN: secret
    .optional()
    .describe('Token of the tenant that owns the sandboxes; without it sync and cleanup cannot run.'),
  CSP_API_TOKEN_SECRET_ID: secretId.optional().describe('Name or ARN of a secret that holds it instead.'),
  CSP_TIMEOUT_CONNECT_SEC: decimal(0.05, 120)
    .default(5)
    .describe('Seconds for a connection to the provider.'),
  CSP_TIMEOUT_READ_SEC: decimal(0.05, 600)
    .default(15)
    .describe("Seconds beyond that for the provider's whole answer; a deletion takes 5 to 10."),
  CIRCUIT_BREAKER_THRESHOLD: integer(1, 1_000)
    .default(5)
    .describe('Failures in a row after which the provider is left alone.'),
  CIRCUIT_BREAKER_TIMEOUT_SEC: integer(1, DAY).default(60).describe('Seconds until one call tries again.'),

  SYNC_INTERVAL_SEC: integer(1, DAY)
    .default(600)
    .describe('Seconds between two comparisons with the provider.'),
  SYNC_MAX_STALE_PERCENT: decimal(0, 100)
    .default(20)
    .describe('Percent of the available sandboxes that one listing may make stale; more is not believed.'),
  CLEANUP_INTERVAL_SEC: integer(1, DAY).default(300).describe('Seconds between two runs of deletions.'),
  CLEANUP_BATCH_SIZE: integer(1, 1_000).default(10).describe('Deletions between two pauses.'),
  CLEANUP_BATCH_DELAY_SEC: decimal(0, 3_600).default(2).describe('Seconds of such a pause.'),
  CLEANUP_PER_SANDBOX_DELAY_SEC: decimal(0, 3_600)
    .default(0)
    .describe('Seconds after each deletion; with any, deletions go one by one.'),
  CLEANUP_CONCURRENCY: integer(1, 100).default(4).describe('Deletions under way at once.'),
  CLEANUP_MAX_DELETIONS: integer(1, 1_000_000)
    .default(5_000)
    .describe('Deletions in one window at most, a brake on mistakes; a metric tells when it holds.'),
  CLEANUP_WINDOW_SEC: integer(60, DAY).default(3_600).describe('Seconds of that window.'),
  DELETION_RETRY_MAX_ATTEMPTS: integer(1, 100)
    .default(3)
    .describe('Failed attempts after which a deletion is given up, for an operator to see.'),
  AUTO_EXPIRY_INTERVAL_SEC: integer(1, DAY)
    .default(300)
    .describe('Seconds between two searches for expired allocations.'),
  STALE_INTERVAL_SEC: integer(1, DAY).default(3_600).describe('Seconds between two removals of stale rows.'),
  STALE_GRACE_PERIOD_HOURS: decimal(0, 8_760)
    .default(24)
    .describe('Hours that a row stays stale before it is removed, if a sync then still finds it missing.'),
  JOB_LEASE_SEC: integer(3, 3_600)
    .default(30)
    .describe('Seconds without a sign of life after which another process takes a job over.'),

  NIOSXAAS_ENABLED: flag
    .default(false)
    .describe("Remove a tenant's NIOS-X-as-a-Service services before it is deleted."),
  NIOSXAAS_SHADOW_MODE: flag.default(true).describe('Only log what would be removed.'),
  NIOSXAAS_BASE_URL: url.default('https://csp.infoblox.com').describe('Where its API is.'),
  NIOSXAAS_EMAIL: z.string().min(1).optional().describe('Who signs in; required when enabled.'),
  NIOSXAAS_PASSWORD: z.string().min(1).optional().describe('The password; required when enabled.'),
  NIOSXAAS_PASSWORD_SECRET_ID: secretId
    .optional()
    .describe('Name or ARN of a secret that holds the password instead.'),
  NIOSXAAS_SERVICE_NAME: z
    .string()
    .default('')
    .describe('Name of the services to remove; all where it is empty.'),
  NIOSXAAS_TIMEOUT_SEC: decimal(0.05, 600).default(30).describe('Seconds for one call.'),

  STATISTICS_INTERVAL_SEC: integer(1, DAY).default(30).describe('Seconds between two counts of the pool.'),

  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('What is logged.'),
  LOG_FORMAT: z.enum(['json', 'text']).default('json').describe('"json" for machines, "text" for people.'),
  SHUTDOWN_DELAY_MS: integer(0, 110_000)
    .default(0)
    .describe(
      'Milliseconds between failing /readyz and closing, for a load balancer to notice; part of SHUTDOWN_TIMEOUT_MS.',
    ),
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

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws ConfigError naming each variable that is missing or wrong */
export function readConfig(environment: Environment): Config {
  return read(environmentSchema, environment, conflicts);
}

/** What is wrong between variables that are each good by themselves; those that are not are left out. */
function conflicts(config: Partial<Config>): string[] {
  const problems: string[] = [];
  const { BACKOFF_BASE_MS, BACKOFF_MAX_MS, SHUTDOWN_DELAY_MS, SHUTDOWN_TIMEOUT_MS } = config;
  if (config.METRICS_PORT !== undefined && config.METRICS_PORT !== 0 && config.METRICS_PORT === config.PORT)
    problems.push('METRICS_PORT must differ from PORT');
  for (const variable of ['BROKER_API_TOKEN', 'BROKER_ADMIN_TOKEN'] as const) {
    if (!(variable in config) || !(`${variable}_SECRET_ID` in config)) continue;
    const isGiven = config[variable] !== undefined || config[`${variable}_SECRET_ID`] !== undefined;
    if (!isGiven && config.COGNITO_ISSUER_URL === undefined) {
      problems.push(`${variable} is not set, nor ${variable}_SECRET_ID or COGNITO_ISSUER_URL`);
    }
  }
  if (sharesToken(config)) problems.push('BROKER_ADMIN_TOKEN must differ from BROKER_API_TOKEN');
  if (config.COGNITO_ISSUER_URL !== undefined && config.COGNITO_CLIENT_IDS?.length === 0) {
    problems.push('COGNITO_CLIENT_IDS is not set, and COGNITO_ISSUER_URL needs it');
  }
  if (BACKOFF_BASE_MS !== undefined && BACKOFF_MAX_MS !== undefined && BACKOFF_MAX_MS < BACKOFF_BASE_MS)
    problems.push('BACKOFF_MAX_MS must not be below BACKOFF_BASE_MS');
  if (config.NIOSXAAS_ENABLED) {
    if (config.NIOSXAAS_EMAIL === undefined)
      problems.push('NIOSXAAS_EMAIL is not set, and NIOSXAAS_ENABLED needs it');
    if (config.NIOSXAAS_PASSWORD === undefined && config.NIOSXAAS_PASSWORD_SECRET_ID === undefined) {
      problems.push(
        'NIOSXAAS_PASSWORD is not set (nor NIOSXAAS_PASSWORD_SECRET_ID), and NIOSXAAS_ENABLED needs it',
      );
    }
  }
  // Else the stop ends before the port is closed, and what is in flight is dropped.
  if (
    SHUTDOWN_DELAY_MS !== undefined &&
    SHUTDOWN_TIMEOUT_MS !== undefined &&
    SHUTDOWN_DELAY_MS >= SHUTDOWN_TIMEOUT_MS
  )
    problems.push('SHUTDOWN_DELAY_MS must be below SHUTDOWN_TIMEOUT_MS');
  return problems;
}

/**
 * The configuration of a command that works on the table or runs a job, and so needs no tokens of the API.
 *
 * @throws ConfigError naming each variable that is wrong
 */
export function readCommandConfig(environment: Environment): Config {
  return read(environmentSchema, environment);
}

function sharesToken({ BROKER_API_TOKEN: track, BROKER_ADMIN_TOKEN: admin }: Partial<Config>): boolean {
  if (track === undefined || admin === undefined) return false;
  const trackTokens = new Set(parseTokens(track, 'track').values());
  return [...parseTokens(admin, 'admin').values()].some((token) => trackTokens.has(token));
}

/** An empty variable counts as one that is not set: compose files and task definitions write it so. */
function read<Shape extends z.core.$ZodLooseShape>(
  schema: z.ZodObject<Shape>,
  environment: Environment,
  conflictsOf: (good: Partial<z.output<z.ZodObject<Shape>>>) => string[] = () => [],
): z.output<z.ZodObject<Shape>> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const result = schema.safeParse(given);
  const problems = (result.error?.issues ?? []).map((issue) => {
    const variable = String(issue.path[0]);
    return { variable, text: `${variable} ${given[variable] === undefined ? 'is not set' : issue.message}` };
  });
  const bad = new Set(problems.map(({ variable }) => variable));
  const good = Object.fromEntries(
    Object.entries(schema.shape)
      .filter(([variable]) => !bad.has(variable))
      .map(([variable, each]) => [variable, z.parse(each, given[variable])]),
  );
  const all = [
    ...problems.map(({ text }) => text),
    ...conflictsOf(good as Partial<z.output<z.ZodObject<Shape>>>),
  ];
  if (all.length > 0) throw new ConfigError([...new Set(all)]);
  return result.data as z.output<z.ZodObject<Shape>>;
}
