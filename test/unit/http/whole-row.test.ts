import { expect, test } from 'vitest';
import { presentSandbox } from '../../../src/http/schemas/sandbox.ts';
import { toSandbox } from '../../../src/store/sandbox-row.ts';

test('Operators are shown all that is read of a row, but for the form in which its status is stored', () => {
  const row = toSandbox({ PK: 'SBX#1', status: 'available' }, 4);
  const { storedStatus, ...read } = row;
  const names = Object.keys(read).map((name) =>
    name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  );
  expect(Object.keys(presentSandbox(row))).toEqual(expect.arrayContaining(names));
});
