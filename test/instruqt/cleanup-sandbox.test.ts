import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
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
const RELEASED: ScriptedAnswer = {
  status: 200,
  body: { sandbox_id: '2009521', status: 'pending_deletion', deletion_requested_at: 1_700_000_000 },
};

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
    BROKER_URL: `${server.url}/v1/`,
    BROKER_API_TOKEN: TOKEN,
    INSTRUQT_PARTICIPANT_ID: 'participant-1',
  };
}

/** Runs the clean-up of a lab that got sandbox 2009521 against a broker that gives these answers. */
async function cleanUp(
  script: ScriptedAnswer[],
  environment: Record<string, string> = {},
  stored = "export SANDBOX_ID='2009521'\nexport SANDBOX_NAME='lab-1'\n",
): Promise<ScriptRun & { server: ScriptedServer; host: LabHost }> {
  const server = await brokerThatGives(...script);
  const host = labHost();
  writeFileSync(host.envFile, stored);
  const run = await host.run('cleanup-sandbox.sh', { ...environmentFor(server), ...environment });
  return { ...run, server, host };
}

const noCurl = findProgram('curl') === undefined;

describe.skipIf(noCurl)(`cleanup-sandbox.sh under ${basename(SHELL)}${noCurl ? ' (needs curl)' : ''}`, () => {
  describe('the lab has a sandbox', () => {
    test('it gives the sandbox back, exits 0 and removes the file', async () => {
      const { exitCode, stdout, stderr, server, waits, host } = await cleanUp([RELEASED]);

      expect(exitCode).toBe(0);
      expect(stderr).toContain('sandbox 2009521 is given back');
      expect(stdout).toBe('');
      expect(waits).toEqual([]);
      expect(existsSync(host.envFile)).toBe(false);
      expect(server.requests).toHaveLength(1);
      expect(server.requests[0]).toMatchObject({
        method: 'POST',
        path: '/v1/sandboxes/2009521/mark-for-deletion',
        body: '',
      });
      expect(server.requests[0]?.headers).toMatchObject({
        authorization: `Bearer ${TOKEN}`,
        'x-instruqt-sandbox-id': 'participant-1',
      });
      expect(server.requests[0]?.headers).not.toHaveProperty('content-type');
    });

    test('it reads what setup-sandbox.sh wrote, whatever the id is made of', async () => {
      const sandboxId = `identity/accounts/o'neil "\\" 100%?#'`;
      const server = await brokerThatGives(
        { status: 201, body: { sandbox_id: sandboxId, name: 'n', external_id: 'e', expires_at: 2 } },
        RELEASED,
      );
      const host = labHost();
      const environment = environmentFor(server);
      await host.run('setup-sandbox.sh', environment);
      const { exitCode } = await host.run('cleanup-sandbox.sh', environment);

      expect(exitCode).toBe(0);
      const path = server.requests[1]?.path ?? '';
      const segment = /^\/v1\/sandboxes\/([^/?#]+)\/mark-for-deletion$/.exec(path)?.[1] ?? '';
      expect(decodeURIComponent(segment)).toBe(sandboxId);
    });

    test('nothing that a learner wrote into the file is run', async () => {
      const host = labHost();
      const witness = join(host.directory, 'witness');
      const server = await brokerThatGives(RELEASED);
      writeFileSync(host.envFile, `echo > ${witness}\nexport SANDBOX_ID='$(echo > ${witness})'\n`);
      await host.run('cleanup-sandbox.sh', environmentFor(server));

      expect(existsSync(witness)).toBe(false);
      expect(server.requests).toHaveLength(1);
    });

    test.each([
      ['a 503 with Retry-After', errorAnswer(503, 'SERVICE_UNAVAILABLE', 7)],
      ['a 429 with Retry-After', errorAnswer(429, 'RATE_LIMIT_EXCEEDED', 7)],
      ['a 500', errorAnswer(500, 'INTERNAL_ERROR')],
      ['a 502 in HTML', { status: 502, body: '<html></html>' }],
      ['a connection that breaks after the request', 'reset'],
      ['an answer that ends too early', { status: 200, cutShort: '{"status":"pending_deletion"}' }],
      ['a success that is not the broker’s', { status: 200, body: '<html></html>' }],
    ] satisfies [string, ScriptedAnswer][])('after %s it tries again and exits 0', async (_, answer) => {
      const { exitCode, server, waits } = await cleanUp([answer, RELEASED]);

      expect(exitCode).toBe(0);
      expect(waits).toHaveLength(1);
      if (typeof answer === 'object' && 'headers' in answer && 'retry-after' in answer.headers) {
        expect(waits[0]).toBeGreaterThanOrEqual(7);
      }
      expect(server.requests[1]).toEqual(server.requests[0]);
    });

    test('it gives up with 5 when the budget ends, and keeps the file', async () => {
      const { exitCode, waits, stderr, host } = await cleanUp([errorAnswer(503, 'SERVICE_UNAVAILABLE', 3)], {
        BROKER_BUDGET_SECONDS: '30',
      });

      expect(exitCode).toBe(5);
      expect(waits.reduce((total, wait) => total + wait, 0)).toBeLessThan(30);
      expect(stderr).toContain('the broker takes the sandbox back when its time is over');
      expect(existsSync(host.envFile)).toBe(true);
    });

    test('a hanging broker is cut off and tried again', async () => {
      const { exitCode, server } = await cleanUp(['hang', RELEASED], { BROKER_TRY_SECONDS: '5' });

      expect(exitCode).toBe(0);
      expect(server.requests).toHaveLength(2);
    });

    test.each([
      [400, 'VALIDATION_ERROR'],
      [401, 'UNAUTHORIZED'],
      [403, 'FORBIDDEN'],
    ])('a %i is final: one try, exit 4, and the broker’s words', async (status, code) => {
      const { exitCode, server, stderr, host } = await cleanUp([errorAnswer(status, code), RELEASED]);

      expect(exitCode).toBe(4);
      expect(server.requests).toHaveLength(1);
      expect(stderr).toContain(`HTTP ${status} ${code}: said "${code}" (request id request-7)`);
      expect(existsSync(host.envFile)).toBe(true);
    });

    test('a sandbox of somebody else is not given back: exit 4 and a message of its own', async () => {
      const { exitCode, stderr } = await cleanUp([errorAnswer(403, 'NOT_SANDBOX_OWNER')]);

      expect(exitCode).toBe(4);
      expect(stderr).toContain('sandbox 2009521 does not belong to this play');
    });

    test('without a participant it exits 2 and makes no call', async () => {
      const { exitCode, server, stderr } = await cleanUp([RELEASED], { INSTRUQT_PARTICIPANT_ID: '' });

      expect(exitCode).toBe(2);
      expect(stderr).toContain('INSTRUQT_PARTICIPANT_ID is empty');
      expect(server.requests).toEqual([]);
    });

    test('the token shows in no output and no argument of a program, not even under sh -x', async () => {
      const server = await brokerThatGives('reset', RELEASED);
      const host = labHost();
      writeFileSync(host.envFile, "export SANDBOX_ID='2009521'\n");
      const { exitCode, stdout, stderr, commands } = await host.run(
        'cleanup-sandbox.sh',
        environmentFor(server),
        '-x',
      );

      expect(exitCode).toBe(0);
      for (const text of [stdout, stderr, commands]) {
        expect(text).not.toContain('track"token');
        expect(text).not.toContain('signs');
      }
    });
  });

  describe('nothing is left to clean up', () => {
    test('a sandbox that the broker does not know any more is success', async () => {
      const { exitCode, stderr, server, host } = await cleanUp([errorAnswer(404, 'SANDBOX_NOT_FOUND')]);

      expect(exitCode).toBe(0);
      expect(stderr).toContain('nothing left to clean up');
      expect(server.requests).toHaveLength(1);
      expect(existsSync(host.envFile)).toBe(false);
    });

    test.each([
      ['an unknown route', errorAnswer(404, 'NOT_FOUND')],
      ['some other server', { status: 404, body: '<html>Not found</html>' }],
    ] satisfies [string, ScriptedAnswer][])('a 404 of %s is no success: exit 4', async (_, answer) => {
      const { exitCode, stderr, host } = await cleanUp([answer]);

      expect(exitCode).toBe(4);
      expect(stderr).toContain('is BROKER_URL right?');
      expect(existsSync(host.envFile)).toBe(true);
    });

    test('a lab that never got a sandbox is success, even without any variable', async () => {
      const { exitCode, stderr } = await labHost().run('cleanup-sandbox.sh', {});

      expect(exitCode).toBe(0);
      expect(stderr).toContain('nothing to clean up');
    });

    test.each(['', "export SANDBOX_ID=''\n", 'something else\n'])(
      'a file without a sandbox id (%j) is success, and no call is made',
      async (stored) => {
        const { exitCode, stderr, server } = await cleanUp([RELEASED], {}, stored);

        expect(exitCode).toBe(0);
        expect(stderr).toContain('nothing to clean up');
        expect(server.requests).toEqual([]);
      },
    );

    test('a second clean-up has nothing to do', async () => {
      const server = await brokerThatGives(RELEASED);
      const host = labHost();
      writeFileSync(host.envFile, "export SANDBOX_ID='2009521'\n");
      const first = await host.run('cleanup-sandbox.sh', environmentFor(server));
      const second = await host.run('cleanup-sandbox.sh', environmentFor(server));

      expect([first.exitCode, second.exitCode]).toEqual([0, 0]);
      expect(server.requests).toHaveLength(1);
    });
  });

  describe('where the sandbox id comes from', () => {
    test('the file counts before SANDBOX_ID, and SANDBOX_ID before the runtime variable', async () => {
      const server = await brokerThatGives(RELEASED);
      const host = labHost();
      host.install('agent', '[ "$*" = "variable get SANDBOX_ID" ] && echo from-the-agent');
      const environment = environmentFor(server);
      writeFileSync(host.envFile, "export SANDBOX_ID='from-the-file'\n");
      await host.run('cleanup-sandbox.sh', { ...environment, SANDBOX_ID: 'from-the-environment' });
      await host.run('cleanup-sandbox.sh', { ...environment, SANDBOX_ID: 'from-the-environment' });
      await host.run('cleanup-sandbox.sh', environment);

      expect(server.requests.map((request) => request.path.split('/')[3])).toEqual([
        'from-the-file',
        'from-the-environment',
        'from-the-agent',
      ]);
    });

    test('an agent that does not know the variable means nothing to clean up', async () => {
      const host = labHost();
      host.install('agent', 'echo "no such variable"; exit 1');
      const { exitCode, stderr } = await host.run('cleanup-sandbox.sh', {});

      expect(exitCode).toBe(0);
      expect(stderr).toContain('nothing to clean up');
    });

    test('SANDBOX_ENV_FILE names another file, and something that is no file exits 6', async () => {
      const server = await brokerThatGives(RELEASED);
      const host = labHost();
      const elsewhere = join(host.directory, 'else where.env');
      writeFileSync(elsewhere, "export SANDBOX_ID='2009521'\n");
      const environment = { ...environmentFor(server), SANDBOX_ENV_FILE: elsewhere };
      const given = await host.run('cleanup-sandbox.sh', environment);
      mkdirSync(elsewhere);
      const refused = await host.run('cleanup-sandbox.sh', environment);

      expect(given.exitCode).toBe(0);
      expect(refused.exitCode).toBe(6);
      expect(refused.stderr).toContain('cannot read');
    });
  });
});
