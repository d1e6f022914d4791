import { expect, test, vi } from 'vitest';
import { TokenBook } from '../../../src/credentials/token-book.ts';
import { TokenDigest } from '../../../src/credentials/token-digest.ts';

const compared = vi.hoisted(() => [] as [number, number][]);

vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof import('node:crypto')>();
  return {
    ...crypto,
    timingSafeEqual: (one: Buffer, other: Buffer) => {
      compared.push([one.length, other.length]);
      return crypto.timingSafeEqual(one, other);
    },
  };
});

test.each([
  ['the first of them', 'token-one'],
  ['the last of them', 'token-three'],
  ['none of them', 'token-four'],
  ['nothing like them', 'x'],
])(
  'A token is compared with every known one in constant time, and at one length, when it is %s',
  (_, token) => {
    const tokens = { one: 'token-one', two: 'a-longer-token-two', three: 'token-three' };
    const book = new TokenBook('track', new Map(Object.entries(tokens)));
    compared.length = 0;
    const found = book.recall(new TokenDigest(token));
    expect(compared).toEqual(Array(3).fill([32, 32]));
    expect(found?.name).toBe(Object.entries(tokens).find(([, known]) => known === token)?.[0]);
  },
);
