import { parseArgs } from 'node:util';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { readCommandConfig } from '../src/config.ts';
import { openTable } from '../src/container/table-access.ts';
import { violations } from '../test/support/invariants.ts';

const HELP = `node load/verify.ts [--expect-allocated N]

Reads a whole table, past every broker, and proves of what is in it that nobody was served twice: each claim names one
sandbox, each sandbox one claim, and no caller holds two. Ends with 1 and names what is wrong otherwise.

  --expect-allocated N   sandboxes that must be allocated, neither more nor less
  --help                 this text

The table is the one of DDB_TABLE_NAME at DDB_ENDPOINT_URL, or in AWS.
`;

export interface Verdict {
  readonly problems: readonly string[];
  readonly sandboxes: number;
  readonly allocated: number;
  readonly claims: number;
}

/** What a table says of the allocations that are in it. */
export async function verifyTable(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Verdict> {
  const { database } = openTable(readCommandConfig(environment));
  const items: Record<string, unknown>[] = [];
  try {
    let after: Record<string, unknown> | undefined;
    do {
      const page = await database.documents.send(
        new ScanCommand({ TableName: database.tableName, ConsistentRead: true, ExclusiveStartKey: after }),
      );
      items.push(...(page.Items ?? []));
      after = page.LastEvaluatedKey;
    } while (after !== undefined);
  } finally {
    database.close();
  }
  const sandboxes = items.filter(({ PK, SK }) => String(PK).startsWith('SBX#') && SK === 'META');
  return {
    problems: violations(items),
    sandboxes: sandboxes.length,
    allocated: sandboxes.filter(({ status }) => /^allocated(#|$)/.test(String(status))).length,
    claims: items.filter(({ PK }) => String(PK).startsWith('CLAIM#')).length,
  };
}

/** One line for a good table, and a line for each problem of another. */
export function verdictText({ problems, sandboxes, allocated, claims }: Verdict): string {
  const counted = `${sandboxes} sandboxes, ${allocated} allocated, ${claims} claims`;
  if (problems.length === 0) return `Nobody was served twice: ${counted}.`;
  const shown = problems.slice(0, 50).map((problem) => `  - ${problem}`);
  return [`${problems.length} problems in ${counted}:`, ...shown].join('\n');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { 'expect-allocated': { type: 'string' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const verdict = await verifyTable(process.env);
  process.stdout.write(`${verdictText(verdict)}\n`);
  if (verdict.problems.length > 0) process.exitCode = 1;
  const expected = values['expect-allocated'];
  if (expected !== undefined && verdict.allocated !== Number(expected)) {
    process.stdout.write(`${expected} should have been allocated.\n`);
    process.exitCode = 1;
  }
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
