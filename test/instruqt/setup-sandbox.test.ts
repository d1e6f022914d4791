import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findProgram, LabHost, type ScriptRun, SHELL } from '../support/lab-host.ts';
import {
  errorAnswer,
  type ScriptedAnswer,
  type ScriptedServer,
  startScriptedServer,
} from '../support/scripted-server.ts';

const TOKEN = 'track"token\\with$signs';
const SANDBOX = {
  sandbox_id: '2009521',
  name: 'lab-adventure-0087',
  external_id: 'identity/accounts/5f0c',
  allocated_at: 1_700_000_000,
  expires_at: 1_700_014_400,
  sfdc_account_id: '001SAND',
};
const ALLOCATED: ScriptedAnswer = { status: 201, body: SANDBOX };
const REPLAYED: ScriptedAnswer = { status: 200, body: SANDBOX };

const EMPTY_POOL = errorAnswer(409, 'NO_SANDBOXES_AVAILABLE', 30);

function labHost(): LabHost {
  const host = new LabHost();
  onTestFinished(() => host.remove());
  return host;
}

async function brokerThatGives(...script: ScriptedAnswer[]): Promise<ScriptedServer> {
  const server = await startScriptedServer(...script);
  onTestFinished(() => server.close());
  return server;
}

function environmentFor(server: ScriptedServer): Record<string, string> {
  return {
    BROKER_URL: `${server.url}/v1`,
    BROKER_API_TOKEN: TOKEN,
    INSTRUQT_PARTICIPANT_ID: 'participant-1',
  };
}

