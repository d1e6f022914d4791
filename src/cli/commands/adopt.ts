import { Command } from 'commander';
import { type AdoptReport, adopt } from '../../allocation/adopt.ts';
import { readCommandConfig } from '../../config.ts';
import { openTable } from '../../container/table-access.ts';
import { checkTable } from '../../store/table.ts';

export function adoptCommand(): Command {
  return new Command('adopt')
    .description('write the claims of everything that the previous broker allocated')
    .option(
      '--previous-still-runs',
      'leave adoption open: the broker goes on looking for rows of the previous one, which may still allocate',
      false,
    )
    .addHelpText(
      'after',
      '\nMay be run at any time and again, also while the broker serves. Run it a last time, without the option,\nonce the last task of the previous broker has stopped: from then on an allocation looks for no previous row.',
    )
    .action(async ({ previousStillRuns }: { previousStillRuns: boolean }) => {
      const table = openTable(readCommandConfig(process.env));
      await checkTable(table.database);
      const report = await adopt(table, !previousStillRuns, (soFar) =>
        process.stderr.write(`${summary(soFar)}\n`),
      );
      process.stdout.write(`${summary(report)}\n`);
      process.stdout.write(previousStillRuns ? 'Adoption stays open\n' : 'Adoption is complete\n');
      table.database.close();
    });
}

function summary(report: Readonly<AdoptReport>): string {
  return [
    `${report.sandboxes} sandboxes read`,
    `${report.adopted} claims written`,
    `${report.alreadyClaimed} had theirs`,
    `${report.superseded} superseded by a later allocation of the same caller`,
    `${report.danglingClaims} claims without allocation removed`,
  ].join(', ');
}
