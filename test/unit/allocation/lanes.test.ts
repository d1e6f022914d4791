import { expect, test } from 'vitest';
import { Lanes } from '../../../src/allocation/lanes.ts';

test('no more run at once than there are lanes, in the order in which they came, and a failure frees its lane', async () => {
  const lanes = new Lanes(2);
  const log: string[] = [];
  const ends = new Map<string, () => void>();
  const run = (name: string) =>
    lanes.run(async () => {
      log.push(`${name} begins`);
      await new Promise<void>((resolve) => ends.set(name, resolve));
      log.push(`${name} ends`);
      if (name === 'a') throw new Error(name);
      return name;
    });
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(run);
  expect(log).toEqual(['a begins', 'b begins']);
  ends.get('a')!();
  await expect(a).rejects.toThrow('a');
  expect(log).toEqual(['a begins', 'b begins', 'a ends', 'c begins']);
  ends.get('b')!();
  await b;
  ends.get('c')!();
  await c;
  ends.get('d')!();
  expect(await d).toBe('d');
  expect(log.slice(4)).toEqual(['b ends', 'd begins', 'c ends', 'd ends']);
});
