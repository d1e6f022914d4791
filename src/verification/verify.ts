import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Clock, Random } from '../domain/clock.ts';
import type { Database } from '../store/database.ts';
import { ItemReader } from '../store/item-reader.ts';
import { ADOPTION_KEY, type Key } from '../store/keys.ts';
import type { PoolReader } from '../store/pool-reader.ts';
import type { Row } from '../store/sandbox-row.ts';
import { examine, isExamined } from './examination.ts';
import type { Finding, FindingKind } from './finding.ts';
import { readRowsAtOnce } from './rows-at-once.ts';

export interface VerifyParts {
  readonly database: Database;
  readonly reader: Pick<PoolReader, 'sandbox'>;
  readonly clock: Clock;
  readonly random: Random;
}

export interface VerifyReport {
  /** Rows of sandboxes, of their events and of claims read. */
  rows: number;
  violations: number;
  /** Of the violations: those that are put right. */
  repaired: number;
  /** Allocations and claims of the previous broker that adoption will put right. */
  awaitingAdoption: number;
}

/** What is to be done with a finding. @returns whether it has been put right */
export type OnFinding = (finding: Finding) => Promise<boolean>;

/** Rows that are read, and held in memory, at a time. */
const PAGE = 500;
/** Until adoption is complete these are what a table of the previous broker looks like. */
const LEFT_TO_ADOPTION: readonly FindingKind[] = ['missing-claim', 'second-allocation', 'dangling-claim'];

/**
 * Reads a live table and finds every violation of I1, I2, I6 and I10 that it holds, in bounded memory: each row and
 * each event is held against the few that it must agree with, page by page. Writes nothing.
 *
 * The table changes meanwhile, so what looks wrong is looked at again, all rows concerned at one moment: what is
 * reported was true then. What comes to be wrong behind the reading is for the next time.
 */
export async function verify(
  parts: VerifyParts,
  onFinding: OnFinding,
  onProgress: (report: Readonly<VerifyReport>) => void = () => {},
): Promise<VerifyReport> {
  const { database } = parts;
  const report: VerifyReport = { rows: 0, violations: 0, repaired: 0, awaitingAdoption: 0 };
  const items = new ItemReader(database, parts.clock, parts.random);
  const isAdopted = (await items.get(ADOPTION_KEY)) !== undefined;
  let after: Record<string, unknown> | undefined;
  do {
    const page = await database.documents.send(
      new ScanCommand({
        TableName: database.tableName,
        Limit: PAGE,
        ConsistentRead: true,
        ExclusiveStartKey: after,
      }),
    );
    const rows = ((page.Items ?? []) as (Row & Key)[]).filter(isExamined);
    // Events stand next to their row, and mostly need nothing that was not read with them.
    const seen = new Map<string, Row | null>(rows.map((row) => [nameOf(row), row]));
    const suspicious = await Promise.all(
      rows.map(async (row) => ((await looksWrong(row, seen)) ? [row] : [])),
    );
    for (const row of suspicious.flat()) await judge(row);
    report.rows += rows.length;
    onProgress(report);
    after = page.LastEvaluatedKey;
  } while (after !== undefined);
  return report;

  /** From single reads, which share calls. */
  async function looksWrong(row: Row & Key, seen: Map<string, Row | null>): Promise<boolean> {
    const finding = await examineWith(parts.reader, keyOf(row), seen, (keys) =>
      Promise.all(
        keys.map(async (key) => {
          const item = await items.get(key);
          return item === undefined ? null : unmarshall(item);
        }),
      ),
    );
    return finding !== undefined;
  }

  async function judge(row: Row & Key): Promise<void> {
    const finding = await examineAtOnce(parts, keyOf(row));
    if (finding === undefined) return;
    if (!isAdopted && LEFT_TO_ADOPTION.includes(finding.kind)) {
      report.awaitingAdoption += 1;
      return;
    }
    report.violations += 1;
    if (await onFinding(finding)) report.repaired += 1;
  }
}

/** What is wrong with a row, all rows concerned being read at one moment. */
export async function examineAtOnce(parts: VerifyParts, key: Key): Promise<Finding | undefined> {
  const wanted: Key[] = [];
  const rows = new Map<string, Row | null>();
  return examineWith(parts.reader, key, rows, async (needed) => {
    // Those that were read before are read again: together, or not at all.
    wanted.push(...needed);
    const read = await readRowsAtOnce(parts.database, wanted, parts);
    for (const [index, each] of wanted.entries()) rows.set(nameOf(each), read[index] ?? null);
    return read.slice(-needed.length);
  });
}

/** Examines a row, reading what that takes. */
async function examineWith(
  reader: VerifyParts['reader'],
  key: Key,
  rows: Map<string, Row | null>,
  read: (keys: readonly Key[]) => Promise<(Row | null)[]>,
): Promise<Finding | undefined> {
  for (;;) {
    const examination = examine(key, (each) => rows.get(nameOf(each)), reader);
    if ('finding' in examination) return examination.finding;
    const found = await read(examination.needs);
    for (const [index, each] of examination.needs.entries()) rows.set(nameOf(each), found[index] ?? null);
  }
}

function keyOf({ PK, SK }: Key): Key {
  return { PK, SK };
}

function nameOf({ PK, SK }: Key): string {
  return `${PK}\n${SK}`;
}
