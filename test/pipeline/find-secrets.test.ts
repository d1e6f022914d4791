import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const FIND_SECRETS = join(import.meta.dirname, '../../.ci/find-secrets');
/** Put together here, or they would be found in this file. */
const HEX = '0123456789abcdef'.repeat(2);
const KEY = ['AKIA', '1234567890ABCDEF'].join('');
const MIXED = 'Zx9-Qw_7'.repeat(4);
const AWS_SECRET = 'aB3/dE6+gH'.repeat(4);

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
    ['an environment file whose token is no hexadecimal number', `CSP_API_TOKEN=${MIXED}`],
    ['YAML', `  token: ${HEX}`],
    ['YAML that sets a variable to no hexadecimal number', `      CSP_API_TOKEN: ${MIXED}`],
    ['the credentials file of AWS', `aws_secret_access_key = ${AWS_SECRET}`],
    ['credentials of an SDK', `{ accessKeyId, secretAccessKey: "${AWS_SECRET}" }`],
    ['a fine-grained token of GitHub', `curl -u me:${['github', 'pat'].join('_')}_${'1aB'.repeat(7)}`],
    ['a Dockerfile', `ENV ANYTHING ${HEX}`],
    ['a header', `-H 'Authorization: Bearer ${HEX}'`],
  ])('finds a secret in %s, and says where without saying what', (_, line) => {
    const { status, stdout, stderr } = search(line);
    expect([status, stderr]).toEqual([1, '']);
    expect(stdout).toContain('planted:2\n');
    for (const secret of [HEX, KEY, MIXED, AWS_SECRET]) expect(stdout).not.toContain(secret);
  });

  it('finds nothing where there is nothing, or what says that it is made for a test', () => {
    expect(search('BROKER_API_TOKEN=').status).toBe(0);
    expect(search('const token = "track-token-of-the-tests-of-today";').status).toBe(0);
    expect(search('CSP_API_TOKEN: arn:aws:secretsmanager:eu-central-1:123456789012:secret:csp').status).toBe(
      0,
    );
  });

  it('does not take a search that failed for one that found nothing', () => {
    const { status, stderr } = search('nothing', { isRepository: false });
    expect([status, stderr]).toEqual([2, expect.stringContaining('The search failed')]);
  });
});
