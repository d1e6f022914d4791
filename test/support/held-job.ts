import type { Job, JobContext, JobName, JobResult } from '../../src/workers/job.ts';

export interface HeldRun {
  readonly context: JobContext;
  end(result?: Partial<JobResult>): void;
  fail(error: Error): void;
}

/** A job each of whose runs lasts until the test ends it, whatever its signal says. */
export class HeldJob implements Job {
  readonly name: JobName;
  readonly intervalSeconds: number;
  readonly runs: HeldRun[] = [];

  constructor(name: JobName = 'sync', intervalSeconds = 600) {
    this.name = name;
    this.intervalSeconds = intervalSeconds;
  }

  run(context: JobContext): Promise<JobResult> {
    return new Promise((resolve, reject) => {
      this.runs.push({
        context,
        end: (result) => resolve({ outcome: 'success', notes: {}, ...result }),
        fail: reject,
      });
    });
  }

  /** The run that began last. */
  get latest(): HeldRun {
    const latest = this.runs.at(-1);
    if (latest === undefined) throw new Error('The job has not run');
    return latest;
  }
}
