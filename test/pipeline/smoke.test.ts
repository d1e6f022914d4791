import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { brokerOfTest } from '../support/broker.ts';
import { findProgram, LabHost } from '../support/lab-host.ts';
import { TRACK_TOKEN, tableOfTest } from '../support/table.ts';

const SMOKE = join(import.meta.dirname, '../../.ci/smoke');
const PROGRAMS = ['curl', 'sed', 'grep', 'mktemp', 'rm', 'head'];

describe.skipIf(PROGRAMS.some((name) => findProgram(name) === undefined))('.ci/smoke', () => {
  /** The script takes the address as its parameter; a host of the tests runs scripts without any. */
  async function smoke(url: string, token?: string) {
    const host = new LabHost(PROGRAMS);
    onTestFinished(() => host.remove());
    host.install('smoke-of-this-broker', `exec sh ${SMOKE} "$BROKER"`);
    const run = await host.run(join(host.directory, 'bin/smoke-of-this-broker'), {
      PATH: `${join(host.directory, 'bin')}:/usr/bin:/bin`,
      BROKER: url,
      SMOKE_TRIES: '2',
      ...(token === undefined ? {} : { BROKER_API_TOKEN: token }),
    });
    return run;
  }

  it('accepts a broker that serves, uses up no sandbox, and shows no token', async () => {
    const table = await tableOfTest();
    await table.seed(3);
    const broker = await brokerOfTest(table.environment);
    const { exitCode, stdout, stderr, commands } = await smoke(`${broker.url}/`, TRACK_TOKEN);
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').filter((line) => line.startsWith('ok'))).toHaveLength(4);
    expect(commands).not.toContain(TRACK_TOKEN);
    const rows = (await table.items()).filter((item) => item.SK === 'META' && 'sandbox_id' in item);
    expect(rows.map((row) => row.status)).toEqual(['available', 'available', 'available']);
  });

  it.each(['/v1', '/labs/v2/'])(
    'takes the address of an API at %s, and looks beside it too',
    async (path) => {
      const table = await tableOfTest({ environment: { API_BASE_PATH: path.replace(/\/$/, '') } });
      const broker = await brokerOfTest(table.environment);
      const { exitCode, stdout, stderr } = await smoke(`${broker.url}${path}`, TRACK_TOKEN);
      expect(stderr).toBe('');
      expect(exitCode).toBe(0);
      expect(stdout).toContain('ok  GET /healthz: 200');
      expect(stdout).toContain(`ok  POST ${path.replace(/\/$/, '')}/allocate: 401`);
    },
  );

  it('refuses a broker whose token is another one', async () => {
    const table = await tableOfTest();
    const broker = await brokerOfTest(table.environment);
    const { exitCode, stderr } = await smoke(broker.url, 'another-token');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('POST /v1/allocate: 401 instead of 400');
  });

  it('refuses an address where nothing answers', async () => {
    const { exitCode, stderr } = await smoke('http://127.0.0.1:1');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('GET /healthz');
  });
});
