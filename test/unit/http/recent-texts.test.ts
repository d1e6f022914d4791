import { expect, test } from 'vitest';
import { RecentTexts } from '../../../src/http/recent-texts.ts';

const MOST = 100;

/** Adds so many others, and counts those that are still known. */
function addOthers(texts: RecentTexts, count: number): number {
  const others = Array.from({ length: count }, (_, index) => `other-${index}`);
  for (const other of others) texts.add(other);
  return others.filter((other) => texts.has(other)).length;
}

test('What was added is known, and nothing else', () => {
  const texts = new RecentTexts(MOST);
  texts.add('one');
  expect([texts.has('one'), texts.has('on'), texts.has('')]).toEqual([true, false, false]);
});

test('The last half is always known, and never more than the whole', () => {
  for (let count = MOST / 2; count < 3 * MOST; count += 1) {
    const known = addOthers(new RecentTexts(MOST), count);
    expect(known).toBeGreaterThanOrEqual(MOST / 2);
    expect(known).toBeLessThanOrEqual(MOST);
  }
});

test('What is not asked for is forgotten in the end, and what is asked for is not', () => {
  const texts = new RecentTexts(MOST);
  texts.add('left');
  texts.add('used');
  for (let index = 0; index < 3 * MOST; index += 1) {
    texts.add(`other-${index}`);
    expect(texts.has('used')).toBe(true);
  }
  expect(texts.has('left')).toBe(false);
});
