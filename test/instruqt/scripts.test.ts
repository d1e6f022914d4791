import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findProgram, SCRIPTS, SHELL } from '../support/lab-host.ts';

const names = ['setup-sandbox.sh', 'cleanup-sandbox.sh'];
const shellcheck = findProgram('shellcheck');

function sharedPart(name: string): string {
  const text = readFileSync(join(SCRIPTS, name), 'utf8');
  return text.slice(text.indexOf('# ---- shared part'), text.indexOf('# ---- end of the shared part'));
}

describe.each(names)('%s', (name) => {
  test('can be executed and starts with #!/bin/sh', () => {
    expect(() => accessSync(join(SCRIPTS, name), constants.X_OK)).not.toThrow();
    expect(readFileSync(join(SCRIPTS, name), 'utf8')).toMatch(/^#!\/bin\/sh\n/);
  });

  test('the shell can parse it', () => {
    expect(spawnSync(SHELL, ['-n', join(SCRIPTS, name)], { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  test.skipIf(shellcheck === undefined)(
    `shellcheck finds nothing to say about it${shellcheck === undefined ? ' (needs shellcheck)' : ''}`,
    () => {
      const { status, stdout } = spawnSync(shellcheck ?? '', ['-s', 'sh', join(SCRIPTS, name)], {
        encoding: 'utf8',
      });
      expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    },
  );
});

test('the two scripts share the same lines', () => {
  expect(sharedPart('setup-sandbox.sh').length).toBeGreaterThan(5000);
  expect(sharedPart('cleanup-sandbox.sh')).toBe(sharedPart('setup-sandbox.sh'));
});

test('README.md names every variable and every exit code of the scripts', () => {
  const readme = readFileSync(join(SCRIPTS, 'README.md'), 'utf8');
  const scripts = names.map((name) => readFileSync(join(SCRIPTS, name), 'utf8')).join('\n');
  const variables = new Set([...scripts.matchAll(/\$\{([A-Z][A-Z_]+):-/g)].map((match) => match[1] ?? ''));
  const exitCodes = new Set([...scripts.matchAll(/\bfail (\d) /g)].map((match) => match[1] ?? ''));

  expect(variables.size).toBeGreaterThan(8);
  for (const variable of variables) expect(readme).toContain(`\`${variable}\``);
  for (const exitCode of exitCodes) expect(readme).toContain(`| ${exitCode} |`);
});
