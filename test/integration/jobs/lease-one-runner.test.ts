import { expect, test } from 'vitest';
import { HeldJob } from '../../support/held-job.ts';
import { leaseBench } from '../../support/lease-bench.ts';

test('of ten processes that start a job at once one runs it, and the others are told who', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  const processes = Array.from({ length: 10 }, (_, index) => bench.participant(`process-${index}`));
  const starts = await Promise.all(processes.map(({ runner }) => runner.start(job, 'schedule')));
  const started = starts.filter((start) => start.started);
  expect(started).toHaveLength(1);
  expect(job.runs).toHaveLength(1);
  const winner = processes[starts.findIndex((start) => start.started)];
  for (const start of starts) {
    if (start.started) continue;
    expect(start).toMatchObject({
      because: 'running',
      state: { holder: winner?.holder, run: { runId: started[0]?.runId } },
    });
  }
  job.latest.end();
  await started[0]?.finished;
});

test('a process that runs a job does not start it a second time', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  const { runner, begin } = bench.participant('process');
  const { finished, runId } = await begin(job);
  expect(await runner.start(job, 'admin')).toMatchObject({ started: false, state: { run: { runId } } });
  job.latest.end();
  await finished;
});

test('when a run has ended the next holder counts one higher, and sees how the last run ended', async () => {
  const bench = await leaseBench();
  const job = new HeldJob();
  const first = await bench.participant('first').begin(job);
  job.latest.end({ notes: { listed: 7 } });
  await first.finished;
  const between = await bench.rows.read('sync');
  expect(between).toMatchObject({
    holder: null,
    run: null,
    fence: 1,
    lastRun: { runId: first.runId, outcome: 'success', result: { listed: 7 }, trigger: 'schedule' },
  });
  expect(between.nextRunAt).toBe((between.lastRun?.finishedAt ?? 0) + 600);
  const second = await bench.participant('second').begin(job);
  expect(await bench.rows.read('sync')).toMatchObject({
    holder: 'second',
    fence: 2,
    lastRun: { runId: first.runId },
  });
  job.latest.end();
  await second.finished;
});

test('jobs do not keep each other waiting', async () => {
  const bench = await leaseBench();
  const { begin } = bench.participant('process');
  const jobs = [new HeldJob('sync'), new HeldJob('cleanup'), new HeldJob('expiry')];
  const starts = await Promise.all(jobs.map((job) => begin(job)));
  for (const job of jobs) job.latest.end();
  expect(await Promise.all(starts.map(({ finished }) => finished))).toHaveLength(3);
});
