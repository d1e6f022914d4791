import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { JwtCredentials } from '../../../src/credentials/jwt-credentials.ts';
import { eventually } from '../../support/eventually.ts';
import {
  accessClaims,
  type Issuer,
  issuerOfTest,
  type SigningKey,
  sign,
  signWithPublicKey,
  unsigned,
} from '../../support/issuer.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const seconds = () => Math.floor(Date.now() / 1000);

function credentialsOf(issuer: Issuer, clock: ManualClock = new ManualClock()): JwtCredentials {
  return new JwtCredentials(
    {
      issuer: issuer.url,
      clientIds: ['client-of-a-lab', 'client-of-operators'],
      scopePrefix: 'sandbox-broker',
    },
    { clock, random: () => 0.5, logger: pino({ level: 'silent' }), timeoutMs: 20_000 },
  );
}

test('an access token with the scope "allocate" opens track routes under the name of its client', async () => {
  const issuer = await issuerOfTest();
  const key = issuer.addKey('first');
  const found = await credentialsOf(issuer).identify(sign(key, accessClaims(issuer)));
  expect(found).toEqual({ name: 'client-of-a-lab', kind: 'track' });
});

test('an access token with the scope "admin" opens admin routes', async () => {
  const issuer = await issuerOfTest();
  const key = issuer.addKey('first');
  const claims = accessClaims(issuer, {
    client_id: 'client-of-operators',
    scope: 'other/scope sandbox-broker/admin',
  });
  const found = await credentialsOf(issuer).identify(sign(key, claims));
  expect(found).toEqual({ name: 'client-of-operators', kind: 'admin' });
});

test('keys are fetched once for many tokens, and again for a key that is new', async () => {
  const issuer = await issuerOfTest();
  const first = issuer.addKey('first');
  const credentials = credentialsOf(issuer);
  for (let each = 0; each < 5; each += 1) await credentials.identify(sign(first, accessClaims(issuer)));
  expect(issuer.requests()).toBe(1);
  const second = issuer.addKey('second');
  expect(await credentials.identify(sign(second, accessClaims(issuer)))).toMatchObject({ kind: 'track' });
  expect(issuer.requests()).toBe(2);
});

test('tokens of keys that do not exist do not become as many requests for keys', async () => {
  const issuer = await issuerOfTest();
  issuer.addKey('first');
  const credentials = credentialsOf(issuer);
  for (let each = 0; each < 20; each += 1) {
    const stranger = issuer.addKey(`stranger-${each}`, { published: false });
    expect(await credentials.identify(sign(stranger, accessClaims(issuer)))).toBeUndefined();
  }
  expect(issuer.requests()).toBeLessThanOrEqual(2);
});

test('an issuer that is down opens nothing new, and known keys stay good', async () => {
  const issuer = await issuerOfTest();
  const key = issuer.addKey('first');
  const credentials = credentialsOf(issuer);
  issuer.answerWith(500);
  expect(await credentialsOf(issuer).identify(sign(key, accessClaims(issuer)))).toBeUndefined();
  issuer.answerWith(200);
  expect(await credentials.identify(sign(key, accessClaims(issuer)))).toMatchObject({ kind: 'track' });
  issuer.answerWith(500);
  expect(await credentials.identify(sign(key, accessClaims(issuer)))).toMatchObject({ kind: 'track' });
});

test.each([
  ['answers 500', (issuer: Issuer) => issuer.answerWith(500)],
  ['has never answered', (issuer: Issuer) => issuer.answerWith(404)],
])(
  'tokens do not become as many requests to an issuer that %s, and are good a second after it is well',
  async (_, breakDown) => {
    const issuer = await issuerOfTest();
    const key = issuer.addKey('first');
    const clock = new ManualClock();
    const credentials = credentialsOf(issuer, clock);
    breakDown(issuer);
    const token = sign(key, accessClaims(issuer));
    for (let each = 0; each < 30; each += 1) expect(await credentials.identify(token)).toBeUndefined();
    expect(issuer.requests()).toBe(1);
    issuer.answerWith(200);
    await clock.advance(1_000);
    expect(await credentials.identify(token)).toMatchObject({ kind: 'track' });
  },
);

