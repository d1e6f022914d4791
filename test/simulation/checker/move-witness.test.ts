import { beforeEach, expect, test } from 'vitest';
import { marshallItem } from '../dynamodb/attribute-values.ts';
import { FaultBoard, FaultSource } from '../world/fault-board.ts';
import { SimulatedProvider } from '../world/provider.ts';
import { Randomness } from '../world/randomness.ts';
import { Schedule } from '../world/schedule.ts';
import { Story } from '../world/story.ts';
import { MoveWitness } from './move-witness.ts';

const ALLOCATED_AT = 1_000_000;
const HOUR_S = 3_600;
const ROW = marshallItem({
  sandbox_id: '1',
  external_id: 'identity/accounts/account-1',
  allocated_at: ALLOCATED_AT,
  lab_duration_hours: 1,
});

let seconds: number;
let elapsedMs: number;
let forcedRuns: Set<string>;
let provider: SimulatedProvider;
let releaseAsked: Set<string>;
let witness: MoveWitness;

beforeEach(() => {
  seconds = ALLOCATED_AT;
  elapsedMs = 0;
  forcedRuns = new Set();
  releaseAsked = new Set();
  const random = new Randomness('witness');
  const calm = new FaultSource(new FaultBoard(), 'provider', random, {});
  provider = new SimulatedProvider(new Schedule(), random, calm, new Story(false, () => 0));
  witness = new MoveWitness({
    provider,
    now: () => seconds * 1_000,
    elapsed: () => elapsedMs,
    clocksDisagreeMs: 2_000,
    gracePeriodMs: 60_000,
    releaseAsked,
    forcedRuns,
  });
});

const judge = (move: 'expire' | 'release' | 'mark_stale' | 'delete' | 'give_up_deletion') =>
  witness.judge('1', { move, actor: '', requestId: 'run' }, ROW)?.invariant;

test('an expiry before the lab and its grace are over is too early, but for what clocks disagree', () => {
  seconds = ALLOCATED_AT + HOUR_S + 60 - 3;
  expect(judge('expire')).toBe('I5');
  seconds += 1;
  expect(judge('expire')).toBeUndefined();
});

test('a release that nobody asked for destroys what is in use', () => {
  expect(judge('release')).toBe('I5');
  releaseAsked.add('1');
  expect(judge('release')).toBeUndefined();
});

test('a sandbox goes stale by a listing that is there, is not empty and lacks it', () => {
  expect(judge('mark_stale')).toBe('I9');
  provider.listings.set('run', new Set(['1', '2']));
  expect(judge('mark_stale')).toBe('I9');
  provider.listings.set('run', new Set(['2']));
  expect(judge('mark_stale')).toBeUndefined();
  provider.listings.set('run', new Set());
  expect(judge('mark_stale')).toBe('I9');
  forcedRuns.add('run');
  expect(judge('mark_stale')).toBeUndefined();
});

test('a row that goes before its account leaks the account', () => {
  const account = provider.addAccount(1, 'lab-a-1', false);
  expect(judge('delete')).toBe('I4');
  account.gone = true;
  expect(judge('delete')).toBeUndefined();
});

test('a deletion is not given up in the middle of an outage', () => {
  expect(judge('give_up_deletion')).toBeUndefined();
  provider.downSince = 0;
  elapsedMs = 6 * 60_000;
  expect(judge('give_up_deletion')).toBe('I9');
});
