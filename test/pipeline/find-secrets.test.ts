import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const FIND_SECRETS = join(import.meta.dirname, '../../.ci/find-secrets');
/** Put together here, or they would be found in this file. */
const HEX = '0123456789abcdef'.repeat(2);
const KEY = ['AKIA', '1234567890ABCDEF'].join('');

function search(contents: string, options: { readonly isRepository?: boolean } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'find-secrets-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'planted'), `first line\n${contents}\n`);
  if (options.isRepository ?? true) {
    spawnSync('git', ['init', '-q'], { cwd: directory });
    spawnSync('git', ['add', 'planted'], { cwd: directory });
  }
  return spawnSync(FIND_SECRETS, {
    cwd: directory,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, GIT_CEILING_DIRECTORIES: tmpdir() },
  });
}

describe('.ci/find-secrets', () => {
  it.each([
    ['an access key of AWS', `id = ${KEY}`],
    ['a private key', ['-----BEGIN', 'RSA PRIVATE KEY-----'].join(' ')],
    ['a token in quotes', `const token = "${HEX}";`],
    ['an environment file', `BROKER_API_TOKEN=${HEX}`],
    ['an environment file whose token is no hexadecimal number', `CSP_API_TOKEN=${'Zx9-Qw_7'.repeat(4)}`],
    ['YAML', `  token: ${HEX}`],
    ['a Dockerfile', `ENV ANYTHING ${HEX}`],
    ['a header', `-H 'Authorization: Bearer ${HEX}'`],
  ])('finds a secret in %s, and says where without saying what', (_, line) => {
    const { status, stdout, stderr } = search(line);
    expect([status, stderr]).toEqual([1, '']);
    expect(stdout).toContain('planted:2\n');
    expect(stdout).not.toContain(HEX);
  });

  it('finds nothing where there is nothing, or what says that it is made for a test', () => {
    expect(search('BROKER_API_TOKEN=').status).toBe(0);
    expect(search('const token = "track-token-of-the-tests-of-today";').status).toBe(0);
  });

  it('does not take a search that failed for one that found nothing', () => {
    const { status, stderr } = search('nothing', { isRepository: false });
    expect([status, stderr]).toEqual([2, expect.stringContaining('The search failed')]);
  });
});
