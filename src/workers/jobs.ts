import type { Job, JobName } from './job.ts';

/** No operator's word makes this job run: what it needs is not configured. */
export class JobNotConfiguredError extends Error {
  override readonly name = 'JobNotConfiguredError';
}

/** The jobs of a process by name. Those that need the provider are missing where its token is. */
export class Jobs {
  readonly all: readonly Job[];

  constructor(all: readonly Job[]) {
    this.all = all;
  }

  /** @throws JobNotConfiguredError */
  get(name: JobName): Job {
    const job = this.all.find((each) => each.name === name);
    if (job === undefined)
      throw new JobNotConfiguredError(`The job "${name}" cannot run: CSP_API_TOKEN is not set`);
    return job;
  }
}
