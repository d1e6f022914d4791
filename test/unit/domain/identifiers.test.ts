import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  claimKeyOf,
  claimKeyText,
  IDENTIFIER_PATTERN,
  storedIdempotencyKey,
} from '../../../src/domain/identifiers.ts';
import { claimKey } from '../../../src/store/keys.ts';

const identifier = fc.stringMatching(/^[\x21-\x7e]{1,12}$/);
/** Few enough to meet. */
const someIdentifier = fc.oneof(fc.constantFrom('a', 'b', 'a#b', '#', 'ab'), identifier);
const someKey = fc.tuple(someIdentifier, fc.option(someIdentifier, { nil: undefined }));

test.each([
  ['one character', '!', true],
  ['256 characters', '~'.repeat(256), true],
  ['257 characters', 'a'.repeat(257), false],
  ['nothing', '', false],
  ['a space', 'a b', false],
  ['a line break at its end', 'a\n', false],
  ['a control character', 'a\u0007', false],
  ['a delete', 'a\u007f', false],
  ['a letter beyond ASCII', 'é', false],
])('an identifier of %s is accepted or not: %j', (_, text, accepted) => {
  expect(IDENTIFIER_PATTERN.test(text)).toBe(accepted);
});

test('two claim keys have one text, and one claim row, exactly if they are equal', () => {
  fc.assert(
    fc.property(someKey, someKey, (one, other) => {
      const [a, b] = [claimKeyOf(...one), claimKeyOf(...other)];
      const equal = a.track === b.track && a.idempotencyKey === b.idempotencyKey;
      expect(claimKeyText(a) === claimKeyText(b)).toBe(equal);
      expect(claimKey(a).PK === claimKey(b).PK).toBe(equal);
    }),
  );
});

test('two callers never share a claim, whatever keys they send', () => {
  fc.assert(
    fc.property(someKey, someKey, ([track, key], [otherTrack, otherKey]) => {
      fc.pre(track !== otherTrack);
      expect(claimKeyText(claimKeyOf(track, key))).not.toBe(claimKeyText(claimKeyOf(otherTrack, otherKey)));
    }),
  );
});

test('what the row keeps of a key leads back to the same claim', () => {
  fc.assert(
    fc.property(someKey, ([track, key]) => {
      const claim = claimKeyOf(track, key);
      expect(claimKeyOf(track, storedIdempotencyKey(claim))).toEqual(claim);
    }),
  );
});

test('the previous broker’s rows of a caller without a key are the caller’s own claim', () => {
  expect(claimKeyOf('student-1', 'student-1')).toEqual(claimKeyOf('student-1', undefined));
});
