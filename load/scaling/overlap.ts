import { existsSync, readFileSync } from 'node:fs';
import type { EngineSettings, Preference, TaskSettings } from './settings.ts';
import { simulate } from './simulation.ts';
import type { TableOfFigures } from './tables.ts';
import { TASK } from './tables.ts';

interface MeasuredBroker {
  readonly throughput: number;
  readonly latency: { readonly p50: number };
  readonly processorMsPerAllocation: { readonly broker: number; readonly engine: number };
  readonly databaseRequestsPerAllocation: number;
  readonly conflictsPerAllocation: number;
}

interface MeasuredRow {
  readonly concurrency: number;
  readonly broker: readonly MeasuredBroker[];
  readonly floor: readonly { readonly processorMsPerAllocation: { readonly engine: number } }[];
  readonly ceiling: readonly { readonly processorMsPerAllocation: { readonly engine: number } }[];
}

interface Measured {
  readonly scenarios: {
    readonly 'closed-loop'?: { readonly rows: readonly MeasuredRow[] };
    readonly 'many-processes'?: readonly {
      readonly processes: number;
      readonly rounds: readonly MeasuredBroker[];
    }[];
  };
}

/** Where the model and the benchmark look at the same thing: a load on the embedded engine. */
export function overlapTables(benchFile: string): readonly TableOfFigures[] {
  if (!existsSync(benchFile)) return [];
  const measured = JSON.parse(readFileSync(benchFile, 'utf8')) as Measured;
  const rows = measured.scenarios['closed-loop']?.rows;
  if (rows === undefined) return [];
  const { task, engine } = costsOf(rows);
  const tables: TableOfFigures[] = [
    {
      name: 'overlap',
      headings: ['concurrent', 'alloc/s', 'model', 'p50 ms', 'model', 'calls', 'model'],
      rows: rows.map(({ concurrency, broker }) => {
        const model = simulate({
          tasks: 1,
          task,
          database: engine,
          preference: 'own-share',
          walk: 'page-by-page',
          shards: 1,
          pool: 20_000,
          requests: 6_000,
          load: { kind: 'closed', concurrency },
          seed: 1,
        });
        const of = (pick: (figures: MeasuredBroker) => number) => middle(broker.map(pick));
        return [
          concurrency,
          of(({ throughput }) => throughput),
          model.throughput,
          of(({ latency }) => latency.p50),
          model.p50,
          of(({ databaseRequestsPerAllocation }) => databaseRequestsPerAllocation),
          model.callsPerAllocation,
        ];
      }),
    },
  ];
  const processes = measured.scenarios['many-processes'];
  if (processes !== undefined) {
    tables.push({
      name: 'overlap-conflicts',
      headings: ['processes', 'conflicts', 'model', 'model without shares'],
      rows: processes.map(({ processes: tasks, rounds }) => {
        const conflicts = (preference: Preference) =>
          simulate({
            tasks,
            task,
            database: engine,
            preference,
            walk: 'page-by-page',
            shards: 1,
            pool: 8_000,
            requests: 4_000,
            load: { kind: 'closed', concurrency: 256 },
            seed: 1,
          }).conflictsPerAllocation;
        return [
          tasks,
          middle(rounds.map(({ conflictsPerAllocation }) => conflictsPerAllocation)),
          conflicts('own-share'),
          conflicts('same-start'),
        ];
      }),
    });
  }
  return tables;
}

/** What a call and an allocation in it cost, from groups of one and groups of fifty. */
function costsOf(rows: readonly MeasuredRow[]): { task: TaskSettings; engine: EngineSettings } {
  const at = (concurrency: number) => rows.find((row) => row.concurrency === concurrency) as MeasuredRow;
  const engineOf = (side: MeasuredRow['floor']) =>
    middle(side.map(({ processorMsPerAllocation }) => processorMsPerAllocation.engine));
  const brokerAt = (concurrency: number) =>
    middle(at(concurrency).broker.map(({ processorMsPerAllocation }) => processorMsPerAllocation.broker));
  const single = engineOf(at(1).floor);
  const grouped = engineOf(at(1_000).ceiling);
  return {
    engine: {
      kind: 'engine',
      callMs: Math.max(0, ((single - grouped) * 50) / 49),
      unitMs: (grouped * 50 - single) / 49,
      rowMs: 0.004,
    },
    task: {
      ...TASK,
      callMs: Math.max(0, brokerAt(1) - brokerAt(1_000)),
      requestMs: brokerAt(1_000) - TASK.unitMs,
    },
  };
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
