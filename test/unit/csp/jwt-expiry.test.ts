import { expect, test } from 'vitest';
import { jwtExpiry } from '../../../src/csp/jwt-expiry.ts';

const encode = (claims: unknown) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;

test('the end of a token is read from its claims', () => {
  expect(jwtExpiry(encode({ exp: 1743094427 }))).toBe(1743094427);
});

test.each(['', 'opaque', 'a.b.c', 'a.!!!.c', encode(null), encode({}), encode({ exp: '1743094427' })])(
  '%j does not say when it ends',
  (token) => {
    expect(jwtExpiry(token)).toBeNull();
  },
);
