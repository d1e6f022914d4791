import { describe, expect, test } from 'vitest';
import { CspError, type CspErrorFields } from '../../../src/csp/csp-error.ts';
import { decideRetry } from '../../../src/workers/deletion-retry.ts';

const MINUTE = 60;
const HOUR = 3_600;
const longest = () => 1;
const shortest = () => 0;

const failure = (fields: Partial<CspErrorFields>): CspError =>
  new CspError({ kind: 'status', call: 'delete', reason: 'failed', requestId: 'request-1', ...fields });

/** Errors that may say that the provider is unwell. */
const MAYBE_OF_THE_PROVIDER: readonly Partial<CspErrorFields>[] = [
  { kind: 'timeout' },
  { kind: 'network' },
  { kind: 'content', status: 200 },
  { kind: 'rate_limited', status: 429 },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 503 },
  { kind: 'status', status: 408 },
  { kind: 'status', status: 302 },
  // About the account, if it is the provider that says so; a gateway says it to everything.
  { kind: 'status', status: 400 },
  { kind: 'status', status: 409 },
];

describe.each(MAYBE_OF_THE_PROVIDER)('after $kind $status', (fields) => {
  const error = failure(fields);

  test.each([
    // attempts, of, by itself, attempts afterwards, final
    [0, 3, false, 1, false],
    [1, 3, false, 2, false],
    [2, 3, false, 2, false],
    [2, 3, true, 3, true],
    [0, 3, true, 1, false],
    [0, 1, false, 0, false],
    [0, 1, true, 1, true],
    // The configuration allows fewer by now than the row has spent.
    [3, 3, false, 3, false],
    [7, 3, false, 7, false],
    [7, 3, true, 8, true],
  ] as const)(
    '%i of %i attempts spent, by itself %s: %i are spent then, given up: %s',
    (attempts, of, byItself, spent, final) => {
      expect(decideRetry(error, attempts, of, byItself, longest)).toMatchObject({ attempts: spent, final });
    },
  );
});

test('what could not be sent is about the account: its last attempt is spent whatever befalls the others', () => {
  const error = failure({ kind: 'request' });
  expect(decideRetry(error, 1, 3, false, longest)).toMatchObject({ attempts: 2, final: false });
  expect(decideRetry(error, 2, 3, false, longest)).toMatchObject({ attempts: 3, final: true });
});

test.each([401, 403])(
  'a refused credential (%i) spends no attempt and gives nothing up, however many are spent',
  (status) => {
    const error = failure({ kind: 'unauthorized', status });
    for (const attempts of [0, 2, 3, 50]) {
      expect(decideRetry(error, attempts, 3, true, longest)).toMatchObject({ attempts, final: false });
    }
  },
);

test('an outage that never ends gives no row up, however often it fails', () => {
  const error = failure({ kind: 'status', status: 500 });
  let attempts = 0;
  for (let failures = 0; failures < 10_000; failures += 1) {
    const decision = decideRetry(error, attempts, 3, false, Math.random);
    expect(decision.final).toBe(false);
    attempts = decision.attempts;
  }
  expect(attempts).toBe(2);
});

test('waits grow from failure to failure, half of each is random, and the second outlasts a bad quarter of an hour', () => {
  const error = failure({ status: 500 });
  const waits = (random: () => number) =>
    [0, 1, 2, 3, 9].map((attempts) => decideRetry(error, attempts, 100, false, random).waitSeconds);
  expect(waits(longest)).toEqual([5 * MINUTE, HOUR, 4 * HOUR, 4 * HOUR, 4 * HOUR]);
  expect(waits(shortest)).toEqual([2.5 * MINUTE, HOUR / 2, 2 * HOUR, 2 * HOUR, 2 * HOUR]);
  expect(waits(shortest)[1]).toBeGreaterThan(16 * MINUTE);
});

test('an attempt that was not spent comes again soon', () => {
  expect(decideRetry(failure({ status: 500 }), 2, 3, false, longest).waitSeconds).toBe(5 * MINUTE);
  expect(decideRetry(failure({ kind: 'unauthorized', status: 403 }), 2, 3, false, longest).waitSeconds).toBe(
    5 * MINUTE,
  );
});

test('the provider may name a longer wait than ours, and not a shorter one', () => {
  const wait = (retryAfterSeconds: number) =>
    decideRetry(failure({ status: 500, retryAfterSeconds }), 0, 3, false, longest).waitSeconds;
  expect(wait(20 * MINUTE)).toBe(20 * MINUTE);
  expect(wait(1)).toBe(5 * MINUTE);
});
