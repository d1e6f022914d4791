import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { expect, onTestFinished, test } from 'vitest';
import { startCspSimulator } from '../../../src/local/csp-simulator.ts';
import { runCommand, startCommand } from '../../support/command-line.ts';
import { eventually } from '../../support/eventually.ts';
import { tableOfTest } from '../../support/table.ts';

/** A table and a provider, and the environment that names both; without the tokens of the API, which jobs do not need. */
async function installation(accounts = 3) {
  const simulator = await startCspSimulator({ accounts });
  onTestFinished(() => simulator.close());
  const table = await tableOfTest();
  const { BROKER_API_TOKEN: _track, BROKER_ADMIN_TOKEN: _admin, ...rest } = table.environment;
  const environment = { ...rest, CSP_BASE_URL: simulator.baseUrl, CSP_API_TOKEN: simulator.token };
  return { simulator, table, environment };
}

test('jobs run does it here and now, under the lease, prints the result and succeeds; jobs list shows it', async () => {
  const { environment, table } = await installation();
  const sync = await runCommand(environment, 'jobs', 'run', 'sync');
  expect(sync.exitCode).toBe(0);
  const run = JSON.parse(sync.stdout);
  expect(run).toMatchObject({ trigger: 'command line', outcome: 'success', result: { added: 3 } });
  const rows = (await table.items()).filter((item) => item.status === 'available');
  expect(rows).toHaveLength(3);
  const list = await runCommand(environment, 'jobs', 'list');
  expect(list.exitCode).toBe(0);
  const jobs = JSON.parse(list.stdout);
  expect(jobs.map(({ name }: { name: string }) => name)).toEqual([
    'sync',
    'cleanup',
    'expiry',
    'stale',
    'statistics',
  ]);
  expect(jobs[0]).toMatchObject({ state: 'idle', holder: null, last_run: run });
});

test('jobs pause holds a job back, jobs run says so and fails, and jobs resume ends it', async () => {
  const { environment } = await installation();
  const paused = await runCommand(environment, 'jobs', 'pause', 'cleanup', '--reason', 'maintenance');
  expect(paused.exitCode).toBe(0);
  expect(JSON.parse(paused.stdout)).toMatchObject({
    state: 'paused',
    paused: { by: 'command line', reason: 'maintenance' },
  });
  const refused = await runCommand(environment, 'jobs', 'run', 'cleanup');
  expect(refused).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('The job "cleanup" is paused'),
  });
  const resumed = await runCommand(environment, 'jobs', 'resume', 'cleanup');
  expect(JSON.parse(resumed.stdout)).toMatchObject({ state: 'idle', paused: null });
  expect((await runCommand(environment, 'jobs', 'run', 'cleanup')).exitCode).toBe(0);
});

test('jobs run sync stales what the brake holds back only with --force', async () => {
  const { environment, simulator } = await installation(10);
  await runCommand(environment, 'jobs', 'run', 'sync');
  for (const { id } of simulator.accounts.all().slice(0, 8)) simulator.accounts.remove(id);
  const braked = await runCommand(environment, 'jobs', 'run', 'sync');
  expect(braked.exitCode).toBe(0);
  expect(JSON.parse(braked.stdout)).toMatchObject({ outcome: 'braked', result: { marked_stale: 0 } });
  const forced = await runCommand(environment, 'jobs', 'run', 'sync', '--force');
  expect(JSON.parse(forced.stdout)).toMatchObject({ outcome: 'success', result: { marked_stale: 8 } });
});

test('jobs run that fails prints the run, exits 1, and writes the token nowhere', async () => {
  const { environment, simulator } = await installation();
  simulator.faults.set([{ kind: 'error', call: 'list', body: 'echo' }]);
  const { exitCode, stdout, stderr } = await runCommand(environment, 'jobs', 'run', 'sync');
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    outcome: 'error',
    result: { error: expect.stringContaining('500') },
  });
  expect(stdout + stderr).not.toContain(simulator.token);
});

test.each([
  [['jobs', 'run', 'backup'], {}, 'sync, cleanup, expiry, stale, statistics'],
  [['jobs', 'run'], {}, "missing required argument 'job'"],
  [['jobs', 'run', 'sync'], { CSP_API_TOKEN: '' }, 'CSP_API_TOKEN is not set'],
  [['jobs', 'list'], { DDB_TABLE_NAME: 'NoSuchTable' }, 'Table NoSuchTable does not exist'],
])('%j with %o fails and says what is wrong', async (words, changes, message) => {
  const { environment } = await installation();
  const { exitCode, stderr } = await runCommand({ ...environment, ...changes }, ...words);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('    at ');
});

test('jobs run takes over from a process that died with the lease, in a process that never saw it alive', async () => {
  const { environment, table } = await installation();
  const Item = {
    PK: 'LEASE#sync',
    SK: 'META',
    holder: 'dead',
    fence: 7,
    beat: 3,
    run_id: 'its-run',
    run_started_at: 1_774_000_000,
    run_trigger: 'command line',
    sign_at: 1_774_000_000,
  };
  await table.database.documents.send(new PutCommand({ TableName: table.database.tableName, Item }));
  const { exitCode, stdout, stderr } = await runCommand(
    { ...environment, JOB_LEASE_SEC: '3' },
    'jobs',
    'run',
    'sync',
  );
  expect(stderr).toContain('The job "sync" is held by dead: waiting 3 s for a sign of life');
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'success', result: { added: 3 } });
  expect(exitCode).toBe(0);
});

test('jobs run leaves the job to a process that gives signs of life', async () => {
  const { environment, simulator } = await installation();
  const leased = { ...environment, JOB_LEASE_SEC: '10' };
  simulator.faults.set([{ kind: 'hang', call: 'list' }]);
  const other = startCommand(leased, 'jobs', 'run', 'sync');
  await eventually('the listing is asked for', () => simulator.log.of('list').length > 0);
  const { exitCode, stdout, stderr } = await runCommand(leased, 'jobs', 'run', 'sync');
  expect(stderr).toContain('The job "sync" runs elsewhere');
  expect(JSON.parse(stdout)).toMatchObject({ name: 'sync', state: 'running' });
  expect(exitCode).toBe(0);
  expect(simulator.log.of('list')).toHaveLength(1);
  other.child.kill('SIGTERM');
  await other.ended;
});

test('jobs run ends at SIGTERM, and gives its lease back', async () => {
  const { environment, simulator, table } = await installation();
  simulator.faults.set([{ kind: 'hang', call: 'list' }]);
  const { child, ended } = startCommand(environment, 'jobs', 'run', 'sync');
  await eventually('the listing is asked for', () => simulator.log.of('list').length > 0);
  child.kill('SIGTERM');
  const { exitCode, stdout } = await ended;
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ outcome: 'stopped' });
  const lease = (await table.items()).find((item) => item.PK === 'LEASE#sync');
  expect(lease).toMatchObject({ last_run: { outcome: 'stopped' } });
  expect(lease).not.toHaveProperty('holder');
});
