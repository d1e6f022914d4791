import { Command, Option } from 'commander';
import { ConfigError, readCommandConfig } from '../../config.ts';
import { openTable } from '../../container/table-access.ts';
import { checkTable, TableError } from '../../store/table.ts';
import type { Finding } from '../../verification/finding.ts';
import { REPAIR_KINDS, REPAIRS, type RepairKind, repair } from '../../verification/repairs.ts';
import { type VerifyReport, verify } from '../../verification/verify.ts';

const NOTHING_WRONG = 0;
const VIOLATIONS = 1;
const COULD_NOT_TELL = 2;

/** Between two lines of progress, in milliseconds. */
const PROGRESS_EVERY_MS = 2_000;

export function verifyCommand(): Command {
  return new Command('verify')
    .description('read the whole table, also while the broker serves, and report what breaks an invariant')
    .addOption(
      new Option('--repair <kind...>', 'put these kinds of violation right, and no others').choices(
        REPAIR_KINDS,
      ),
    )
    .option(
      '--json',
      'one JSON object a line: each violation with its rows, and the counts at the end',
      false,
    )
    .addHelpText(
      'after',
      `
Without --repair it writes nothing. It exits with 0 when nothing is wrong (any more), 1 when a violation is left, and
2 when it could not tell. What can be put right:

${REPAIR_KINDS.map((kind) => `  ${kind.padEnd(18)} ${REPAIRS[kind]}`).join('\n')}`,
    )
    .exitOverride((error) => process.exit(error.exitCode === 0 ? NOTHING_WRONG : COULD_NOT_TELL))
    .action(async ({ repair: kinds = [], json }: { repair?: RepairKind[]; json: boolean }) => {
      try {
        const { violations, repaired } = await run(new Set<string>(kinds), json);
        process.exitCode = violations > repaired ? VIOLATIONS : NOTHING_WRONG;
      } catch (error) {
        const known = error instanceof ConfigError || error instanceof TableError;
        const text = known ? error.message : error instanceof Error ? error.stack : String(error);
        process.stderr.write(`${text}\n`);
        process.exitCode = COULD_NOT_TELL;
      }
    });
}

async function run(kinds: ReadonlySet<string>, json: boolean): Promise<VerifyReport> {
  const table = openTable(readCommandConfig(process.env));
  try {
    await checkTable(table.database);
    const tell = (line: string) => process.stdout.write(`${line}\n`);
    let toldAt = table.clock.monotonic();
    const report = await verify(
      table,
      async (finding) => {
        const repaired = kinds.has(finding.kind) && (await repair(table, finding));
        tell(
          json
            ? JSON.stringify({ ...finding, repaired })
            : textOf(finding, kinds.has(finding.kind), repaired),
        );
        return repaired;
      },
      (soFar) => {
        if (table.clock.monotonic() - toldAt < PROGRESS_EVERY_MS) return;
        toldAt = table.clock.monotonic();
        process.stderr.write(`${summary(soFar)}\n`);
      },
    );
    tell(json ? JSON.stringify({ summary: report }) : summary(report));
    return report;
  } finally {
    table.database.close();
  }
}

function textOf(
  { invariant, kind, message, rows }: Finding,
  toBeRepaired: boolean,
  repaired: boolean,
): string {
  const end = repaired ? ' - repaired' : toBeRepaired ? ' - could not be repaired' : '';
  return [
    `${invariant} (${kind}): ${message}${end}`,
    ...rows.map((row) => `    ${JSON.stringify(row)}`),
  ].join('\n');
}

function summary({ rows, violations, repaired, awaitingAdoption }: Readonly<VerifyReport>): string {
  return [
    `${rows} rows read`,
    `${violations} violations`,
    ...(repaired > 0 ? [`${repaired} repaired`] : []),
    ...(awaitingAdoption > 0 ? [`${awaitingAdoption} left to adoption, which is not complete`] : []),
  ].join(', ');
}
