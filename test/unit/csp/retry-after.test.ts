import { expect, test } from 'vitest';
import { parseRetryAfter, RETRY_AFTER_MAX_SECONDS } from '../../../src/csp/retry-after.ts';

const NOW = Date.UTC(2025, 2, 27, 16, 53, 47);

test('seconds are taken as they are', () => {
  expect(parseRetryAfter('30', NOW)).toBe(30);
  expect(parseRetryAfter(' 0 ', NOW)).toBe(0);
});

test('an HTTP date is counted from now and rounded up', () => {
  expect(parseRetryAfter('Thu, 27 Mar 2025 16:54:47 GMT', NOW)).toBe(60);
  expect(parseRetryAfter('Thu, 27 Mar 2025 16:54:47 GMT', NOW + 1)).toBe(60);
  expect(parseRetryAfter('Thursday, 27-Mar-25 16:54:47 GMT', NOW)).toBe(60);
});

test('a date that has passed is no wait', () => {
  expect(parseRetryAfter('Thu, 27 Mar 2025 16:00:00 GMT', NOW)).toBe(0);
});

test('no wait is longer than the longest that is believed', () => {
  expect(parseRetryAfter('99999999999999999999', NOW)).toBe(RETRY_AFTER_MAX_SECONDS);
  expect(parseRetryAfter('Fri, 28 Mar 2025 16:00:00 GMT', NOW)).toBe(RETRY_AFTER_MAX_SECONDS);
});

test.each([
  undefined,
  '',
  ' ',
  '-5',
  '1.5',
  'soon',
  'Thu Mar 27 16:54:47 2025',
  'Thu, 99 Foo 2025 16:00:00 GMT',
  '30, 40',
])('%j says nothing', (header) => {
  expect(parseRetryAfter(header, NOW)).toBeUndefined();
});
