import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { withParts } from '../lib/document-parts.ts';
import { linePlot } from '../lib/line-plot.ts';
import { textTable } from '../lib/text-table.ts';
import { overlapTables } from './overlap.ts';
import {
  candidateTable,
  groupTable,
  planTable,
  preferenceTable,
  shardTable,
  simulatedPlanTable,
  type TableOfFigures,
} from './tables.ts';

const HELP = `npm run scaling -- [--write]

How many tasks, which settings, how many index shards for 1,000, 10,000 and 100,000 allocations a second, with what
conflicts and what bill: from the limits, and from a simulation of tasks, buffers, groups and index partitions. Where
load/results/bench.json is there, it is held against what was measured.

  --write   put the tables into docs/scaling.md and draw docs/plots/scaling-*.svg
  --help    this text
`;

const ROOT = new URL('../../', import.meta.url);
const DOCUMENT = fileURLToPath(new URL('docs/scaling.md', ROOT));
const PLOTS = fileURLToPath(new URL('docs/plots/', ROOT));
const BENCH = fileURLToPath(new URL('load/results/bench.json', ROOT));

function main(): void {
  const { values } = parseArgs({
    options: { write: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const shards = shardTable();
  const preferences = preferenceTable();
  const tables = [
    planTable(),
    simulatedPlanTable(),
    preferences,
    shards,
    groupTable(),
    candidateTable(),
    ...overlapTables(BENCH),
  ];
  for (const { name, headings, rows } of tables) {
    process.stdout.write(`\n${name}\n\n${textTable(headings, rows)}\n`);
  }
  if (!values.write) return;
  mkdirSync(PLOTS, { recursive: true });
  writeFileSync(`${PLOTS}scaling-conflicts.svg`, conflictPlot(preferences));
  writeFileSync(`${PLOTS}scaling-shards.svg`, shardPlot(shards));
  if (existsSync(DOCUMENT)) writeFileSync(DOCUMENT, withTables(readFileSync(DOCUMENT, 'utf8'), tables));
  process.stdout.write(`\nWritten to ${DOCUMENT} and ${PLOTS}\n`);
}

function withTables(document: string, tables: readonly TableOfFigures[]): string {
  const parts = tables.map(({ name, headings, rows }) => {
    const lines = [headings, headings.map(() => '--:'), ...rows.map((row) => row.map(shown))];
    return [name, lines.map((line) => `| ${line.join(' | ')} |`).join('\n')] as const;
  });
  return withParts(document, Object.fromEntries(parts));
}

function shown(cell: string | number): string {
  if (typeof cell === 'string') return cell;
  if (!Number.isFinite(cell)) return '-';
  if (cell >= 100 || Number.isInteger(cell)) return Math.round(cell).toLocaleString('en-US');
  return String(Number(cell.toPrecision(2)));
}

function conflictPlot({ headings, rows }: TableOfFigures): string {
  return linePlot({
    title: 'Races lost for each allocation, 1,000 a second, pool twice the demand (simulated)',
    xLabel: 'tasks',
    yLabel: 'conflicts for each allocation',
    series: [1, 2, 3].map((column) => ({
      name: String(headings[column]).replace('conflicts: ', ''),
      points: rows.map((row) => [Number(row[0]), Number(row[column])] as const),
    })),
  });
}

function shardPlot({ rows }: TableOfFigures): string {
  return linePlot({
    title: '10,000 arrivals a second against the number of index shards (simulated)',
    xLabel: 'STATUS_SHARDS',
    yLabel: 'allocations a second',
    series: [{ name: 'served', points: rows.map((row) => [Number(row[0]), Number(row[1])] as const) }],
  });
}

main();
