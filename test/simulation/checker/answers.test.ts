import { beforeEach, expect, test } from 'vitest';
import { noSandboxesAvailable } from '../../../src/domain/errors.ts';
import { marshallItem } from '../dynamodb/attribute-values.ts';
import { Violations } from '../world/violations.ts';
import { Allocations } from './allocations.ts';
import { Answers, type GivenAllocation } from './answers.ts';

const ROW = marshallItem({
  sandbox_id: 'A',
  name: 'lab-a-1',
  external_id: 'account-1',
  allocated_to_track: 'ann',
  idempotency_key: 'ann',
  allocated_at: 1_000,
  lab_duration_hours: 4,
});

let step: number;
let free: string | undefined;
let violations: Violations;
let allocations: Allocations;
let answers: Answers;

beforeEach(() => {
  step = 1;
  free = undefined;
  violations = new Violations({ now: 0, steps: 0, stop: () => {} });
  allocations = new Allocations();
  answers = new Answers(
    allocations,
    violations,
    () => ({ step, time: step }),
    () => free,
  );
});

const given = (differences: Partial<GivenAllocation> = {}): GivenAllocation => ({
  sandboxId: 'A',
  name: 'lab-a-1',
  externalId: 'account-1',
  allocatedAt: 1_000,
  labDurationHours: 4,
  replayed: false,
  ...differences,
});

function askAs(track: string) {
  const asked = answers.asked(track, undefined);
  step += 1;
  return asked;
}

function allocate(): void {
  allocations.begin('A', ROW, step);
  step += 1;
}

function endAllocation(byPreviousBroker = false): void {
  allocations.end('A', step, byPreviousBroker);
  step += 1;
}

test('201 once, 200 to whoever repeats it, and 200 for what ended while the answer was on its way', () => {
  const first = askAs('ann');
  const second = askAs('ann');
  allocate();
  answers.allocated(first, given());
  const third = askAs('ann');
  endAllocation();
  answers.allocated(second, given({ replayed: true }));
  answers.allocated(third, given({ replayed: true }));
  answers.released(askAs('ann'), 'A');
  expect(violations.first).toBeUndefined();
});

test('an answer about a sandbox that was never allocated is no truth', () => {
  answers.allocated(askAs('ann'), given());
  expect(violations.first).toMatchObject({
    invariant: 'I3',
    text: expect.stringContaining('never allocated'),
  });
});

test("an answer that names somebody else's sandbox gives it to two", () => {
  allocate();
  answers.allocated(askAs('bob'), given({ replayed: true }));
  expect(violations.first?.invariant).toBe('I1');
});

test('an answer about an allocation that was over when the request came is no truth', () => {
  allocate();
  endAllocation();
  answers.allocated(askAs('ann'), given({ replayed: true }));
  expect(violations.first).toMatchObject({ invariant: 'I3', text: expect.stringContaining('had ended') });
});

test('201 twice for one allocation says that there were two', () => {
  const first = askAs('ann');
  const second = askAs('ann');
  allocate();
  answers.allocated(first, given());
  answers.allocated(second, given());
  expect(violations.first).toMatchObject({ invariant: 'I2', text: expect.stringContaining('a second time') });
});

test('201 for what was there before the request says that it is new', () => {
  allocate();
  answers.allocated(askAs('ann'), given());
  expect(violations.first).toMatchObject({
    invariant: 'I2',
    text: expect.stringContaining('before it asked'),
  });
});

test.each([
  ['name', { name: 'lab-b-1' }],
  ['external id', { externalId: 'account-2' }],
  ['time', { allocatedAt: 1_001 }],
  ['duration', { labDurationHours: 5 }],
])('another %s than the row has is no truth', (what, difference) => {
  const asked = askAs('ann');
  allocate();
  answers.allocated(asked, given(difference));
  expect(violations.first).toMatchObject({
    invariant: 'I3',
    text: expect.stringContaining(`another ${what}`),
  });
});

test('a release that is told and did not happen is no truth', () => {
  allocate();
  answers.released(askAs('ann'), 'A');
  expect(violations.first?.invariant).toBe('I3');
});

test('an owner who is told that the sandbox is not its own is robbed; somebody else is not', () => {
  allocate();
  answers.disowned(askAs('bob'), 'A', 'NOT_SANDBOX_OWNER');
  expect(violations.first).toBeUndefined();
  answers.disowned(askAs('ann'), 'A', 'NOT_SANDBOX_OWNER');
  expect(violations.first?.invariant).toBe('I7');
});

test('an owner who is told that what it held is not there has been told the wrong thing, though it be deleted', () => {
  allocate();
  const asked = askAs('ann');
  endAllocation();
  answers.disowned(asked, 'A', 'SANDBOX_NOT_FOUND');
  expect(violations.first?.text).toBe('"ann" was told SANDBOX_NOT_FOUND for sandbox A, which it held');
});

test('nothing tells of an allocation that the previous broker ended: its owner may hear that it is not there', () => {
  allocate();
  endAllocation(true);
  answers.disowned(askAs('ann'), 'A', 'SANDBOX_NOT_FOUND');
  expect(violations.first).toBeUndefined();
});

test('whoever is turned away while something is free is turned away wrongly', () => {
  answers.turnedAway(askAs('ann'));
  expect(violations.first).toBeUndefined();
  free = 'B';
  answers.turnedAway(askAs('ann'));
  expect(violations.first?.invariant).toBe('availability');
});

test('a refusal has a code; anything else that is thrown is a defect', () => {
  expect(answers.refused('an allocation', noSandboxesAvailable(undefined))).toBe('NO_SANDBOXES_AVAILABLE');
  expect(violations.first).toBeUndefined();
  expect(answers.refused('an allocation', new TypeError('undefined is not a function'))).toBe(
    'INTERNAL_ERROR',
  );
  expect(violations.first?.invariant).toBe('defect');
});
