import { describe, expect, test } from 'vitest';
import { ConfigError, environmentSchema, readCommandConfig, readConfig } from '../../src/config.ts';

const TOKENS = { BROKER_API_TOKEN: 'track-token', BROKER_ADMIN_TOKEN: 'admin-token' };

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('Defaults are those of the contract:', () => {
  test.each([
    ['API_BASE_PATH', '/v1'],
    ['PORT', 8080],
    ['DDB_TABLE_NAME', 'SandboxPool'],
    ['DDB_GSI1_NAME', 'StatusIndex'],
    ['DDB_GSI2_NAME', 'TrackIndex'],
    ['DDB_GSI3_NAME', 'IdempotencyIndex'],
    ['DDB_ENDPOINT_URL', undefined],
    ['LAB_DURATION_HOURS', 4],
    ['GRACE_PERIOD_MINUTES', 30],
    ['SYNC_INTERVAL_SEC', 600],
    ['CLEANUP_INTERVAL_SEC', 300],
    ['AUTO_EXPIRY_INTERVAL_SEC', 300],
    ['CLEANUP_BATCH_SIZE', 10],
    ['CLEANUP_BATCH_DELAY_SEC', 2],
    ['CLEANUP_PER_SANDBOX_DELAY_SEC', 0],
    ['CSP_TIMEOUT_CONNECT_SEC', 5],
    ['CSP_TIMEOUT_READ_SEC', 15],
    ['K_CANDIDATES', 15],
    ['BACKOFF_BASE_MS', 100],
    ['BACKOFF_MAX_MS', 5000],
    ['DELETION_RETRY_MAX_ATTEMPTS', 3],
    ['CIRCUIT_BREAKER_THRESHOLD', 5],
    ['CIRCUIT_BREAKER_TIMEOUT_SEC', 60],
    ['LOG_FORMAT', 'json'],
    ['CORS_ALLOWED_ORIGINS', []],
    ['NIOSXAAS_ENABLED', false],
    ['NIOSXAAS_TIMEOUT_SEC', 30],
    ['NIOSXAAS_SHADOW_MODE', true],
    ['ROLE', 'all'],
    ['STATUS_SHARDS', 1],
  ] as const)('%s is %j', (variable, value) => {
    expect(readConfig(TOKENS)[variable]).toEqual(value);
  });
});

test.each(Object.keys(environmentSchema.shape))('%s says what it is for', (variable) => {
  const schema = environmentSchema.shape[variable as keyof typeof environmentSchema.shape];
  expect(schema.description).toMatch(/\w{3,}.*\.$/s);
});

describe('A bad value is named:', () => {
  test.each([
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['PORT', '80.5'],
    ['PORT', '8080 '],
    ['PORT', 'http'],
    ['BROKER_API_TOKEN', 'short'],
    ['BROKER_API_TOKEN', 'with a space'],
    ['BROKER_ADMIN_TOKEN', 'tök-en-with-umlaut'],
    ['API_BASE_PATH', 'v1'],
    ['API_BASE_PATH', '/v1/'],
    ['API_BASE_PATH', '/'],
    ['ROLE', 'everything'],
    ['DDB_TABLE_NAME', 'a b'],
    ['DDB_ENDPOINT_URL', 'localhost:8000'],
    ['DDB_ENDPOINT_URL', 'ftp://localhost'],
    ['LAB_DURATION_HOURS', '0'],
    ['LAB_DURATION_HOURS', 'four'],
    ['STATUS_SHARDS', '0'],
    ['COMMIT_MAX_BATCH', '51'],
    ['LOG_FORMAT', 'xml'],
    ['LOG_LEVEL', 'loud'],
    ['CORS_ALLOWED_ORIGINS', '*'],
    ['CORS_ALLOWED_ORIGINS', 'labs.example'],
    ['CORS_ALLOWED_ORIGINS', 'https://labs.example/'],
    ['CORS_ALLOWED_ORIGINS', 'https://labs.example/path'],
    ['CORS_ALLOWED_ORIGINS', 'https://good.example,bad'],
    ['TRUST_PROXY', 'yes'],
    ['TRUST_PROXY', '...'],
    ['TRUST_PROXY', '300.1.1.1'],
    ['TRUST_PROXY', '1.5'],
    ['TRUST_PROXY', '10.0.0.0/33'],
    ['TRUST_PROXY', '0.0.0.0/0'],
    ['TRUST_PROXY', '::/0'],
    ['TRUST_PROXY', '10.0.0.0/00'],
    ['TRUST_PROXY', '10.0.0.0/08'],
    ['TRUST_PROXY', '10.0.0.0/'],
    ['TRUST_PROXY', '10.0.0.1,::/0'],
    ['TRUST_PROXY', 'fe80::1%eth-0'],
    ['TRUST_PROXY', 'fe80::/10%eth0'],
    ['TRUST_PROXY', '10.0.0.1,'],
    ['NIOSXAAS_ENABLED', '1'],
  ])('%s=%s', (variable, value) => {
    const problems = problemsOf({ ...TOKENS, [variable]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${variable} `));
  });

  test.each(['BROKER_API_TOKEN', 'BROKER_ADMIN_TOKEN'])('%s is missing', (variable) => {
    const problems = problemsOf({ ...TOKENS, [variable]: '' });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${variable} is not set`));
  });
});

