import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const SOURCE = join(import.meta.dirname, '../../src');

/** Who may import whom, as docs/architecture.md draws it; rooms that are not here put things together. */
const ALLOWED: Record<string, readonly string[]> = {
  domain: [],
  store: ['domain'],
  csp: ['domain'],
  credentials: ['domain'],
  allocation: ['store', 'domain'],
  workers: ['allocation', 'store', 'csp', 'domain', 'observability'],
  http: ['allocation', 'workers', 'store', 'credentials', 'domain', 'observability'],
};

test('every import goes down the house', () => {
  const wrong: string[] = [];
  for (const entry of readdirSync(SOURCE, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const file = join(entry.parentPath, entry.name);
    const room = roomOf(file);
    const allowed = ALLOWED[room];
    if (allowed === undefined) continue;
    for (const [, target] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()'(\.[^']+)'/g)) {
      const other = roomOf(join(dirname(file), target as string));
      if (other !== room && !allowed.includes(other)) wrong.push(`${relative(SOURCE, file)} -> ${other}`);
    }
  }
  expect(wrong).toEqual([]);
});

function roomOf(file: string): string {
  return relative(SOURCE, file).split('/')[0] as string;
}
