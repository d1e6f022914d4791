import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { type Clock, unixSeconds } from '../domain/clock.ts';
import type { Database } from './database.ts';
import { type Key, META } from './keys.ts';

/** What a run reports of itself: counts, and words about why it ended as it did. */
export type JobNotes = Readonly<Record<string, number | string | boolean | null>>;

export interface JobRun {
  readonly runId: string;
  /** Unix seconds. */
  readonly startedAt: number;
  /** `schedule`, or who asked for it. */
  readonly trigger: string;
}

export interface FinishedRun extends JobRun {
  readonly finishedAt: number;
  readonly durationMs: number;
  readonly outcome: string;
  readonly result: JobNotes;
}

/** The row of a background job: who runs it, how its last run ended, and whether operators hold it back. */
export interface JobState {
  readonly job: string;
  /** The process that holds the lease. */
  readonly holder: string | null;
  /** Counts the holders of the lease: a former one that wakes up late names an older number. */
  readonly fence: number;
  /** Counts the holder's signs of life. */
  readonly beat: number;
  readonly run:
    | (JobRun & {
        readonly progress: JobNotes;
        /** When the holder gave its last sign of life, by its own clock: for people, not to decide by. Unix seconds. */
        readonly lastSignAt: number;
      })
    | null;
  readonly lastRun: FinishedRun | null;
  readonly nextRunAt: number;
  readonly pause: { readonly by: string; readonly reason: string | null; readonly at: number } | null;
  /** What a job remembers from run to run. */
  readonly memory: JobNotes;
}

function jobKey(job: string): Key {
  return { PK: `LEASE#${job}`, SK: META };
}

const END_OF_RUN = 'REMOVE holder, run_id, run_started_at, run_trigger, sign_at, progress';

/** Leases and states of the jobs. Every write of a holder names its fence, so only the present holder's count. */
export class JobRows {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  async read(job: string): Promise<JobState> {
    const answer = await this.#database.documents.send(
      new GetCommand({ TableName: this.#database.tableName, Key: jobKey(job), ConsistentRead: true }),
    );
    return toState(job, answer.Item ?? {});
  }

  /**
   * Takes the lease from the state that was read: one that is free, or one whose holder has given no sign of life.
   *
   * @returns the state as the new holder; undefined when somebody else was first, or the job was paused meanwhile
   */
  async acquire(seen: JobState, holder: string, run: JobRun): Promise<JobState | undefined> {
    try {
      return await this.#update(
        seen.job,
        'SET holder = :holder, fence = :next, beat = :zero, run_id = :run, run_started_at = :started, run_trigger = :trigger, sign_at = :started, progress = :nothing',
        {
          condition: `(${
            seen.fence === 0 ? 'attribute_not_exists(fence)' : 'fence = :fence AND beat = :beat'
          }) AND attribute_not_exists(paused_at)`,
          values: {
            ':holder': holder,
            ':next': seen.fence + 1,
            ':zero': 0,
            ':run': run.runId,
            ':started': run.startedAt,
            ':trigger': run.trigger,
            ':nothing': {},
            ...(seen.fence === 0 ? {} : { ':fence': seen.fence, ':beat': seen.beat }),
          },
        },
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
      // The answer to a first try may have been lost, and its repetition refused.
      const now = await this.read(seen.job);
      return now.run?.runId === run.runId ? now : undefined;
    }
  }

  /**
   * A sign of life, and what the run has to tell so far.
   *
   * @returns undefined when the lease has gone to another
   */
  renew(held: JobState, progress: JobNotes, memory: JobNotes): Promise<JobState | undefined> {
    return this.#asHolder(
      held,
      'SET beat = beat + :one, sign_at = :now, progress = :progress, memory = :memory',
      { ':one': 1, ':now': unixSeconds(this.#clock), ':progress': progress, ':memory': memory },
    );
  }

  /** Gives the lease back without a run. @returns undefined when it had gone to another */
  giveBack(held: JobState): Promise<JobState | undefined> {
    return this.#asHolder(held, `SET beat = beat + :one ${END_OF_RUN}`, { ':one': 1 });
  }

  /** Ends the run and gives the lease back. @returns undefined when the lease had gone to another */
  finish(
    held: JobState,
    last: FinishedRun,
    nextRunAt: number,
    memory: JobNotes,
  ): Promise<JobState | undefined> {
    return this.#asHolder(
      held,
      `SET last_run = :last, next_run_at = :next, memory = :memory, beat = beat + :one ${END_OF_RUN}`,
      { ':last': last, ':next': nextRunAt, ':memory': memory, ':one': 1 },
    );
  }

  /** Holds the job back on every task until it is resumed. A run under way stops at its next sign of life. */
  pause(job: string, by: string, reason: string | undefined): Promise<JobState> {
    return this.#update(job, 'SET paused_at = :at, paused_by = :by, paused_reason = :reason', {
      values: { ':at': unixSeconds(this.#clock), ':by': by, ':reason': reason ?? null },
    });
  }

  resume(job: string): Promise<JobState> {
    return this.#update(job, 'REMOVE paused_at, paused_by, paused_reason', {});
  }

  async #asHolder(
    held: JobState,
    update: string,
    values: Record<string, unknown>,
  ): Promise<JobState | undefined> {
    try {
      return await this.#update(held.job, update, {
        condition: 'holder = :holder AND fence = :fence',
        values: { ...values, ':holder': held.holder, ':fence': held.fence },
      });
    } catch (error) {
      if (isConditionFailure(error)) return undefined;
      throw error;
    }
  }

  async #update(
    job: string,
    update: string,
    { condition, values }: { condition?: string; values?: Record<string, unknown> },
  ): Promise<JobState> {
    const answer = await this.#database.documents.send(
      new UpdateCommand({
        TableName: this.#database.tableName,
        Key: jobKey(job),
        UpdateExpression: update,
        ConditionExpression: condition,
        ExpressionAttributeValues: values,
        ReturnValues: 'ALL_NEW',
      }),
    );
    return toState(job, answer.Attributes ?? {});
  }
}

function isConditionFailure(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException';
}

function toState(job: string, item: Record<string, unknown>): JobState {
  const text = (name: string) => (typeof item[name] === 'string' ? item[name] : null);
  const number = (name: string) => (typeof item[name] === 'number' ? item[name] : 0);
  const runId = text('run_id');
  return {
    job,
    holder: text('holder'),
    fence: number('fence'),
    beat: number('beat'),
    run:
      runId === null
        ? null
        : {
            runId,
            startedAt: number('run_started_at'),
            trigger: text('run_trigger') ?? 'schedule',
            progress: (item.progress ?? {}) as JobNotes,
            lastSignAt: number('sign_at'),
          },
    lastRun: (item.last_run ?? null) as FinishedRun | null,
    nextRunAt: number('next_run_at'),
    pause:
      typeof item.paused_at === 'number'
        ? { by: text('paused_by') ?? 'unknown', reason: text('paused_reason'), at: item.paused_at }
        : null,
    memory: (item.memory ?? {}) as JobNotes,
  };
}
