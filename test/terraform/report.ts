import { KEPT_FOR_MOTO, NOT_ON_MOTO } from './moto-limits.ts';
import { sourceFiles } from './source-files.ts';
import type { StateResource } from './state.ts';

/** What was applied is not what should have been. */
export class CheckError extends Error {
  override readonly name = 'CheckError';
}

/** Every type of resource that the module can make, and where it was seen. @throws CheckError where one was not */
export function report(applied: readonly StateResource[]): string {
  const written = sourceFiles('terraform/modules', '.tf').flatMap(({ text }) =>
    [...text.matchAll(/^resource "(\w+)"/gm)].map(([, type]) => type!),
  );
  const lines = [...new Set(written)].sort().map((type) => {
    const count = applied.filter(
      (resource) => resource.type === type && resource.address.startsWith('module.broker.'),
    );
    const reason = NOT_ON_MOTO[type];
    if (count.length === 0 && reason === undefined)
      throw new CheckError(`${type} was not applied; add it to everything/main.tf`);
    if (count.length > 0 && reason !== undefined)
      throw new CheckError(`${type} was applied; take it out of moto-limits.ts`);
    return reason === undefined
      ? row(type, String(count.length), 'applied, destroyed')
      : row(type, '-', `mocked only: ${reason}`);
  });
  return [
    row('type', 'on moto', 'how it was checked'),
    ...lines,
    '',
    'Kept for moto, which drops it, by moto-server.py:',
    ...Object.entries(KEPT_FOR_MOTO).map(([type, what]) => `  ${type}: ${what}`),
    '',
  ].join('\n');
}

function row(type: string, count: string, how: string): string {
  return `${type.padEnd(54)} ${count.padStart(7)}  ${how}`;
}
