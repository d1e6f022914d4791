import { expect, test } from 'vitest';
import { Choices } from './choices.ts';

/** Every schedule of decisions between so many possibilities each. */
function walk(decisions: readonly number[], bound: number): string[] {
  const schedules: string[] = [];
  let given: readonly number[] | undefined = [];
  while (given !== undefined) {
    const choices: Choices = new Choices(given, bound);
    schedules.push(decisions.map((of) => choices.pick(of)).join(''));
    given = choices.following();
  }
  return schedules;
}

test('without a bound every combination comes once', () => {
  const schedules = walk([2, 3, 2], Number.POSITIVE_INFINITY);
  expect(schedules).toHaveLength(12);
  expect(new Set(schedules).size).toBe(12);
});

test('with a bound those come that deviate no more often from the ordinary course', () => {
  expect(walk([2, 3, 2], 0)).toEqual(['000']);
  expect(walk([2, 3, 2], 1)).toEqual(['000', '001', '010', '020', '100']);
  expect(walk([2, 3, 2], 2)).toHaveLength(10);
});

test('where there is one possibility nothing is decided', () => {
  expect(walk([1, 1, 1], 3)).toEqual(['000']);
});

test('a schedule that takes another course than before is noticed', () => {
  expect(() => new Choices([2], 1).pick(2)).toThrow('left to chance');
});