/** Runs the set-up on a fresh host against a broker that gives these answers. */
async function setUp(
  script: ScriptedAnswer[],
  environment: Record<string, string> = {},
): Promise<ScriptRun & { server: ScriptedServer; host: LabHost }> {
  const server = await brokerThatGives(...script);
  const host = labHost();
  const run = await host.run('setup-sandbox.sh', { ...environmentFor(server), ...environment });
  return { ...run, server, host };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

const noCurl = findProgram('curl') === undefined;

describe.skipIf(noCurl)(`setup-sandbox.sh under ${basename(SHELL)}${noCurl ? ' (needs curl)' : ''}`, () => {
  describe('a sandbox is free', () => {
    test('it exits 0 and leaves what it got in a file that only its user can read', async () => {
      const { exitCode, stdout, stderr, host, waits } = await setUp([ALLOCATED]);

      expect(exitCode).toBe(0);
      expect(stdout).toBe(
        [
          "export SANDBOX_ID='2009521'",
          "export SANDBOX_NAME='lab-adventure-0087'",
          "export SANDBOX_EXTERNAL_ID='identity/accounts/5f0c'",
          "export SANDBOX_EXPIRES_AT='1700014400'",
          "export SFDC_ACCOUNT_ID='001SAND'",
          '',
        ].join('\n'),
      );
      expect(readFileSync(host.envFile, 'utf8')).toBe(stdout);
      expect(statSync(host.envFile).mode & 0o777).toBe(0o600);
      expect(stderr).toContain('allocated sandbox lab-adventure-0087 (2009521)');
      expect(waits).toEqual([]);
    });

    test('it posts to /allocate with the participant as the caller, and with no body', async () => {
      const { server } = await setUp([ALLOCATED]);

      expect(server.requests).toHaveLength(1);
      const [request] = server.requests;
      expect(request).toMatchObject({ method: 'POST', path: '/v1/allocate', body: '' });
      expect(request?.headers).toMatchObject({
        authorization: `Bearer ${TOKEN}`,
        'x-instruqt-sandbox-id': 'participant-1',
        'content-length': '0',
      });
      expect(request?.headers['x-request-id']).toMatch(/^lab-[0-9a-f]{16}$/);
      for (const absent of [
        'content-type',
        'x-instruqt-track-id',
        'x-sandbox-name-prefix',
        'idempotency-key',
      ]) {
        expect(request?.headers).not.toHaveProperty(absent);
      }
    });

    test('it sends the lab, the name prefix and the idempotency key when they are set', async () => {
      const { server } = await setUp([ALLOCATED], {
        INSTRUQT_TRACK_SLUG: 'dns-basics',
        SANDBOX_NAME_PREFIX: 'lab-"adventure"',
        IDEMPOTENCY_KEY: 'key\\1',
      });

      expect(server.requests[0]?.headers).toMatchObject({
        'x-instruqt-track-id': 'dns-basics',
        'x-sandbox-name-prefix': 'lab-"adventure"',
        'idempotency-key': 'key\\1',
      });
    });

    test('a slash at the end of BROKER_URL makes no difference', async () => {
      const server = await brokerThatGives(ALLOCATED);
      const { exitCode } = await labHost().run('setup-sandbox.sh', {
        ...environmentFor(server),
        BROKER_URL: `${server.url}/v1//`,
      });

      expect(exitCode).toBe(0);
      expect(server.requests[0]?.path).toBe('/v1/allocate');
    });

    test('a sandbox without sfdc_account_id is stored without it', async () => {
      const { sfdc_account_id: _, ...sandbox } = SANDBOX;
      const absent = await setUp([{ status: 201, body: sandbox }]);
      const empty = await setUp([{ status: 201, body: { ...sandbox, sfdc_account_id: null } }]);

      expect([absent.exitCode, empty.exitCode]).toEqual([0, 0]);
      expect(absent.stdout + empty.stdout).not.toContain('SFDC_ACCOUNT_ID');
    });

    test('a name with every printable character comes back unchanged from the file', async () => {
      const name = String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 32 + index));
      const escaped = [...name]
        .map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
        .join('');
      for (const literal of [JSON.stringify(name), `"${escaped}"`]) {
        const body = `{ "extra" : [ {"name":"no"}, [], {}, true, -1.5e3 ],\n"name" : ${literal},
          "sandbox_id": 2009521, "external_id": "a\\/b", "allocated_at": 1, "expires_at": 2, "other": null }\n`;
        const { exitCode, host } = await setUp([{ status: 201, body }]);

        expect(exitCode).toBe(0);
        writeFileSync(
          join(host.directory, 'read-back.sh'),
          `. ${host.envFile}; printf '%s' "$SANDBOX_ID|$SANDBOX_EXTERNAL_ID|$SANDBOX_NAME"`,
        );
        const readBack = await host.run(join(host.directory, 'read-back.sh'), {});
        expect(readBack.stdout).toBe(`2009521|a/b|${name}`);
      }
    });

    test('an interim answer before the real one is passed over', async () => {
      const { exitCode, waits } = await setUp([{ afterHints: { status: 503, body: {} } }, ALLOCATED]);

      expect(exitCode).toBe(0);
      expect(waits[0]).toBeLessThan(50);
    });

    test('the lab gets runtime variables where Instruqt offers them', async () => {
      const server = await brokerThatGives(ALLOCATED);
      const host = labHost();
      host.install('agent', 'echo "variable saved"');
      const { exitCode, commands, stdout } = await host.run('setup-sandbox.sh', environmentFor(server));

      expect(exitCode).toBe(0);
      expect(commands.split('\n').filter((line) => line.startsWith('agent '))).toEqual([
        'agent variable set SANDBOX_ID 2009521',
        'agent variable set SANDBOX_NAME lab-adventure-0087',
        'agent variable set SANDBOX_EXTERNAL_ID identity/accounts/5f0c',
        'agent variable set SANDBOX_EXPIRES_AT 1700014400',
        'agent variable set SFDC_ACCOUNT_ID 001SAND',
      ]);
      expect(stdout).not.toContain('variable saved');
    });

    test('it exits 6 when a runtime variable cannot be set, and the file is there for the clean-up', async () => {
      const { sfdc_account_id: _, ...sandbox } = SANDBOX;
      const server = await brokerThatGives({ status: 201, body: sandbox });
      const host = labHost();
      host.install('agent', 'echo "agent is unwell" >&2; exit 1');
      const { exitCode, stderr } = await host.run('setup-sandbox.sh', environmentFor(server));

      expect(exitCode).toBe(6);
      expect(stderr).toContain('is allocated, but what the lab needs of it could not be stored');
      expect(readFileSync(host.envFile, 'utf8')).toContain("SANDBOX_ID='2009521'");
    });

    test('a link in the place of the file is replaced, and what it points to is left alone', async () => {
      const server = await brokerThatGives(ALLOCATED);
      const host = labHost();
      const target = join(host.directory, 'target');
      writeFileSync(target, 'untouched');
      symlinkSync(target, host.envFile);
      const { exitCode } = await host.run('setup-sandbox.sh', environmentFor(server));

      expect(exitCode).toBe(0);
      expect(readFileSync(target, 'utf8')).toBe('untouched');
      expect(readFileSync(host.envFile, 'utf8')).toContain("SANDBOX_ID='2009521'");
    });

    test('a link that somebody puts in its way at the last moment is not written through: exit 6', async () => {
      const server = await brokerThatGives(ALLOCATED);
      const host = labHost();
      const target = join(host.directory, 'target');
      writeFileSync(target, 'untouched');
      // Right after the script made sure that nothing is in the way of its draft.
      host.install('rm', `${findProgram('ln')} -s ${target} "$3"`);
      const { exitCode } = await host.run('setup-sandbox.sh', environmentFor(server));

      expect(exitCode).toBe(6);
      expect(readFileSync(target, 'utf8')).toBe('untouched');
      expect(existsSync(host.envFile)).toBe(false);
    });
  });

  describe('something fails on the way', () => {
    test.each([
      ['a 503 with Retry-After', errorAnswer(503, 'ALLOCATION_CONTENTION', 7)],
      ['a 429 with Retry-After', errorAnswer(429, 'RATE_LIMIT_EXCEEDED', 7)],
      ['a 502 of a load balancer in HTML', { status: 502, body: '<html>\n<h1>Bad "Gateway"</h1></html>\n' }],
      ['a connection that breaks after the request', 'reset'],
      ['an answer that ends too early', { status: 201, cutShort: JSON.stringify(SANDBOX) }],
      ['a body that was cut short by somebody else', { status: 201, body: '{"sandbox_id":"2009521","na' }],
      ['a body with something after its end', { status: 201, body: `${JSON.stringify(SANDBOX)}<hr>` }],
      ['a success that lacks the sandbox', { status: 201, body: { sandbox_id: '2009521' } }],
      ['a success in HTML', { status: 200, body: '<html>{"sandbox_id":"1"}</html>' }],
      ['a 408', { status: 408, body: '' }],
    ] satisfies [string, ScriptedAnswer][])(
      'after %s it sends the same headers again and exits 0',
      async (_, answer) => {
        const { exitCode, server, waits, stdout, stderr } = await setUp([answer, answer, REPLAYED], {
          INSTRUQT_TRACK_SLUG: 'dns-basics',
          SANDBOX_NAME_PREFIX: 'lab-',
          IDEMPOTENCY_KEY: 'key-1',
        });

        expect(stderr).toContain('this play has its sandbox already: lab-adventure-0087');
        expect(exitCode).toBe(0);
        expect(stdout).toContain("SANDBOX_ID='2009521'");
        expect(waits).toHaveLength(2);
        expect(server.requests).toHaveLength(3);
        expect(server.requests[1]).toEqual(server.requests[0]);
        expect(server.requests[2]).toEqual(server.requests[0]);
      },
    );

    test('it waits at least as long as Retry-After says, and not always the same', async () => {
      const { exitCode, waits, stderr } = await setUp([errorAnswer(503, 'SERVICE_UNAVAILABLE', 20)], {
        BROKER_BUDGET_SECONDS: '500',
      });

      expect(exitCode).toBe(5);
      expect(waits.length).toBeGreaterThan(8);
      for (const wait of waits) {
        expect(wait).toBeGreaterThanOrEqual(20);
        expect(wait).toBeLessThanOrEqual(50);
      }
      expect(new Set(waits).size).toBeGreaterThan(1);
      expect(stderr).toContain(`next try in ${waits[0]} s`);
    });

    test('retry_after of the body counts when the header got lost', async () => {
      const { waits } = await setUp([
        { status: 503, body: { error: { code: 'SERVICE_UNAVAILABLE', message: '', retry_after: 12 } } },
        ALLOCATED,
      ]);

      expect(waits[0]).toBeGreaterThanOrEqual(12);
    });

    test('without Retry-After the waits grow up to 30 s, by chance', async () => {
      const { exitCode, waits } = await setUp([{ status: 500, body: '' }], { BROKER_BUDGET_SECONDS: '400' });

      expect(exitCode).toBe(5);
      const limits = [3, 5, 9, 17];
      for (const [index, wait] of waits.entries()) {
        expect(wait).toBeGreaterThanOrEqual(1);
        expect(wait).toBeLessThanOrEqual(limits[index] ?? 31);
      }
      expect(Math.max(...waits)).toBeGreaterThan(9);
      expect(new Set(waits).size).toBeGreaterThan(4);
    });

    test.each([
      ['008', 8],
      ['Wed, 21 Oct 2026 07:28:00 GMT', 1],
      ['-5', 1],
      ['1.5', 1],
      ['soon', 1],
    ])('Retry-After: %s is read as at least %i s', async (value, least) => {
      const { exitCode, waits } = await setUp([
        { status: 503, headers: { 'retry-after': value } },
        ALLOCATED,
      ]);

      expect(exitCode).toBe(0);
      expect(waits).toHaveLength(1);
      expect(waits[0]).toBeGreaterThanOrEqual(least);
      expect(waits[0]).toBeLessThanOrEqual(least + 4);
    });

    test('it gives up at once when the broker asks for more time than is left', async () => {
      for (const value of ['180', '99999999999999999999']) {
        const { exitCode, waits, server } = await setUp([
          { status: 503, headers: { 'retry-after': value } },
          ALLOCATED,
        ]);

        expect(exitCode).toBe(5);
        expect(waits).toEqual([]);
        expect(server.requests).toHaveLength(1);
      }
    });

    test('waits and tries stay within the budget, and the message tells of the last try', async () => {
      const { exitCode, waits, server, stdout, stderr, host } = await setUp(
        [errorAnswer(503, 'SERVICE_UNAVAILABLE', 2)],
        { BROKER_BUDGET_SECONDS: '40' },
      );

      expect(exitCode).toBe(5);
      expect(sum(waits)).toBeLessThan(40);
      expect(server.requests).toHaveLength(waits.length + 1);
      expect(stderr).toMatch(
        /gave up after \d+ tries .* HTTP 503 SERVICE_UNAVAILABLE: said "SERVICE_UNAVAILABLE" \(request id request-7\)/,
      );
      expect(stdout).toBe('');
      expect(existsSync(host.envFile)).toBe(false);
    });

    test('a try that hangs is cut off after BROKER_TRY_SECONDS and made again', async () => {
      const { exitCode, server, stderr } = await setUp(['hang', ALLOCATED], { BROKER_TRY_SECONDS: '1' });

      expect(stderr).toContain("curl's exit code 28");
      expect(exitCode).toBe(0);
      expect(server.requests[1]).toEqual(server.requests[0]);
    });

    test('a try that hangs is cut off when the budget ends', async () => {
      const { exitCode, waits, server } = await setUp(['hang'], { BROKER_BUDGET_SECONDS: '1' });

      expect(exitCode).toBe(5);
      expect(waits).toEqual([]);
      expect(server.requests).toHaveLength(1);
    });

    test('a broker that cannot be reached is tried until the budget ends', async () => {
      const server = await startScriptedServer(ALLOCATED);
      await server.close();
      const { exitCode, waits, stderr } = await labHost().run('setup-sandbox.sh', environmentFor(server));

      expect(exitCode).toBe(5);
      expect(waits.length).toBeGreaterThan(3);
      expect(stderr).toMatch(/Last: no answer from .* \(curl's exit code 7, request id lab-[0-9a-f]{16}\)/);
    });
  });

  describe('the pool is empty', () => {
    test('it keeps trying for BROKER_EMPTY_POOL_SECONDS as the broker asks, then says so and exits 3', async () => {
      const { exitCode, waits, stdout, stderr, server, host } = await setUp([EMPTY_POOL], {
        BROKER_BUDGET_SECONDS: '1000',
        BROKER_EMPTY_POOL_SECONDS: '200',
      });

      expect(exitCode).toBe(3);
      expect(stderr).toContain('the pool is empty: no sandbox is free for this play');
      expect(stderr).toContain('request-7');
      expect(server.requests.length).toBeGreaterThan(3);
      for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(30);
      expect(sum(waits)).toBeLessThan(200);
      expect(stdout).toBe('');
      expect(existsSync(host.envFile)).toBe(false);
    });

    test('the message names the prefix when there is one', async () => {
      const { stderr } = await setUp([EMPTY_POOL], { SANDBOX_NAME_PREFIX: 'gold-' });

      expect(stderr).toContain('the pool is empty of sandboxes whose name begins with gold-:');
    });

    test('a sandbox that comes free meanwhile is taken', async () => {
      const { exitCode, server } = await setUp([EMPTY_POOL, ALLOCATED]);

      expect(exitCode).toBe(0);
      expect(server.requests[1]).toEqual(server.requests[0]);
    });

    test('with BROKER_EMPTY_POOL_SECONDS=0 it exits 3 after one try', async () => {
      const { exitCode, waits, server } = await setUp([EMPTY_POOL], { BROKER_EMPTY_POOL_SECONDS: '0' });

      expect(exitCode).toBe(3);
      expect(waits).toEqual([]);
      expect(server.requests).toHaveLength(1);
    });

    test('the whole budget bounds the wait for a sandbox too', async () => {
      const { exitCode, waits } = await setUp([EMPTY_POOL], {
        BROKER_BUDGET_SECONDS: '50',
        BROKER_EMPTY_POOL_SECONDS: '500',
      });

      expect(exitCode).toBe(3);
      expect(waits).toHaveLength(1);
      expect(sum(waits)).toBeLessThan(50);
    });

    test('time spent on other failures does not shorten the wait for a sandbox', async () => {
      const { exitCode } = await setUp([errorAnswer(503, 'SERVICE_UNAVAILABLE', 90), EMPTY_POOL, ALLOCATED], {
        BROKER_BUDGET_SECONDS: '500',
      });

      expect(exitCode).toBe(0);
    });
  });

  describe('the broker refuses', () => {
    test.each([
      [400, 'INVALID_TRACK_ID'],
      [401, 'UNAUTHORIZED'],
      [403, 'FORBIDDEN'],
      [404, 'NOT_FOUND'],
      [415, 'UNSUPPORTED_MEDIA_TYPE'],
    ])('a %i is final: one try, exit 4, and the broker’s words', async (status, code) => {
      const { exitCode, waits, server, stderr, host } = await setUp([
        errorAnswer(status, code, 1),
        ALLOCATED,
      ]);

      expect(exitCode).toBe(4);
      expect(server.requests).toHaveLength(1);
      expect(waits).toEqual([]);
      expect(stderr).toContain(`HTTP ${status} ${code}: said "${code}" (request id request-7)`);
      expect(existsSync(host.envFile)).toBe(false);
    });

    test('a redirect is not followed: the token goes to BROKER_URL only', async () => {
      const elsewhere = await brokerThatGives(ALLOCATED);
      const { exitCode, stderr } = await setUp([
        { status: 307, headers: { location: `${elsewhere.url}/v1/allocate` } },
      ]);

      expect(exitCode).toBe(4);
      expect(elsewhere.requests).toEqual([]);
      expect(stderr).toContain('HTTP 307');
    });
  });

  describe('the lab is set up wrongly', () => {
    test.each([
      [
        'INSTRUQT_PARTICIPANT_ID',
        'empty',
        '',
        /INSTRUQT_PARTICIPANT_ID is empty: this play has no participant/,
      ],
      [
        'INSTRUQT_PARTICIPANT_ID',
        'of two words',
        'two words',
        /PARTICIPANT_ID may hold printable ASCII only/,
      ],
      [
        'INSTRUQT_PARTICIPANT_ID',
        'with a line break',
        'line\nX-Other: 1',
        /INSTRUQT_PARTICIPANT_ID may hold/,
      ],
      ['INSTRUQT_PARTICIPANT_ID', 'beyond ASCII', 'andré', /INSTRUQT_PARTICIPANT_ID may hold/],
      ['INSTRUQT_PARTICIPANT_ID', 'too long', 'p'.repeat(257), /INSTRUQT_PARTICIPANT_ID is longer than 256/],
      ['INSTRUQT_TRACK_SLUG', 'with a space', 'a b', /INSTRUQT_TRACK_SLUG may hold/],
      ['SANDBOX_NAME_PREFIX', 'with a tab', 'a\tb', /SANDBOX_NAME_PREFIX may hold/],
      ['IDEMPOTENCY_KEY', 'too long', 'k'.repeat(257), /IDEMPOTENCY_KEY is longer/],
      ['BROKER_API_TOKEN', 'empty', '', /BROKER_API_TOKEN is empty/],
      ['BROKER_API_TOKEN', 'with a line break', 'secret-part\nurl', /BROKER_API_TOKEN may hold/],
      ['BROKER_URL', 'empty', '', /BROKER_URL is empty/],
      ['BROKER_URL', 'without a scheme', 'broker.example/v1', /BROKER_URL must begin with https/],
      ['BROKER_URL', 'with a query', 'https://broker.example/v1?x', /no query/],
      [
        'BROKER_BUDGET_SECONDS',
        'of zero',
        '0',
        /BROKER_BUDGET_SECONDS must be a whole number of seconds from 1/,
      ],
      ['BROKER_BUDGET_SECONDS', 'with a leading zero', '09', /BROKER_BUDGET_SECONDS must/],
      ['BROKER_CONNECT_SECONDS', 'with a fraction', '1.5', /BROKER_CONNECT_SECONDS must/],
      ['BROKER_TRY_SECONDS', 'of more than a day', '100000', /BROKER_TRY_SECONDS must/],
      [
        'BROKER_EMPTY_POOL_SECONDS',
        'below zero',
        '-1',
        /EMPTY_POOL_SECONDS must be a whole number of seconds from 0/,
      ],
    ])('%s %s exits 2 with a message, and no call is made', async (name, _, value, message) => {
      const { exitCode, server, stderr } = await setUp([ALLOCATED], { [name]: value });

      expect(exitCode).toBe(2);
      expect(stderr).toMatch(message);
      expect(stderr).not.toContain('secret-part');
      expect(server.requests).toEqual([]);
    });

    test('ids of 256 characters are sent', async () => {
      const { exitCode } = await setUp([ALLOCATED], { INSTRUQT_PARTICIPANT_ID: 'p'.repeat(256) });

      expect(exitCode).toBe(0);
    });

    test('a place that cannot be written exits 6 before a sandbox is taken', async () => {
      const { exitCode, server, stderr } = await setUp([ALLOCATED], {
        SANDBOX_ENV_FILE: '/nowhere/at/all/sandbox.env',
      });

      expect(exitCode).toBe(6);
      expect(stderr).toContain('cannot write /nowhere/at/all/sandbox.env');
      expect(server.requests).toEqual([]);
    });

    test('an address that curl cannot use exits 2 at once', async () => {
      const { exitCode, waits, stderr } = await setUp([ALLOCATED], { BROKER_URL: 'http://broker:port/v1' });

      expect(exitCode).toBe(2);
      expect(waits).toEqual([]);
      expect(stderr).toContain('curl cannot call http://broker:port/v1/allocate');
    });

    test('a host without curl exits 2 and says so', async () => {
      const server = await brokerThatGives(ALLOCATED);
      const host = new LabHost(['awk', 'od', 'tr', 'sed', 'mv', 'rm']);
      onTestFinished(() => host.remove());
      const { exitCode, stderr } = await host.run('setup-sandbox.sh', environmentFor(server));

      expect(exitCode).toBe(2);
      expect(stderr).toContain('curl is not installed');
    });
  });

  describe('the token', () => {
    test('it shows in no output, no file and no argument of a program, not even under sh -x', async () => {
      const server = await brokerThatGives(errorAnswer(503, 'SERVICE_UNAVAILABLE', 1), 'reset', ALLOCATED);
      const host = labHost();
      host.install('agent', 'case $(export -p) in *BROKER_API_TOKEN*) exit 1 ;; esac');
      const { exitCode, stdout, stderr, commands } = await host.run(
        'setup-sandbox.sh',
        environmentFor(server),
        '-x',
      );

      expect(exitCode).toBe(0);
      expect(server.requests[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
      expect(commands).toContain('curl -q --config -');
      for (const text of [stdout, stderr, commands, readFileSync(host.envFile, 'utf8')]) {
        // A part of it, so that no way of quoting hides it.
        expect(text).not.toContain('track"token');
        expect(text).not.toContain('signs');
      }
    });

    test('a .curlrc of the lab changes nothing', async () => {
      const server = await brokerThatGives(ALLOCATED);
      const host = labHost();
      writeFileSync(join(host.directory, '.curlrc'), 'verbose\nheader = "X-Other: 1"\n');
      const { stderr } = await host.run('setup-sandbox.sh', environmentFor(server));

      expect(stderr).not.toContain('signs');
      expect(server.requests[0]?.headers).not.toHaveProperty('x-other');
    });
  });
});
