import { expect, test } from 'vitest';
import { DeletionSigns } from '../../../src/workers/deletion-signs.ts';

const MINUTE = 60;
const HOUR = 3_600;

/** Runs of deletions, each in a process of its own: what one knows of the last is what that one remembered. */
class Runs {
  #now = 1_774_000_000;
  #signs = new DeletionSigns({}, this.#now);
  readonly #touched = new Map<string, number>();

  next(seconds = 5 * MINUTE): this {
    this.#now += seconds;
    this.#signs = new DeletionSigns(this.#signs.memory, this.#now);
    return this;
  }

  deletes(sandboxId: string): void {
    this.#now += 1;
    this.#signs.succeeded(sandboxId, this.#now);
  }

  /** @returns whether its last attempt may be spent */
  fails(sandboxId: string, isLast = true): boolean {
    this.#now += 1;
    const previous = this.#touched.get(sandboxId) ?? 0;
    this.#touched.set(sandboxId, this.#now);
    const others = this.#signs.failed(sandboxId, previous, isLast, this.#now);
    return others || this.#signs.failsAlone(sandboxId, this.#now);
  }

  /** The next runs are those of a process whose clock shows so much less. */
  clockGoesBack(seconds: number): void {
    this.#now -= seconds;
  }

  givesUp(sandboxId: string): void {
    this.#signs.gaveUp(sandboxId);
  }
}

test('one failure is no sign against an account, whether others are deleted before it or after it', () => {
  const runs = new Runs();
  runs.deletes('b');
  expect(runs.fails('a')).toBe(false);
  runs.deletes('c');
});

test('an account that fails, while others are deleted, and fails again is its own fault', () => {
  const runs = new Runs();
  runs.deletes('b');
  runs.fails('a');
  runs.next().deletes('c');
  expect(runs.next().fails('a')).toBe(true);
});

test('so are several of them, in one run or in different ones', () => {
  const runs = new Runs();
  runs.deletes('x');
  for (const poison of ['a', 'b', 'c']) expect(runs.fails(poison)).toBe(false);
  runs.next().deletes('y');
  for (const poison of ['a', 'b', 'c']) expect(runs.next().fails(poison)).toBe(true);
});

test('an account that fails as often as one likes while nobody is deleted is no fault of its own', () => {
  const runs = new Runs();
  runs.deletes('x');
  for (let rounds = 0; rounds < 500; rounds += 1) {
    for (const account of ['a', 'b', 'c']) expect(runs.next().fails(account)).toBe(false);
  }
});

test('two outages with good hours between them make nobody guilty', () => {
  const runs = new Runs();
  for (let outages = 0; outages < 2; outages += 1) {
    runs.next(HOUR).deletes(`x-${outages}`);
    for (let rounds = 0; rounds < 4; rounds += 1) {
      runs.next();
      // Their last attempt is the first of the second outage.
      for (const account of ['a', 'b', 'c']) expect(runs.fails(account, outages > 0)).toBe(false);
    }
  }
});

test('a success that was remembered by a clock that is ahead makes nobody guilty in the outage after it', () => {
  const runs = new Runs();
  runs.next(HOUR).deletes('x');
  runs.clockGoesBack(10 * MINUTE);
  for (let rounds = 0; rounds < 6; rounds += 1) {
    runs.next();
    for (const account of ['a', 'b']) expect(runs.fails(account)).toBe(false);
  }
});

test('an attempt that is not the last one is no sign', () => {
  const runs = new Runs();
  runs.deletes('x');
  runs.fails('a', false);
  runs.next().deletes('y');
  expect(runs.fails('a', true)).toBe(false);
  runs.next().deletes('z');
  expect(runs.fails('a', true)).toBe(true);
});

test('one that fails for longer than any outage on record, and there is nobody else, is its own fault', () => {
  const runs = new Runs();
  for (let minutes = 0; minutes < 59; minutes += 5) expect(runs.next().fails('a')).toBe(false);
  expect(runs.next().fails('a')).toBe(true);
});

test('as soon as a second one fails, and nobody is deleted, neither fails alone', () => {
  const runs = new Runs();
  runs.fails('a');
  expect(runs.next(2 * HOUR).fails('b')).toBe(false);
  expect(runs.fails('a')).toBe(false);
  expect(runs.next(2 * HOUR).fails('a')).toBe(false);
});

test('a success clears the one that succeeds, and ends the suspicion against the provider', () => {
  const runs = new Runs();
  runs.fails('a');
  runs.next().deletes('a');
  expect(runs.next(2 * HOUR).fails('a')).toBe(false);
  runs.fails('b');
  runs.next().deletes('c');
  runs.next().fails('b');
  expect(runs.next(HOUR).fails('b')).toBe(true);
});

test('one that was given up stands in nobody’s way', () => {
  const runs = new Runs();
  runs.fails('a');
  expect(runs.next(HOUR).fails('a')).toBe(true);
  runs.givesUp('a');
  runs.next().fails('b');
  expect(runs.next(HOUR).fails('b')).toBe(true);
});

test('of more accounts than are watched at once the latest are', () => {
  const runs = new Runs();
  runs.deletes('x');
  for (let number = 0; number < 150; number += 1) runs.fails(`a-${number}`);
  runs.next().deletes('y');
  expect(runs.fails('a-149')).toBe(true);
  expect(runs.fails('a-0')).toBe(false);
});

test('what another version remembered differently counts as nothing', () => {
  const memory = { deletion_suspect: 7, watched_deletions: true, last_deletion_at: null };
  const signs = new DeletionSigns(memory, 5 * HOUR);
  expect(signs.failed('a', 0, true, 5 * HOUR)).toBe(false);
  expect(signs.failsAlone('a', 5 * HOUR)).toBe(false);
  expect(new DeletionSigns({ deletion_suspect: 'a' }, 5 * HOUR).failsAlone('a', 5 * HOUR)).toBe(false);
});
