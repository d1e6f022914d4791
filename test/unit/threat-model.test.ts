import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const text = readFileSync(resolve(ROOT, 'docs/threat-model.md'), 'utf8');
const risks = text.split('\n').filter((line) => line.startsWith('| API'));
const named = [...text.matchAll(/`((?:test|\.ci)\/[^`]+)`/g)].map((match) => String(match[1]));

test('The threat model has a line for each of the ten risks', () => {
  const numbers = new Set(risks.map((line) => Number(/API(\d+)/.exec(line)?.[1])));
  expect([...numbers].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('Each line of the threat model names a test', () => {
  const actors = text.split('\n').filter((line) => /^\| (an?|the) /.test(line));
  expect(actors.length).toBeGreaterThan(4);
  expect([...actors, ...risks].filter((line) => !/`(test|\.ci)\/[^`]+`/.test(line))).toEqual([]);
});

test.each([...new Set(named)])('%s, which the threat model names, exists', (path) => {
  expect(existsSync(resolve(ROOT, path))).toBe(true);
});

test('Each link of the threat model leads to the file that it shows', () => {
  for (const [, shown, target] of text.matchAll(/\[`([^`]+)`\]\(([^)]+)\)/g)) {
    expect(target).toBe(`../${shown}`);
  }
});
