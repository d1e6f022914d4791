import { expect, test } from 'vitest';
import { readOptions } from './options.ts';

test('without options it is 200,000 steps from seed 1, and a minute for making a failure smaller', () => {
  expect(readOptions([])).toEqual({
    seed: 1,
    steps: 200_000,
    story: false,
    shrinkSeconds: 60,
    replay: undefined,
    exhaustive: false,
    bound: 2,
    help: false,
  });
});

test('numbers may be written in groups', () => {
  expect(readOptions(['--steps', '10_000_000'])).toMatchObject({ steps: 10_000_000 });
});

test.each([
  ['--steps', 'many'],
  ['--steps', '1e3'],
  ['--seed', '1.5'],
  ['--seed', ''],
  ['--shrink', '99999999999999999999'],
  ['--bound', 'two'],
])('%s "%s" is turned away by name', (option, value) => {
  expect(() => readOptions([option, value])).toThrow(`${option} takes a whole number, not "${value}"`);
});

test.each([[['--step', '1']], [['--seed']], [['--seed', '-1']], [['1']], [['--exhaustive=yes']]])(
  '%j is turned away',
  (commandLine) => {
    expect(() => readOptions(commandLine)).toThrow();
  },
);
