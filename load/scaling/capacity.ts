import {
  DOLLARS_PER_MILLION_READS,
  DOLLARS_PER_MILLION_WRITES,
  DOLLARS_PER_TASK_HOUR,
  LIFE,
  NEW_TABLE_WRITES,
  PARTITION_WRITES,
  ROWS_PER_READ_UNIT,
  unitsOfLife,
} from './costs.ts';
import type { DynamoSettings, TaskSettings } from './settings.ts';

/** How full anything may be that must not overflow when arrivals come in clumps. */
const COMFORT = 0.7;
/** Two tasks or more run at all times. */
const MIN_TASKS = 2;

export interface Plan {
  readonly perSecond: number;
  readonly tasks: number;
  /** What limits a task: its processor or its transactions in flight. */
  readonly taskPerSecond: number;
  readonly shards: number;
  /** Units that the table must take, and those of its busiest index. */
  readonly tableWrites: number;
  readonly statusIndexWrites: number;
  readonly isBeyondNewTable: boolean;
  readonly transactionsPerSecond: number;
  readonly dollarsPerMillionSandboxes: number;
  readonly dollarsPerTaskMonth: number;
}

/** What it takes to allocate so many a second, from the limits alone. */
export function planFor(perSecond: number, task: TaskSettings, database: DynamoSettings): Plan {
  const taskPerSecond = taskCapacity(task, database);
  const tasks = Math.max(MIN_TASKS, Math.ceil(perSecond / (taskPerSecond * COMFORT)));
  const allocation = LIFE.find(({ step }) => step === 'allocation');
  if (allocation === undefined) throw new Error('A life without an allocation');
  return {
    perSecond,
    tasks,
    taskPerSecond,
    shards: shardsFor(perSecond),
    tableWrites: perSecond * allocation.table,
    // One entry goes from what is available, one comes to what is allocated.
    statusIndexWrites: 2 * perSecond,
    isBeyondNewTable: perSecond * allocation.table > NEW_TABLE_WRITES,
    transactionsPerSecond: perSecond / groupAt(perSecond / tasks, task, database),
    dollarsPerMillionSandboxes:
      unitsOfLife() * DOLLARS_PER_MILLION_WRITES + (tasks / ROWS_PER_READ_UNIT) * DOLLARS_PER_MILLION_READS,
    dollarsPerTaskMonth: DOLLARS_PER_TASK_HOUR * 730,
  };
}

/** What one task can do at most, with full groups. */
export function taskCapacity(task: TaskSettings, database: DynamoSettings): number {
  const processor = 1000 / processorMs(task, task.group);
  const lanes = (task.lanes * task.group * 1000) / (database.callMs + database.unitMs * task.group);
  return Math.min(processor, lanes);
}

/** Processor time of one allocation in groups of this size. */
export function processorMs(task: TaskSettings, group: number): number {
  return task.requestMs + task.unitMs + task.callMs / group + task.rowMs;
}

/**
 * The smallest number of shards in which none is fuller than is comfortable. Sandboxes fall into shards by their hash,
 * so the busiest of them has more than its part: by three standard deviations, for a second's worth of writes.
 */
export function shardsFor(perSecond: number): number {
  for (let shards = 1; ; shards += 1) {
    const mean = perSecond / shards;
    const busiest = mean + (shards === 1 ? 0 : 3 * Math.sqrt(mean));
    if (busiest <= PARTITION_WRITES * COMFORT) return shards;
  }
}

/** How many share a transaction when a task gets so many a second: whoever comes while its lanes are taken. */
function groupAt(perSecond: number, task: TaskSettings, database: DynamoSettings): number {
  let group = 1;
  // Each size lasts a certain time, in which the next group gathers: a few steps find where the two agree.
  for (let step = 0; step < 50; step += 1) {
    const takes = database.callMs + database.unitMs * group;
    group = Math.min(task.group, Math.max(1, ((perSecond / 1000) * takes) / task.lanes));
  }
  return group;
}
