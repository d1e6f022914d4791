import { beforeEach, expect, test } from 'vitest';
import { type BreakerState, CircuitBreaker } from '../../../src/csp/circuit-breaker.ts';
import { ManualClock } from '../../support/manual-clock.ts';

let clock: ManualClock;
let states: BreakerState[];
let breaker: CircuitBreaker;

beforeEach(() => {
  clock = new ManualClock();
  states = [];
  breaker = new CircuitBreaker({
    threshold: 3,
    openMs: 60_000,
    clock,
    onState: (state) => states.push(state),
  });
});

function fail(times: number): void {
  for (let time = 0; time < times; time += 1) breaker.enter()!.failed();
}

test('it opens at the threshold of consecutive failures and not before', () => {
  fail(2);
  expect(breaker.state()).toBe('closed');
  fail(1);
  expect(breaker.state()).toBe('open');
  expect(breaker.enter()).toBeNull();
  expect(states).toEqual(['open']);
});

test('a success between failures begins the count anew', () => {
  fail(2);
  breaker.enter()!.succeeded();
  fail(2);
  expect(breaker.state()).toBe('closed');
});

test('while it is open no call passes, until the last millisecond of its time', async () => {
  fail(3);
  await clock.advance(59_999);
  expect(breaker.enter()).toBeNull();
  expect(breaker.millisecondsUntilProbe()).toBe(1);
  expect(breaker.state()).toBe('open');
});

test('it says half open as soon as a probe may go, before anyone has tried', async () => {
  fail(3);
  await clock.advance(60_000);
  expect(breaker.state()).toBe('half_open');
});

test('half open, exactly one of many calls passes', async () => {
  fail(3);
  await clock.advance(60_000);
  const permits = Array.from({ length: 10 }, () => breaker.enter());
  expect(permits.filter((permit) => permit !== null)).toHaveLength(1);
  expect(breaker.state()).toBe('half_open');
});

test('a probe that succeeds closes it and clears the count', async () => {
  fail(3);
  await clock.advance(60_000);
  breaker.enter()!.succeeded();
  expect(breaker.state()).toBe('closed');
  fail(2);
  expect(breaker.state()).toBe('closed');
  expect(states).toEqual(['open', 'half_open', 'closed']);
});

test('a probe that fails opens it for the whole time again, at the first failure', async () => {
  fail(3);
  await clock.advance(60_000);
  fail(1);
  await clock.advance(59_999);
  expect(breaker.enter()).toBeNull();
  await clock.advance(1);
  expect(breaker.enter()).not.toBeNull();
  expect(states).toEqual(['open', 'half_open', 'open', 'half_open']);
});

test('a probe that is withdrawn lets another one go', async () => {
  fail(3);
  await clock.advance(60_000);
  breaker.enter()!.withdrawn();
  expect(breaker.enter()).not.toBeNull();
});

test('a call that began before it opened neither closes it nor fails the probe', async () => {
  const early = [breaker.enter()!, breaker.enter()!, breaker.enter()!, breaker.enter()!];
  fail(3);
  early[0]!.succeeded();
  expect(breaker.state()).toBe('open');
  await clock.advance(60_000);
  const probe = breaker.enter()!;
  early[1]!.failed();
  early[2]!.withdrawn();
  expect(breaker.enter()).toBeNull();
  probe.succeeded();
  early[3]!.failed();
  fail(2);
  expect(breaker.state()).toBe('closed');
});

test('a permit counts once, however often it is ended', () => {
  const permit = breaker.enter()!;
  permit.failed();
  permit.failed();
  permit.failed();
  expect(breaker.state()).toBe('closed');
});

test('a provider that says how long to stay away is believed at its first word', async () => {
  breaker.enter()!.failed(120_000);
  expect(breaker.state()).toBe('open');
  await clock.advance(119_999);
  expect(breaker.enter()).toBeNull();
  await clock.advance(1);
  expect(breaker.enter()).not.toBeNull();
});

test('a shorter word does not shorten a time that runs', async () => {
  const [long, short] = [breaker.enter()!, breaker.enter()!];
  long.failed(120_000);
  short.failed(1_000);
  expect(breaker.millisecondsUntilProbe()).toBe(120_000);
});

test('a corrected wall clock neither opens nor closes it', () => {
  fail(3);
  clock.correctWallClock(3_600_000);
  expect(breaker.enter()).toBeNull();
  clock.correctWallClock(-7_200_000);
  expect(breaker.millisecondsUntilProbe()).toBe(60_000);
});

test('a probe that outlives its time does not make room for a second one beside the next', async () => {
  const early = breaker.enter()!;
  fail(3);
  await clock.advance(60_000);
  const overtaken = breaker.enter()!;
  early.failed(120_000);
  await clock.advance(120_000);
  expect(breaker.enter()).not.toBeNull();
  overtaken.withdrawn();
  expect(breaker.enter()).toBeNull();
});
