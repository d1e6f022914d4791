import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the repository begins. */
export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

export interface SourceFile {
  /** From the beginning of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
}

/** Every file below a folder of the repository whose name ends so. */
export function sourceFiles(folder: string, ending = '.ts'): SourceFile[] {
  return readdirSync(join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => ({
      path: `${folder}/${name.replaceAll('\\', '/')}`,
      text: readFileSync(join(REPOSITORY, folder, name), 'utf8'),
    }));
}
