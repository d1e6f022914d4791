import { describe, expect, test } from 'vitest';
import { JwtCredentials } from '../../../src/credentials/jwt-credentials.ts';
import {
  type Issuer,
  issuerOfTest,
  type SigningKey,
  sign,
  signWithPublicKey,
  unsigned,
} from '../../support/issuer.ts';

const seconds = () => Math.floor(Date.now() / 1000);

function claimsOf(issuer: Issuer, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    iss: issuer.url,
    sub: 'client-of-a-lab',
    client_id: 'client-of-a-lab',
    token_use: 'access',
    scope: 'sandbox-broker/allocate',
    iat: seconds() - 10,
    exp: seconds() + 600,
    ...changes,
  };
}

function credentialsOf(issuer: Issuer): JwtCredentials {
  return new JwtCredentials({
    issuer: issuer.url,
    clientIds: ['client-of-a-lab', 'client-of-operators'],
    scopePrefix: 'sandbox-broker',
    timeoutMs: 2_000,
  });
}

test('an access token with the scope "allocate" opens track routes under the name of its client', async () => {
  const issuer = await issuerOfTest();
  const key = issuer.addKey('first');
  const found = await credentialsOf(issuer).identify(sign(key, claimsOf(issuer)));
  expect(found).toEqual({ name: 'client-of-a-lab', kind: 'track' });
});

test('an access token with the scope "admin" opens admin routes', async () => {
  const issuer = await issuerOfTest();
  const key = issuer.addKey('first');
  const claims = claimsOf(issuer, {
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
  for (let each = 0; each < 5; each += 1) await credentials.identify(sign(first, claimsOf(issuer)));
  expect(issuer.requests()).toBe(1);
  const second = issuer.addKey('second');
  expect(await credentials.identify(sign(second, claimsOf(issuer)))).toMatchObject({ kind: 'track' });
  expect(issuer.requests()).toBe(2);
});

test('tokens of keys that do not exist do not become as many requests for keys', async () => {
  const issuer = await issuerOfTest();
  issuer.addKey('first');
  const credentials = credentialsOf(issuer);
  for (let each = 0; each < 20; each += 1) {
    const stranger = issuer.addKey(`stranger-${each}`, { published: false });
    expect(await credentials.identify(sign(stranger, claimsOf(issuer)))).toBeUndefined();
  }
  expect(issuer.requests()).toBeLessThanOrEqual(2);
});

test('an issuer that is down opens nothing new, and known keys stay good', async () => {
  const issuer = await issuerOfTest();
  const key = issuer.addKey('first');
  const credentials = credentialsOf(issuer);
  issuer.answerWith(500);
  expect(await credentialsOf(issuer).identify(sign(key, claimsOf(issuer)))).toBeUndefined();
  issuer.answerWith(200);
  expect(await credentials.identify(sign(key, claimsOf(issuer)))).toMatchObject({ kind: 'track' });
  issuer.answerWith(500);
  expect(await credentials.identify(sign(key, claimsOf(issuer)))).toMatchObject({ kind: 'track' });
});

describe('an attacker gets nothing with', () => {
  const attacks: Record<string, (issuer: Issuer, key: SigningKey) => string> = {
    'a token that says it needs no signature': (issuer, key) => unsigned(key, claimsOf(issuer)),
    'a token signed by the public key as a shared secret': (issuer, key) =>
      signWithPublicKey(key, claimsOf(issuer)),
    'a token signed by another key under a known name': (issuer, key) =>
      sign({ ...issuer.addKey('unpublished', { published: false }), kid: key.kid }, claimsOf(issuer)),
    'a token whose claims were changed after signing': (issuer, key) => {
      const [header, , signature] = sign(key, claimsOf(issuer)).split('.');
      const admin = Buffer.from(JSON.stringify(claimsOf(issuer, { scope: 'sandbox-broker/admin' }))).toString(
        'base64url',
      );
      return `${header}.${admin}.${signature}`;
    },
    'a token of another issuer': (issuer, key) =>
      sign(key, claimsOf(issuer, { iss: 'http://127.0.0.1:1/pool' })),
    'a token without issuer': (issuer, key) => sign(key, claimsOf(issuer, { iss: undefined })),
    'an expired token': (issuer, key) => sign(key, claimsOf(issuer, { exp: seconds() - 1 })),
    'a token that never ends': (issuer, key) => sign(key, claimsOf(issuer, { exp: undefined })),
    'a token that is not valid yet': (issuer, key) => sign(key, claimsOf(issuer, { nbf: seconds() + 600 })),
    'a token of a client that is not listed': (issuer, key) =>
      sign(key, claimsOf(issuer, { client_id: 'stranger' })),
    'an identity token': (issuer, key) =>
      sign(key, claimsOf(issuer, { token_use: 'id', aud: 'client-of-a-lab' })),
    'a token without scope': (issuer, key) => sign(key, claimsOf(issuer, { scope: undefined })),
    'a scope that only begins like one of ours': (issuer, key) =>
      sign(key, claimsOf(issuer, { scope: 'sandbox-broker/allocate-nothing xsandbox-broker/admin' })),
    'a key name that is a path': (issuer, key) => sign({ ...key, kid: '../../etc/passwd' }, claimsOf(issuer)),
    'a header that brings its own key': (issuer, key) => {
      const own = issuer.addKey('own', { published: false });
      return sign({ ...own, kid: key.kid }, claimsOf(issuer), {
        jwk: own.publicKey.export({ format: 'jwk' }),
      });
    },
    'a huge token': (issuer, key) => sign(key, claimsOf(issuer, { padding: 'x'.repeat(10_000) })),
    'parts that are not base64url': () => 'a+b.c/d.e=f',
    'parts that are not JSON': () => 'AAAA.BBBB.CCCC',
  };

  for (const [name, attack] of Object.entries(attacks)) {
    test(name, async () => {
      const issuer = await issuerOfTest();
      const key = issuer.addKey('first');
      const credentials = credentialsOf(issuer);
      expect(await credentials.identify(sign(key, claimsOf(issuer)))).toBeDefined();
      expect(await credentials.identify(attack(issuer, key))).toBeUndefined();
    });
  }
});
