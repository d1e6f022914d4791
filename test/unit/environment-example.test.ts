import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { environmentExample } from '../../src/cli/commands/environment.ts';

test('.env.example lists every variable of the schema as it is now', () => {
  const committed = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
  expect(committed).toBe(environmentExample());
});