test('One message names every bad variable, those that only contradict each other too, each once', () => {
  const problems = problemsOf({
    BROKER_API_TOKEN: 'one-and-the-same',
    BROKER_ADMIN_TOKEN: 'one-and-the-same',
    PORT: 'x',
    STATUS_SHARDS: '101',
    CORS_ALLOWED_ORIGINS: 'a,b,c',
    BACKOFF_BASE_MS: '200',
    BACKOFF_MAX_MS: '100',
    NIOSXAAS_ENABLED: 'true',
  });
  expect(problems.map((problem) => problem.split(' ')[0])).toEqual([
    'PORT',
    'STATUS_SHARDS',
    'CORS_ALLOWED_ORIGINS',
    'BROKER_ADMIN_TOKEN',
    'BACKOFF_MAX_MS',
    'NIOSXAAS_EMAIL',
    'NIOSXAAS_PASSWORD',
  ]);
});

test('The message holds no value of a variable, as it may be a secret', () => {
  const values = {
    ...TOKENS,
    BROKER_API_TOKEN: 'p@ss wörd',
    PORT: 'hunter2',
    CORS_ALLOWED_ORIGINS: 'hunter3',
  };
  try {
    readConfig(values);
    expect.unreachable();
  } catch (error) {
    const { message } = error as Error;
    for (const value of Object.values(values)) expect(message).not.toContain(value);
  }
});

test('An empty variable is one that is not set', () => {
  const empty = Object.fromEntries(Object.keys(environmentSchema.shape).map((variable) => [variable, '']));
  expect(readConfig({ ...empty, ...TOKENS })).toEqual(readConfig(TOKENS));
});

test('Variables of others in the environment are none of its business', () => {
  expect(readConfig({ ...TOKENS, HOME: '/root', NODE_OPTIONS: '' })).toEqual(readConfig(TOKENS));
});

test('Commands on the table or a job need no tokens of the API', () => {
  expect(readCommandConfig({ DDB_TABLE_NAME: 'Pool' })).toMatchObject({
    DDB_TABLE_NAME: 'Pool',
    STATUS_SHARDS: 1,
  });
  expect(() => readCommandConfig({ STATUS_SHARDS: 'x' })).toThrow(/STATUS_SHARDS/);
});

test('Origins are taken apart at commas, and addresses lose the slash at their end', () => {
  const config = readConfig({
    ...TOKENS,
    CORS_ALLOWED_ORIGINS: ' https://a.example , http://127.0.0.1:3000,',
    DDB_ENDPOINT_URL: 'http://127.0.0.1:8000/',
  });
  expect(config.CORS_ALLOWED_ORIGINS).toEqual(['https://a.example', 'http://127.0.0.1:3000']);
  expect(config.DDB_ENDPOINT_URL).toBe('http://127.0.0.1:8000');
});

test.each([
  '0',
  '2',
  '10.0.0.1',
  '10.0.0.0/8,2001:db8::/32',
  '::1',
  '128.0.0.0/1,10.0.0.1/32,::1/128',
  'fe80::1%eth0',
])('TRUST_PROXY=%s is taken', (value) => {
  expect(readConfig({ ...TOKENS, TRUST_PROXY: value }).TRUST_PROXY).toBe(value);
});

test('The metrics have another port than the API, or each takes a free one', () => {
  expect(problemsOf({ ...TOKENS, PORT: '8080', METRICS_PORT: '8080' })).toEqual([
    'METRICS_PORT must differ from PORT',
  ]);
  expect(readConfig({ ...TOKENS, PORT: '0', METRICS_PORT: '0' })).toMatchObject({ PORT: 0, METRICS_PORT: 0 });
});

test.each([
  { SHUTDOWN_DELAY_MS: '25000' },
  { SHUTDOWN_DELAY_MS: '400', SHUTDOWN_TIMEOUT_MS: '400' },
  { SHUTDOWN_DELAY_MS: '5000', SHUTDOWN_TIMEOUT_MS: '4000' },
])('A stop has time left after its delay: %o is refused', (variables) => {
  expect(problemsOf({ ...TOKENS, ...variables })).toEqual([
    'SHUTDOWN_DELAY_MS must be below SHUTDOWN_TIMEOUT_MS',
  ]);
});

test('A stop may have no delay, or one that leaves time', () => {
  expect(problemsOf({ ...TOKENS, SHUTDOWN_TIMEOUT_MS: '100' })).toEqual([]);
  expect(problemsOf({ ...TOKENS, SHUTDOWN_DELAY_MS: '24999' })).toEqual([]);
});
