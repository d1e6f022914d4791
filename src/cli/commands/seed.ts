import { Command, InvalidArgumentError } from 'commander';
import { readCommandConfig } from '../../config.ts';
import { openTable } from '../../container/table-access.ts';
import { unixSeconds } from '../../domain/clock.ts';
import { sampleSandboxes } from '../../local/sample-sandboxes.ts';
import { fillPool } from '../../store/new-sandboxes.ts';
import { checkTable } from '../../store/table.ts';

export function seedCommand(): Command {
  return new Command('seed')
    .description('put made-up available sandboxes into the table of a test installation')
    .argument('<count>', 'how many', wholeNumber)
    .option('--first <number>', 'number of the first one', wholeNumber, 0)
    .action(async (count: number, { first }: { first: number }) => {
      const { database, shards, clock } = openTable(readCommandConfig(process.env));
      await checkTable(database);
      await fillPool(database, shards, sampleSandboxes(count, first), unixSeconds(clock));
      process.stdout.write(`Wrote ${count} available sandboxes into ${database.tableName}\n`);
      database.close();
    });
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}
