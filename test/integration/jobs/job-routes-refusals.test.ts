import { expect, test } from 'vitest';
import { asAdmin, asTrack, call } from '../../support/client.ts';
import { type JobsWorld, jobsWorld } from '../../support/jobs-world.ts';
import { tapDatabase, timeout } from '../../support/tapped-database.ts';

const ROUTES = [
  ['POST', '/sync'],
  ['POST', '/cleanup'],
  ['POST', '/auto-delete-stale'],
  ['GET', '/jobs'],
  ['POST', '/jobs/sync/pause'],
  ['POST', '/jobs/sync/resume'],
  ['POST', '/jobs/sync/run'],
  ['GET', '/niosxaas-cleanups'],
] as const;

const send = (world: JobsWorld, method: string, path: string, headers = asAdmin(), body?: unknown) =>
  world.time.until(call(method, `${world.broker.url}/v1/admin${path}`, headers, body));

test('every job route refuses callers without a credential (401) and with a track’s (403), and does nothing', async () => {
  const world = await jobsWorld({ accounts: 2 });
  for (const [method, path] of ROUTES) {
    expect(await send(world, method, path, {})).toMatchObject({
      status: 401,
      body: { error: { code: 'UNAUTHORIZED' } },
    });
    expect(await send(world, method, path, asTrack('student'))).toMatchObject({
      status: 403,
      body: { error: { code: 'FORBIDDEN' } },
    });
  }
  expect(world.simulator.log.all()).toEqual([]);
  expect((await world.table.items()).filter((item) => String(item.PK).startsWith('LEASE#'))).toEqual([]);
});

test.each([
  ['POST', '/jobs/backup/run', undefined, 'job'],
  ['POST', '/jobs/backup/pause', undefined, 'job'],
  ['POST', '/jobs/SYNC/resume', undefined, 'job'],
  ['POST', '/sync?force=perhaps', undefined, 'force'],
  ['POST', '/jobs/sync/run?force=1', undefined, 'force'],
  ['POST', '/auto-delete-stale?grace_period_hours=-1', undefined, 'grace_period_hours'],
  ['POST', '/auto-delete-stale?grace_period_hours=soon', undefined, 'grace_period_hours'],
  ['POST', '/auto-delete-stale?grace_period_hours=8760.5', undefined, 'grace_period_hours'],
  ['POST', '/jobs/sync/pause', { reason: '' }, 'reason'],
  ['POST', '/jobs/sync/pause', { reason: ' \r\n' }, 'reason'],
  ['POST', '/jobs/sync/pause', { reason: 'x'.repeat(501) }, 'reason'],
  ['GET', '/niosxaas-cleanups?limit=0', undefined, 'limit'],
  ['GET', '/niosxaas-cleanups?limit=101', undefined, 'limit'],
  ['GET', '/niosxaas-cleanups?limit=', undefined, 'limit'],
] as const)('%s %s with the body %o is 400 and names what is wrong', async (method, path, body, field) => {
  const world = await jobsWorld();
  const answer = await send(world, method, path, asAdmin(), body);
  expect(answer).toMatchObject({ status: 400, body: { error: { code: 'VALIDATION_ERROR' } } });
  expect(answer.body.error.details.map((detail: { field: string }) => detail.field)).toEqual([field]);
});

test.each(['/sync', '/cleanup', '/jobs/sync/run', '/jobs/cleanup/run'])(
  'POST %s without CSP_API_TOKEN is 409 JOB_NOT_CONFIGURED, and the other jobs run',
  async (path) => {
    const world = await jobsWorld({ accounts: 2 });
    const { url } = await world.newBroker({}, { CSP_API_TOKEN: '' });
    expect(await call('POST', `${url}/v1/admin${path}`, asAdmin())).toMatchObject({
      status: 409,
      body: {
        error: { code: 'JOB_NOT_CONFIGURED', message: expect.stringContaining('CSP_API_TOKEN is not set') },
      },
    });
    expect((await world.time.until(call('POST', `${url}/v1/admin/jobs/expiry/run`, asAdmin()))).status).toBe(
      200,
    );
  },
);

test('a provider that fails is 503 JOB_FAILED, and neither the answer nor the row nor the log holds its token', async () => {
  const world = await jobsWorld({ accounts: 2, environment: { LOG_LEVEL: 'trace' } });
  // An error page that repeats the request's own headers.
  world.simulator.faults.set([{ kind: 'error', status: 502, call: 'list', body: 'echo' }]);
  for (const path of ['/sync', '/jobs/sync/run']) {
    const answer = await send(world, 'POST', path);
    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'JOB_FAILED', retry_after: 60 } } });
    expect(answer.body.error.message).toBe(
      'The job "sync" failed; its last run, under /v1/admin/jobs, says why',
    );
  }
  const { body } = await send(world, 'GET', '/jobs');
  expect(body.jobs[0].last_run).toMatchObject({
    outcome: 'error',
    result: { error: expect.stringMatching(/^CSP list answered 502 .*Token \[redacted\]/) },
  });
  const token = world.simulator.token;
  expect(JSON.stringify(body)).not.toContain(token);
  expect(JSON.stringify(await world.table.items())).not.toContain(token);
  expect(world.broker.log.length).toBeGreaterThan(0);
  expect(world.broker.log.join()).not.toContain(token);
});

test('a failed deletion keeps its reason in the row without a token', async () => {
  const world = await jobsWorld({ accounts: 2 });
  const [sandboxId] = (await world.released(1)) as [string];
  world.simulator.faults.set([{ kind: 'error', status: 409, call: 'delete', body: 'echo' }]);
  await send(world, 'POST', '/cleanup');
  const error = String((await world.rows()).get(sandboxId)?.deletion_error);
  expect(error).toContain('[redacted]');
  expect(error).not.toContain(world.simulator.token);
});

test('a database that does not answer is 503 SERVICE_UNAVAILABLE, with Retry-After', async () => {
  const world = await jobsWorld({ accounts: 2 });
  const database = tapDatabase(world.table.database, ({ input }, next) =>
    String(input.Key?.PK).startsWith('LEASE#') ? Promise.reject(timeout()) : next(),
  );
  const { url } = await world.newBroker({ database });
  for (const [method, path] of ROUTES.slice(0, 7)) {
    const answer = await call(method, `${url}/v1/admin${path}`, asAdmin());
    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'SERVICE_UNAVAILABLE' } } });
    expect(answer.headers.get('retry-after')).toBe('5');
  }
});

test('a database that fails in the middle of a job is 503 JOB_FAILED', async () => {
  const world = await jobsWorld({ accounts: 2 });
  const database = tapDatabase(world.table.database, ({ operation }, next) =>
    operation === 'Query' ? Promise.reject(timeout()) : next(),
  );
  const { url } = await world.newBroker({ database });
  for (const path of [
    '/sync',
    '/cleanup',
    '/auto-delete-stale',
    '/jobs/expiry/run',
    '/jobs/statistics/run',
  ]) {
    expect(await world.time.until(call('POST', `${url}/v1/admin${path}`, asAdmin()))).toMatchObject({
      status: 503,
      body: { error: { code: 'JOB_FAILED' } },
    });
  }
  const { body } = await call('GET', `${url}/v1/admin/jobs`, asAdmin());
  for (const { last_run } of body.jobs) {
    expect(last_run.result.error).toBe('the database was not to be had; the log says more');
  }
  // What the database client said is for the log alone.
  expect(JSON.stringify(body)).not.toContain('The answer was lost');
});
