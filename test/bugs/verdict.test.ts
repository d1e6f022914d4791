import { expect, test } from 'vitest';
import { verdictOf } from './verdict.ts';

const LIMIT_SECONDS = 300;
const ended = (code: number | null, output: string, ranOutOfTime = false) =>
  verdictOf({ code, output, ranOutOfTime }, LIMIT_SECONDS);

const ONE_FAILED = `
 FAIL  test/unit/one.test.ts > it does what it should
AssertionError: expected 1 to be 2

 Test Files  1 failed | 3 passed (4)
      Tests  1 failed | 20 passed (21)
`;
const NOT_LOADED = `
 FAIL  test/unit/one.test.ts [ test/unit/one.test.ts ]
Error: Cannot find module './gone.ts'

 Test Files  1 failed | 3 passed (4)
      Tests  20 passed (20)
`;
const NONE_RAN = NOT_LOADED.replace('20 passed (20)', 'no tests');

test('a check that fails with a failed test has caught the bug, and names the test', () => {
  expect(ended(1, ONE_FAILED)).toEqual({
    is: 'failed',
    because: 'test/unit/one.test.ts > it does what it should',
  });
});

test('a simulation that broke an invariant has caught it', () => {
  expect(ended(1, 'steps\nBROKEN I2: twice\n  at step 3\n')).toEqual({ is: 'failed', because: 'I2: twice' });
});

test('a check that passes has not', () => {
  expect(ended(0, '      Tests  21 passed (21)\n')).toEqual({ is: 'passed' });
});

test.each([
  ['its time ran out', null, '', true],
  ['its time ran out, though a test had failed before', null, ONE_FAILED, true],
  ['a file could not be loaded, and the other tests passed', 1, NOT_LOADED, false],
  ['no test ran at all', 1, NONE_RAN, false],
  ['the simulation could not start', 1, 'Error: Cannot find module\n', false],
  ['something else ended it', null, '', false],
])('it is undecided when %s', (_why, code, output, ranOutOfTime) => {
  expect(ended(code, output, ranOutOfTime).is).toBe('undecided');
});
