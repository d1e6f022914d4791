import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const CHECKOUT = join(import.meta.dirname, '../..');

/** The sources as they are, whose functions a profile can tell by their files. */
export const SOURCES = join(CHECKOUT, 'src/main.ts');

const built = new Map<string, string>();

/**
 * What the image runs: the bundle, built now. Of a checkout from before there was one, the sources.
 *
 * @returns the module to start Node with
 */
export function brokerProgram(checkout = CHECKOUT): string {
  const known = built.get(checkout);
  if (known !== undefined) return known;
  const bundled = existsSync(join(checkout, 'rolldown.config.ts'));
  if (bundled) execFileSync('npm', ['run', '--silent', 'build'], { cwd: checkout });
  const program = join(checkout, bundled ? 'dist/main.js' : 'src/main.ts');
  built.set(checkout, program);
  return program;
}
