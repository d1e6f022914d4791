import { Argument, Command } from 'commander';
import { readCommandConfig } from '../../config.ts';
import { type Container, createContainer } from '../../container.ts';
import { presentJob, presentRun } from '../../http/schemas/job.ts';
import { createLogger } from '../../observability/logger.ts';
import { checkTable } from '../../store/table.ts';
import { JOB_NAMES, type JobName } from '../../workers/job.ts';
import { JobNotConfiguredError } from '../../workers/jobs.ts';
import { wholeNumber } from './seed.ts';

const jobArgument = () => new Argument('<job>', 'which one').choices([...JOB_NAMES]);

export function jobsCommand(): Command {
  const jobs = new Command('jobs').description(
    'the background jobs: how they are doing, running them, holding them back',
  );

  jobs
    .command('list')
    .description('the state of every job, as JSON')
    .action(() =>
      withContainer(async ({ jobRows }) => {
        print((await Promise.all(JOB_NAMES.map((name) => jobRows.read(name)))).map(presentJob));
      }),
    );

  jobs
    .command('run')
    .description('run a job in this process, under its lease, and print its result as JSON')
    .addArgument(jobArgument())
    .option('--force', 'sync: stale what the listing lacks even where the brake would not believe it', false)
    .option('--grace-period-hours <hours>', 'stale: remove what has been stale for so long', wholeNumber)
    .action((name: JobName, input: { force: boolean; gracePeriodHours?: number }) =>
      withContainer((container) => runJob(container, name, input)),
    );

  jobs
    .command('pause')
    .description('hold a job back on every task until it is resumed')
    .addArgument(jobArgument())
    .option('--reason <text>', 'why, for whoever wonders')
    .action((name: JobName, { reason }: { reason?: string }) =>
      withContainer(async ({ jobRows }) =>
        print(presentJob(await jobRows.pause(name, 'command line', reason))),
      ),
    );

  jobs
    .command('resume')
    .description('end the pause of a job')
    .addArgument(jobArgument())
    .action((name: JobName) =>
      withContainer(async ({ jobRows }) => print(presentJob(await jobRows.resume(name)))),
    );

  return jobs;
}

async function runJob(
  { jobs, runner, clock, stopJobs }: Container,
  name: JobName,
  input: { force: boolean; gracePeriodHours?: number },
): Promise<void> {
  const ended = new AbortController();
  const end = () => {
    ended.abort();
    void stopJobs();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  let start = await runner.start(jobs.get(name), 'command line', input);
  if (!start.started && start.because === 'running') {
    // Its holder may be dead. Only this process's own timer can tell, and the next one would not know more.
    const wait = runner.silenceLeft(name);
    process.stderr.write(
      `The job "${name}" is held by ${start.state.holder ?? 'another process'}: waiting ${Math.ceil(wait / 1000)} s for a sign of life\n`,
    );
    await clock.sleep(wait, ended.signal).catch(() => {});
    start = await runner.start(jobs.get(name), 'command line', input);
  }
  if (!start.started) {
    const why = {
      paused: 'is paused',
      running: 'runs elsewhere',
      stopping: 'was stopped',
      not_due: 'is not due',
    };
    process.stderr.write(`The job "${name}" ${why[start.because]}\n`);
    print(presentJob(start.state));
    // Somebody else does what was asked for; a pause is an operator's will, and a stop too.
    process.exitCode = start.because === 'running' ? 0 : 1;
    return;
  }
  const run = await start.finished;
  print(presentRun(run));
  if (!['success', 'braked', 'waits_for_sync'].includes(run.outcome)) process.exitCode = 1;
}

async function withContainer(work: (container: Container) => Promise<void>): Promise<void> {
  const config = readCommandConfig(process.env);
  // Results go to the standard output, and the log elsewhere.
  const logger = createLogger({ level: config.LOG_LEVEL, format: config.LOG_FORMAT }, process.stderr);
  const container = createContainer(config, { logger });
  try {
    await container.secrets.start();
    await checkTable(container.database);
    await work(container);
  } catch (error) {
    if (!(error instanceof JobNotConfiguredError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } finally {
    await container.close();
  }
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
