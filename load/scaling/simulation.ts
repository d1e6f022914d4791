import { percentile } from '../lib/statistics.ts';
import { DatabaseModel } from './database-model.ts';
import { EventQueue } from './event-queue.ts';
import { PoolModel } from './pool-model.ts';
import { exponential, seeded } from './random.ts';
import type { SimulationResult, SimulationSettings } from './settings.ts';
import { type Student, TaskModel } from './task-model.ts';

/** Plays a load through, as fast as the machine can. The same settings give the same result. */
export function simulate(settings: SimulationSettings): SimulationResult {
  const random = seeded(settings.seed);
  const events = new EventQueue();
  const pool = new PoolModel(settings, random);
  const database = new DatabaseModel(settings.database, events, pool, random);
  const latencies: number[] = [];
  const servedAt: number[] = [];
  let refused = 0;
  let sent = 0;
  const send = (task: TaskModel) => {
    sent += 1;
    task.arrive({ arrivedAt: events.now, row: -1, lost: 0 });
  };
  const finish = (task: () => TaskModel, student: Student, isServed: boolean) => {
    if (isServed) {
      latencies.push(events.now - student.arrivedAt);
      servedAt.push(events.now);
    } else refused += 1;
    if (settings.load.kind === 'closed' && sent < settings.requests) send(task());
  };
  const tasks: TaskModel[] = Array.from(
    { length: settings.tasks },
    (_, place) =>
      new TaskModel(settings, place, events, pool, database, random, (student, isServed) =>
        finish(() => tasks[place] as TaskModel, student, isServed),
      ),
  );
  begin(settings, events, tasks, random, send);
  events.run();

  const count = (pick: (task: TaskModel) => number) => tasks.reduce((sum, task) => sum + pick(task), 0);
  const allocations = latencies.length;
  const sorted = Float64Array.from(latencies).sort();
  // Without the first and the last fifth, in which not everybody works.
  const from = servedAt[Math.floor(allocations * 0.2)] as number;
  const to = servedAt[Math.floor(allocations * 0.8)] as number;
  return {
    throughput: ((allocations * 0.6) / (to - from)) * 1000,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    callsPerAllocation: count(({ counts }) => counts.calls) / allocations,
    conflictsPerAllocation: count(({ counts }) => counts.conflicts) / allocations,
    throttledCalls: count(({ counts }) => counts.throttled),
    rowsReadPerAllocation: count(({ counts }) => counts.rowsRead) / allocations,
    refused,
  };
}

function begin(
  { load, requests }: SimulationSettings,
  events: EventQueue,
  tasks: readonly TaskModel[],
  random: () => number,
  send: (task: TaskModel) => void,
): void {
  if (load.kind === 'closed') {
    for (let index = 0; index < load.concurrency; index += 1) {
      events.at(0, () => send(tasks[index % tasks.length] as TaskModel));
    }
    return;
  }
  let at = 0;
  for (let index = 0; index < requests; index += 1) {
    at += exponential(1000 / load.perSecond, random);
    // The load balancer's round robin.
    events.at(at, () => send(tasks[index % tasks.length] as TaskModel));
  }
}
