import { expect, test } from 'vitest';
import { CspError } from '../../../src/csp/csp-error.ts';
import { HeldJob } from '../../support/held-job.ts';
import { LEASE_MS, leaseBench } from '../../support/lease-bench.ts';

test('how far a long run has come is in its row with each sign of life, and gone with its end', async () => {
  const bench = await leaseBench();
  const job = new HeldJob('cleanup');
  const { finished, runId } = await bench.participant('process').begin(job);
  for (const deleted of [3, 8, 20]) {
    job.latest.context.report({ deleted });
    await bench.time.pass(LEASE_MS / 3);
    const { run } = await bench.rows.read('cleanup');
    expect(run).toMatchObject({ runId, progress: { deleted } });
    expect(run?.lastSignAt).toBe(Math.floor(bench.clock.now() / 1000));
  }
  job.latest.end({ notes: { deleted: 21 } });
  await finished;
  expect(await bench.rows.read('cleanup')).toMatchObject({ run: null, lastRun: { result: { deleted: 21 } } });
});

test('a run that fails is an error, its message stays in the log, and it keeps what it had reported', async () => {
  const bench = await leaseBench();
  const job = new HeldJob('cleanup');
  const process = bench.participant('process');
  const { finished } = await process.begin(job);
  job.latest.context.report({ deleted: 2 });
  job.latest.fail(new Error('the engine was gone'));
  expect(await finished).toMatchObject({
    outcome: 'error',
    result: { deleted: 2, error: 'something unexpected went wrong; the log says what' },
  });
  expect(await bench.rows.read('cleanup')).toMatchObject({ holder: null, lastRun: { outcome: 'error' } });
  const errors = process.log.filter((line) => line.includes('"level":"error"'));
  expect(errors).toEqual([expect.stringContaining('the engine was gone')]);
});

test('what a job remembers reaches its next run, on whatever process, even when the run that remembered failed', async () => {
  const bench = await leaseBench();
  const job = new HeldJob('cleanup');
  const first = await bench.participant('first').begin(job);
  expect(job.latest.context.memory).toEqual({});
  job.latest.context.remember({ window_deletions: 12 });
  job.latest.fail(new Error('half-way'));
  await first.finished;
  const second = await bench.participant('second').begin(job);
  expect(job.latest.context.memory).toEqual({ window_deletions: 12 });
  job.latest.end();
  await second.finished;
  // A run that says nothing of it leaves it as it was.
  expect((await bench.rows.read('cleanup')).memory).toEqual({ window_deletions: 12 });
});

test('a run writes one line to the log, with the fields that every line has', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  const process = bench.participant('process');
  const { finished, runId } = await process.begin(job);
  await bench.time.pass(1_500);
  job.latest.end({ outcome: 'braked', notes: { synced: 0 } });
  await finished;
  expect(process.log).toHaveLength(1);
  expect(JSON.parse(process.log[0] ?? '')).toMatchObject({
    action: 'job_sync',
    outcome: 'braked',
    latency_ms: 1_500,
    request_id: runId,
    track_id: null,
    sandbox_id: null,
    result: { synced: 0 },
  });
});

test('an error of the provider is logged and recorded without a token', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  const process = bench.participant('process');
  const { finished } = await process.begin(job);
  job.latest.fail(
    new CspError({
      kind: 'status',
      call: 'list',
      reason: 'answered 500',
      requestId: 'request-1',
      status: 500,
      excerpt: 'Refused a request with Authorization: Token [redacted]',
    }),
  );
  const { result } = await finished;
  expect(result.error).toBe(
    'CSP list answered 500 (request request-1): Refused a request with Authorization: Token [redacted]',
  );
});

test('the moves of a run are recorded under its job and its id', async () => {
  const bench = await leaseBench();
  const job = new HeldJob('expiry');
  const { finished, runId } = await bench.participant('process').begin(job);
  expect(job.latest.context.author).toEqual({ actor: 'job:expiry', requestId: runId });
  job.latest.end();
  await finished;
});
