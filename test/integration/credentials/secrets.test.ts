import { expect, test } from 'vitest';
import { brokerOfTest, type TestBroker } from '../../support/broker.ts';
import { call } from '../../support/client.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { type SecretsManagerServer, secretsManagerOfTest } from '../../support/secrets-manager.ts';
import { tableOfTest } from '../../support/table.ts';

const TRACK = 'broker/track-tokens';
const ADMIN = 'broker/admin-tokens';

interface World {
  readonly secrets: SecretsManagerServer;
  readonly clock: ManualClock;
  readonly start: () => Promise<TestBroker>;
  readonly environment: Record<string, string>;
}

async function world(limits: Record<string, string> = {}): Promise<World> {
  const secrets = await secretsManagerOfTest();
  secrets.rotate(TRACK, 'first-track-token');
  secrets.rotate(ADMIN, 'first-admin-token');
  const table = await tableOfTest();
  await table.seed(20);
  const environment = {
    ...table.environment,
    BROKER_API_TOKEN: '',
    BROKER_ADMIN_TOKEN: '',
    BROKER_API_TOKEN_SECRET_ID: TRACK,
    BROKER_ADMIN_TOKEN_SECRET_ID: ADMIN,
    SECRETS_ENDPOINT_URL: secrets.url,
    RATE_LIMIT_FAILED_AUTH: '1000',
    ...limits,
  };
  const clock = new ManualClock();
  return { secrets, clock, environment, start: () => brokerOfTest(environment, { clock }) };
}

/** The status of an allocation with this token: 201 or 200 when it is good, 401 when it is not. */
async function statusWith(broker: TestBroker, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'x-track-id': 'student' };
  return (await call('POST', `${broker.url}/v1/allocate`, headers)).status;
}

test('tokens are read from their secrets at the start', async () => {
  const { start } = await world();
  const broker = await start();
  expect(await statusWith(broker, 'first-track-token')).toBe(201);
  expect(await adminStatusWith(broker, 'first-admin-token')).toBe(200);
});

test('a secret that cannot be read stops the start with its name and without its text', async () => {
  const { secrets, start } = await world();
  secrets.failWith(500);
  await expect(start()).rejects.toThrow(/The secret broker\/(track|admin)-tokens cannot be used/);
});

test('a secret that holds no usable token stops the start and is not repeated', async () => {
  const { secrets, start } = await world();
  secrets.rotate(TRACK, 'short');
  const failure = await start().then(
    () => undefined,
    (error: Error) => error,
  );
  expect(failure?.message).toContain(TRACK);
  expect(failure?.message).not.toContain('short');
});

test('during a rotation both the current and the previous token are good, afterwards only the current one', async () => {
  const { secrets, clock, start } = await world();
  const broker = await start();
  secrets.rotate(TRACK, 'second-track-token');
  await reloaded(broker, clock);
  expect(await statusWith(broker, 'second-track-token')).toBe(201);
  expect(await statusWith(broker, 'first-track-token')).toBe(200);
  secrets.forgetPrevious(TRACK);
  await reloaded(broker, clock);
  expect(await statusWith(broker, 'second-track-token')).toBe(200);
  expect(await statusWith(broker, 'first-track-token')).toBe(401);
});

test('a new token of a credential that was there before is not held back where tokens are guessed', async () => {
  const { secrets, clock, start } = await world({ RATE_LIMIT_FAILED_AUTH: '2' });
  const broker = await start();
  expect(await statusWith(broker, 'first-track-token')).toBe(201);
  for (const status of [401, 401, 429, 429]) expect(await statusWith(broker, 'guessed-token')).toBe(status);
  secrets.rotate(TRACK, 'second-track-token');
  await clock.advance(10_000);
  expect(await statusWith(broker, 'second-track-token')).toBe(200);
  expect(await adminStatusWith(broker, 'first-admin-token')).toBe(429);
});

