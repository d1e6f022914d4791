import assert from 'node:assert/strict';
import { compressedBytes, filesOf, intruders, packagesOf, systemPackagesOf } from './contents.ts';
import type { Image } from './image.ts';

/** Bytes beyond which someone should look at what came in. */
const MAX_BYTES = 180_000_000;

/** Prints what an image holds, and refuses what it must not. */
export function checkContents(image: Image, tree: string, version: string): void {
  const files = filesOf(tree);
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const sizeBelow = (prefix: string) =>
    megabytes(files.filter(({ path }) => path.startsWith(prefix)).reduce((sum, file) => sum + file.bytes, 0));
  const packages = packagesOf(tree);
  print('');
  print(
    `Size              ${megabytes(bytes)} in ${files.length} files, ${megabytes(compressedBytes(tree))} compressed`,
  );
  print(`  Node            ${sizeBelow('/usr/local/bin/node')}`);
  print(`  npm packages    ${sizeBelow('/app/node_modules/')}: ${packages.length} of them`);
  print(`  the broker      ${sizeBelow('/app/dist/')}`);
  print(`  Debian          ${sizeBelow('/lib')}: ${systemPackagesOf(tree).join(', ')}`);
  print(`Command           ${image.command.join(' ')}`);
  print(`Health check      ${image.healthCheck.join(' ')}`);
  print(`User              ${image.user}`);
  for (const [name, value] of Object.entries(image.labels)) print(`Label             ${name}=${value}`);
  print(`npm packages      ${packages.join(', ')}`);
  print('');

  assert.deepEqual(
    intruders(tree),
    [],
    'Nothing is in it that is not needed, may be changed, or gives rights',
  );
  assert.ok(bytes < MAX_BYTES, `It is no larger than ${megabytes(MAX_BYTES)}`);
  assert.match(image.user, /^[1-9]\d*:[1-9]\d*$/, 'It runs as somebody who is not root, named by number');
  assert.equal(image.stopSignal, 'SIGTERM');
  assert.equal(image.labels['org.opencontainers.image.version'], version);
  for (const label of ['title', 'description', 'revision', 'created', 'base.name'])
    assert.ok(image.labels[`org.opencontainers.image.${label}`], `It has the label ${label}`);
  for (const command of [image.command, image.healthCheck])
    assert.ok(!command.some((word) => /\bsh\b/.test(word)), 'It needs no shell');
  print(
    'ok  no shell, no package manager, no sources, no development packages; nothing may be written or runs as root',
  );
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
