import { afterAll, expect, test } from 'vitest';
import { call } from '../../support/client.ts';
import { runCommand } from '../../support/command-line.ts';
import { secretsManagerOfTest } from '../../support/secrets-manager.ts';
import { keepOutOfLogs, takeLeaks, watchedLog } from '../../support/watched-log.ts';

/** What was found in one line; nothing of it is left for the search that follows each test. */
function found(environment: Record<string, string>, line: string): string[] {
  watchedLog(environment)(line);
  return takeLeaks();
}

afterAll(() => {
  expect(takeLeaks()).toEqual([]);
});

test.each([
  ['a token of the environment', { BROKER_API_TOKEN: 'plain-0c1d2e' }, 'got plain-0c1d2e!'],
  [
    'the second of several named tokens',
    { BROKER_ADMIN_TOKEN: '{"a":"first-3f4a5b","b":"second-6c7d8e"}' },
    'second-6c7d8e',
  ],
  [
    'a token that JSON escapes',
    { NIOSXAAS_PASSWORD: 'with"quote\\9f0a' },
    JSON.stringify({ password: 'with"quote\\9f0a' }),
  ],
  ['a credential of a header that nobody named', {}, '{"authorization":"Bearer 1b2c3d4e"}'],
  ['a signed token that nobody named', {}, `token=${'eyJhbGciOiJub25lIn0'}.${'eyJzdWIiOiJ4In0x'}.sig`],
])('The search finds %s', (_, environment, line) => {
  expect(found(environment as Record<string, string>, line)).toEqual([line]);
});

test('The search finds a token that only Secrets Manager holds, one that only a request held, and one of another broker', async () => {
  const secrets = await secretsManagerOfTest();
  secrets.rotate('tokens', '{"team-a": "of-the-secret-2f3a"}');
  await call('GET', `${secrets.url}/`, { authorization: 'Bearer guessed-4b5c6d' });
  keepOutOfLogs('of-another-7e8f');
  for (const token of ['of-the-secret-2f3a', 'guessed-4b5c6d', 'of-another-7e8f'])
    expect(found({}, `{"cause":"${token}"}`)).toHaveLength(1);
});

test('The search looks at what commands print', async () => {
  const { stdout } = await runCommand({ CSP_API_TOKEN: 'sandbox-broker' }, '--help');
  expect(stdout).toContain('sandbox-broker');
  expect(takeLeaks()).toHaveLength(1);
});

test('The search finds nothing in a line without secrets, and no text that is too short to be one', () => {
  expect(found({ BROKER_API_TOKEN: 'abc' }, '{"action":"allocate","outcome":"abc"}')).toEqual([]);
});