test('a token that is unknown yet is looked up at once, and guesses do not become calls', async () => {
  const { secrets, clock, start } = await world();
  const broker = await start();
  secrets.rotate(TRACK, 'second-track-token');
  await clock.advance(10_000);
  expect(await statusWith(broker, 'second-track-token')).toBe(201);
  const before = secrets.reads.length;
  for (let guess = 0; guess < 50; guess += 1)
    expect(await statusWith(broker, `guessed-token-${guess}`)).toBe(401);
  expect(secrets.reads.length).toBe(before);
});

test.each<[string, (secrets: SecretsManagerServer) => void]>([
  ['answers 500', (secrets) => secrets.failWith(500)],
  ['refuses connections', (secrets) => secrets.stop()],
])('a Secrets Manager that %s after the start changes nothing', async (_, breakDown) => {
  const { secrets, clock, start } = await world();
  const broker = await start();
  breakDown(secrets);
  await clock.advance(10_000);
  expect(await statusWith(broker, 'some-unknown-token')).toBe(401);
  expect(await statusWith(broker, 'first-track-token')).toBe(201);
  expect(broker.log.some((line) => line.includes('reload_secret'))).toBe(true);
  expect(broker.log.join('')).not.toContain('first-track-token');
});

test('a Secrets Manager that does not answer keeps nobody waiting whose token is known, or known to another secret', async () => {
  const { secrets, clock, start } = await world();
  const broker = await start();
  secrets.hang(TRACK);
  await clock.advance(10_000);
  secrets.rotate(ADMIN, 'second-admin-token');
  // Both are refused after the token was known, and before the database is asked: that may take longer than the call.
  const authorized = (token: string) => ({ authorization: `Bearer ${token}`, 'x-track-id': 'not an id' });
  const listing = `${broker.url}/v1/admin/sandboxes?limit=0`;
  expect((await call('GET', listing, authorized('second-admin-token'))).status).toBe(400);
  const allocation = await call('POST', `${broker.url}/v1/allocate`, authorized('first-track-token'));
  expect(allocation.status).toBe(400);
  // Had either been waited for, the call would have ended by now.
  expect(secrets.waiting()).toBe(1);
});

test('a token that one secret knows is not looked for in the other', async () => {
  const { secrets, clock, start } = await world();
  const broker = await start();
  const before = secrets.reads.length;
  await clock.advance(10_000);
  expect(await adminStatusWith(broker, 'first-admin-token')).toBe(200);
  expect(secrets.reads.length).toBe(before);
  secrets.rotate(TRACK, 'second-track-token');
  expect(await statusWith(broker, 'second-track-token')).toBe(201);
});

test('a token that leaked is good no more once its new value has been written twice', async () => {
  const { secrets, clock, start } = await world();
  const broker = await start();
  secrets.rotate(TRACK, 'second-track-token');
  secrets.rotate(TRACK, 'second-track-token');
  await reloaded(broker, clock);
  expect(await statusWith(broker, 'second-track-token')).toBe(201);
  expect(await statusWith(broker, 'first-track-token')).toBe(401);
});

test('a rotation from one token to several named ones keeps the one good, and one of a name keeps its name', async () => {
  const { secrets, clock, start } = await world();
  const broker = await start();
  secrets.rotate(TRACK, JSON.stringify({ 'team-a': 'token-of-team-a' }));
  await reloaded(broker, clock);
  expect(await statusWith(broker, 'token-of-team-a')).toBe(201);
  expect(await statusWith(broker, 'first-track-token')).toBe(200);
  secrets.rotate(TRACK, JSON.stringify({ 'team-a': 'second-token-of-team-a' }));
  await reloaded(broker, clock);
  expect(await statusWith(broker, 'second-token-of-team-a')).toBe(200);
  expect(await statusWith(broker, 'token-of-team-a')).toBe(200);
  expect(await statusWith(broker, 'first-track-token')).toBe(401);
});

test('two names with one token stop the start: neither could be revoked alone', async () => {
  const { secrets, start } = await world();
  secrets.rotate(TRACK, JSON.stringify({ 'team-a': 'token-of-both', 'team-b': 'token-of-both' }));
  await expect(start()).rejects.toThrow('two names have the same token');
});

