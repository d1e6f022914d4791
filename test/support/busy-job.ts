import type { Clock } from '../../src/domain/clock.ts';
import type { Job, JobContext, JobName, JobResult } from '../../src/workers/job.ts';

/** A job each of whose runs takes so long, unless it is aborted; it records when runs began and how many overlap. */
export class BusyJob implements Job {
  readonly name: JobName = 'sync';
  readonly intervalSeconds: number;
  /** When each run began, in monotonic seconds. */
  readonly began: number[] = [];
  mostAtOnce = 0;
  readonly #clock: Clock;
  readonly #runMs: number;
  #underWay = 0;

  constructor(clock: Clock, intervalSeconds: number, runMs: number) {
    this.#clock = clock;
    this.intervalSeconds = intervalSeconds;
    this.#runMs = runMs;
  }

  async run({ signal }: JobContext): Promise<JobResult> {
    this.began.push(this.#clock.monotonic() / 1000);
    this.#underWay += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#underWay);
    try {
      await this.#clock.sleep(this.#runMs, signal).catch(() => {});
      return { outcome: 'success', notes: {} };
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Seconds between the beginnings of runs. */
  get gaps(): number[] {
    return this.began.slice(1).map((at, index) => at - (this.began[index] as number));
  }
}
