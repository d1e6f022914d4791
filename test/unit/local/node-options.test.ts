import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NODE_OPTIONS } from '../../../src/local/broker-process.ts';

const ROOT = join(import.meta.dirname, '../../..');

test('npm start, the image and npm run local tell Node the same', () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(scripts.start).toBe(['node', ...NODE_OPTIONS, 'src/main.ts'].join(' '));
  const command = /^CMD (.*)$/m.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))?.[1] ?? '';
  expect(JSON.parse(command)).toEqual(['node', ...NODE_OPTIONS, '/app/dist/main.js']);
});