test.each<[string, (world: World) => void]>([
  ['two secrets', ({ secrets }) => secrets.rotate(ADMIN, JSON.stringify({ boss: 'first-track-token' }))],
  [
    'the environment and a secret',
    ({ secrets, environment }) => {
      environment.BROKER_API_TOKEN = 'shared-token-of-a-test';
      secrets.rotate(ADMIN, JSON.stringify({ boss: 'shared-token-of-a-test' }));
    },
  ],
])(
  'a token that %s have for both kinds opens track routes alone, and the log names it without its value',
  async (_, share) => {
    const given = await world();
    share(given);
    const broker = await given.start();
    const token = given.environment.BROKER_API_TOKEN || 'first-track-token';
    for (let each = 0; each < 3; each += 1) expect(await adminStatusWith(broker, token)).toBe(403);
    expect(await statusWith(broker, token)).toBe(201);
    const errors = broker.log
      .map((line) => JSON.parse(line))
      .filter(({ outcome }) => outcome === 'shared_token');
    expect(errors).toEqual([
      expect.objectContaining({ level: 'error', track_credential: 'track', admin_credential: 'boss' }),
    ]);
    expect(broker.log.join('')).not.toContain(token);
  },
);

test('each of several named tokens can be revoked alone, and is named in log, metrics and audit, never by its value', async () => {
  const { secrets, clock, start } = await world();
  secrets.rotate(TRACK, JSON.stringify({ 'team-a': 'token-of-team-a', 'team-b': 'token-of-team-b' }));
  const broker = await start();
  expect(await statusWith(broker, 'token-of-team-a')).toBe(201);
  expect(await statusWith(broker, 'token-of-team-b')).toBe(200);
  expect(broker.log.some((line) => JSON.parse(line).actor === 'team-b')).toBe(true);
  const metrics = await (await fetch(`${broker.url}/metrics`)).text();
  expect(metrics).toContain('broker_credential_requests_total{credential="team-a",status="201"} 1');
  expect(metrics).toContain('broker_credential_requests_total{credential="team-b",status="200"} 1');
  expect(metrics).not.toMatch(/token-of-team/);
  expect(await actorsOf(broker, 'token-of-team-b')).toEqual(['team-b', 'team-a']);
  secrets.rotate(TRACK, JSON.stringify({ 'team-a': 'token-of-team-a' }));
  await reloaded(broker, clock);
  expect(await statusWith(broker, 'token-of-team-a')).toBe(201);
  expect(await statusWith(broker, 'token-of-team-b')).toBe(401);
  expect(broker.log.join('')).not.toMatch(/token-of-team/);
});

/** The status of an admin route with this token. */
async function adminStatusWith(broker: TestBroker, token: string): Promise<number> {
  return (await call('GET', `${broker.url}/v1/admin/stats`, { authorization: `Bearer ${token}` })).status;
}

/** Releases what `statusWith` has allocated. @returns who did either, the latest first, as the audit trail has it */
async function actorsOf(broker: TestBroker, token: string): Promise<string[]> {
  const headers = { authorization: `Bearer ${token}`, 'x-track-id': 'student' };
  const { body } = await call('POST', `${broker.url}/v1/allocate`, headers);
  await call('POST', `${broker.url}/v1/sandboxes/${body.sandbox_id}/mark-for-deletion`, headers);
  const { body: trail } = await call('GET', `${broker.url}/v1/admin/sandboxes/${body.sandbox_id}/events`, {
    authorization: 'Bearer first-admin-token',
  });
  return trail.events.map((event: { actor: string }) => event.actor);
}

/** Has the secrets read again, as an unknown token does once ten seconds have passed. */
async function reloaded(broker: TestBroker, clock: ManualClock): Promise<void> {
  await clock.advance(10_000);
  expect(await statusWith(broker, 'a-token-nobody-knows')).toBe(401);
}
