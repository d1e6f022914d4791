import { Command, InvalidArgumentError } from 'commander';
import { readCommandConfig } from '../../config.ts';
import { openTable } from '../../container/table-access.ts';
import { sampleSandboxes } from '../../local/sample-sandboxes.ts';
import { addToPool } from '../../store/pool-additions.ts';
import { checkTable } from '../../store/table.ts';

export function seedCommand(): Command {
  return new Command('seed')
    .description('put made-up available sandboxes into the table of a test installation')
    .argument('<count>', 'how many', wholeNumber)
    .option('--first <number>', 'number of the first one', wholeNumber, 0)
    .action(async (count: number, { first }: { first: number }) => {
      const table = openTable(readCommandConfig(process.env));
      const { database } = table;
      await checkTable(database);
      const added = await addToPool(table, sampleSandboxes(count, first), { actor: 'command line' });
      process.stdout.write(`Wrote ${added} available sandboxes into ${database.tableName}\n`);
      if (added < count) {
        process.stdout.write(
          `${count - added} were there, or had been used or removed, and stay as they are; --first takes other numbers\n`,
        );
      }
      database.close();
    });
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}
