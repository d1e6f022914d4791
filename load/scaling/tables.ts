import { planFor } from './capacity.ts';
import type {
  DynamoSettings,
  Preference,
  SimulationResult,
  SimulationSettings,
  TaskSettings,
} from './settings.ts';
import { simulate } from './simulation.ts';

/**
 * One task on one vCPU, as measured here (docs/performance.md): on another machine all of it scales alike.
 * COMMIT_MAX_IN_FLIGHT, COMMIT_MAX_BATCH and K_CANDIDATES are the defaults.
 */
export const TASK: TaskSettings = {
  requestMs: 0.17,
  callMs: 0.4,
  unitMs: 0.04,
  rowMs: 0.002,
  lanes: 2,
  group: 50,
  candidates: 15,
};

/** A region's DynamoDB: assumed, not measured. A transaction of 100 items takes about 20 ms, its p99 twice that. */
export const DYNAMODB: DynamoSettings = {
  kind: 'dynamodb',
  callMs: 6,
  unitMs: 0.28,
  sigma: 0.3,
  indexLagMs: 10,
  indexLagSigma: 1.2,
  partitionWrites: 1_000,
  tableWrites: Number.POSITIVE_INFINITY,
};

export const RATES = [1_000, 10_000, 100_000];

export interface TableOfFigures {
  readonly name: string;
  readonly headings: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

type Changes = Partial<Omit<SimulationSettings, 'task'>> & { readonly task?: Partial<TaskSettings> };

export function arrivals(
  perSecond: number,
  seconds: number,
  { task = {}, ...changes }: Changes = {},
): SimulationResult {
  const plan = planFor(perSecond, TASK, DYNAMODB);
  const requests = Math.round(perSecond * seconds);
  return simulate({
    tasks: plan.tasks,
    database: DYNAMODB,
    preference: 'own-share',
    walk: 'page-by-page',
    shards: plan.shards,
    pool: 2 * requests,
    requests,
    load: { kind: 'poisson', perSecond },
    seed: 1,
    ...changes,
    task: { ...TASK, ...task },
  });
}

export function planTable(): TableOfFigures {
  return {
    name: 'plan',
    headings: [
      'allocations/s',
      'tasks',
      'STATUS_SHARDS',
      'table WCU/s',
      'status index WCU/s',
      'more than a new table takes',
      'transactions/s',
      '$ a million sandboxes (DynamoDB)',
      '$ a month for the tasks',
    ],
    rows: RATES.map((rate) => {
      const plan = planFor(rate, TASK, DYNAMODB);
      return [
        rate,
        plan.tasks,
        plan.shards,
        plan.tableWrites,
        plan.statusIndexWrites,
        plan.isBeyondNewTable ? 'yes: warm it' : 'no',
        plan.transactionsPerSecond,
        plan.dollarsPerMillionSandboxes,
        plan.tasks * plan.dollarsPerTaskMonth,
      ];
    }),
  };
}

/** Seconds of a simulated load: long enough for limits to be felt, short enough to be played through. */
const SECONDS: Readonly<Record<number, number>> = { 1000: 5, 10000: 4, 100000: 2 };

/** What to do at each rate, and what comes of it: the first line of each is what the processes did at first. */
export function simulatedPlanTable(): TableOfFigures {
  const ways = [
    { preference: 'same-start', walk: 'shard-by-shard' },
    { preference: 'own-share', walk: 'shard-by-shard' },
    { preference: 'own-share', walk: 'page-by-page' },
    { preference: 'own-shards', walk: 'page-by-page' },
  ] as const;
  return {
    name: 'simulated-plan',
    headings: [
      'allocations/s',
      'preference',
      'walk',
      'served/s',
      'p50 ms',
      'p99 ms',
      'calls',
      'conflicts',
      'rows read',
      'throttled calls',
    ],
    rows: RATES.flatMap((rate) =>
      ways.map(({ preference, walk }) => {
        const { tasks, shards } = planFor(rate, TASK, DYNAMODB);
        const result = arrivals(rate, SECONDS[rate] as number, {
          preference,
          walk,
          // As many for each task, where each has its own.
          shards: preference === 'own-shards' ? Math.ceil(shards / tasks) * tasks : shards,
        });
        return [
          rate,
          preference,
          walk,
          ...figuresOf(result),
          result.rowsReadPerAllocation,
          result.throttledCalls,
        ];
      }),
    ),
  };
}

export function shardTable(): TableOfFigures {
  return {
    name: 'shards',
    headings: ['STATUS_SHARDS', 'served/s', 'p50 ms', 'p99 ms', 'calls', 'conflicts', 'throttled calls'],
    rows: [1, 4, 8, 12, 16, 20, 24].map((shards) => {
      const result = arrivals(10_000, 4, { shards });
      return [shards, ...figuresOf(result), result.throttledCalls];
    }),
  };
}

export function preferenceTable(): TableOfFigures {
  const preferences: readonly Preference[] = ['same-start', 'random-start', 'own-share'];
  return {
    name: 'preferences',
    headings: ['tasks', ...preferences.map((name) => `conflicts: ${name}`), 'rows read: own-share'],
    rows: [1, 2, 4, 8, 16, 32].map((tasks) => {
      const results = preferences.map((preference) => arrivals(1_000, 4, { tasks, preference, shards: 1 }));
      return [
        tasks,
        ...results.map((result) => result.conflictsPerAllocation),
        results.at(-1)?.rowsReadPerAllocation ?? Number.NaN,
      ];
    }),
  };
}

export function groupTable(): TableOfFigures {
  return {
    name: 'groups',
    headings: ['in flight', 'group', 'served/s of 4,000 offered to one task', 'p50 ms', 'p99 ms', 'calls'],
    rows: [1, 2, 4, 8].flatMap((lanes) =>
      [10, 25, 50].map((group) => {
        const result = arrivals(4_000, 3, { tasks: 1, shards: 8, task: { lanes, group } });
        return [lanes, group, result.throughput, result.p50, result.p99, result.callsPerAllocation];
      }),
    ),
  };
}

export function candidateTable(): TableOfFigures {
  return {
    name: 'candidates',
    headings: ['K_CANDIDATES', 'served/s', 'p50 ms', 'p99 ms', 'calls', 'conflicts', 'rows read'],
    rows: [1, 5, 15, 50, 100].map((candidates) => {
      const result = arrivals(1_000, 4, { tasks: 4, task: { candidates } });
      return [candidates, ...figuresOf(result), result.rowsReadPerAllocation];
    }),
  };
}

function figuresOf(result: SimulationResult): number[] {
  return [
    result.throughput,
    result.p50,
    result.p99,
    result.callsPerAllocation,
    result.conflictsPerAllocation,
  ];
}