test('a key that the issuer has withdrawn is good no more after the next regular fetch, and all are while that fails', async () => {
  const issuer = await issuerOfTest();
  const key = issuer.addKey('first');
  const clock = new ManualClock();
  const credentials = credentialsOf(issuer, clock);
  onTestFinished(() => credentials.close());
  const token = sign(key, accessClaims(issuer));
  credentials.start();
  expect(await credentials.identify(token)).toMatchObject({ kind: 'track' });
  expect(issuer.requests()).toBe(1);
  const fetched = (count: number) =>
    eventually(`fetch ${count} of the keys`, async () => {
      await clock.advance(60_000);
      return issuer.requests() === count;
    });
  issuer.answerWith(500);
  await fetched(2);
  expect(await credentials.identify(token)).toMatchObject({ kind: 'track' });
  issuer.answerWith(200);
  issuer.withdraw('first');
  await fetched(3);
  await eventually('the refusal', async () => (await credentials.identify(token)) === undefined);
});

test('a document of keys that does not end is not read to its end', async () => {
  const issuer = await issuerOfTest();
  const key = issuer.addKey('first');
  const hungUp = issuer.answerEndlessly();
  expect(await credentialsOf(issuer).identify(sign(key, accessClaims(issuer)))).toBeUndefined();
  await hungUp;
});

describe('an attacker gets nothing with', () => {
  const attacks: Record<string, (issuer: Issuer, key: SigningKey) => string> = {
    'a token that says it needs no signature': (issuer, key) => unsigned(key, accessClaims(issuer)),
    'a token signed by the public key as a shared secret': (issuer, key) =>
      signWithPublicKey(key, accessClaims(issuer)),
    'a token signed by another key under a known name': (issuer, key) =>
      sign({ ...issuer.addKey('unpublished', { published: false }), kid: key.kid }, accessClaims(issuer)),
    'a token whose claims were changed after signing': (issuer, key) => {
      const [header, , signature] = sign(key, accessClaims(issuer)).split('.');
      const admin = Buffer.from(
        JSON.stringify(accessClaims(issuer, { scope: 'sandbox-broker/admin' })),
      ).toString('base64url');
      return `${header}.${admin}.${signature}`;
    },
    'a token of another issuer': (issuer, key) =>
      sign(key, accessClaims(issuer, { iss: 'http://127.0.0.1:1/pool' })),
    'a token without issuer': (issuer, key) => sign(key, accessClaims(issuer, { iss: undefined })),
    'an expired token': (issuer, key) => sign(key, accessClaims(issuer, { exp: seconds() - 1 })),
    'a token that never ends': (issuer, key) => sign(key, accessClaims(issuer, { exp: undefined })),
    'a token that is not valid yet': (issuer, key) =>
      sign(key, accessClaims(issuer, { nbf: seconds() + 600 })),
    'a token of a client that is not listed': (issuer, key) =>
      sign(key, accessClaims(issuer, { client_id: 'stranger' })),
    'an identity token': (issuer, key) =>
      sign(key, accessClaims(issuer, { token_use: 'id', aud: 'client-of-a-lab' })),
    'a token without scope': (issuer, key) => sign(key, accessClaims(issuer, { scope: undefined })),
    'a scope that only begins like one of ours': (issuer, key) =>
      sign(key, accessClaims(issuer, { scope: 'sandbox-broker/allocate-nothing xsandbox-broker/admin' })),
    'a key name that is a path': (issuer, key) =>
      sign({ ...key, kid: '../../etc/passwd' }, accessClaims(issuer)),
    'a header that brings its own key': (issuer, key) => {
      const own = issuer.addKey('own', { published: false });
      return sign({ ...own, kid: key.kid }, accessClaims(issuer), {
        jwk: own.publicKey.export({ format: 'jwk' }),
      });
    },
    'a huge token': (issuer, key) => sign(key, accessClaims(issuer, { padding: 'x'.repeat(10_000) })),
    'parts that are not base64url': () => 'a+b.c/d.e=f',
    'parts that are not JSON': () => 'AAAA.BBBB.CCCC',
  };

  for (const [name, attack] of Object.entries(attacks)) {
    test(name, async () => {
      const issuer = await issuerOfTest();
      const key = issuer.addKey('first');
      const credentials = credentialsOf(issuer);
      expect(await credentials.identify(sign(key, accessClaims(issuer)))).toBeDefined();
      expect(await credentials.identify(attack(issuer, key))).toBeUndefined();
    });
  }
});
