import { Command } from 'commander';
import { readCommandConfig } from '../../config.ts';
import { openTable } from '../../container/table-access.ts';
import { markAdoptedIfEmpty } from '../../store/adoption.ts';
import { checkTable, createTable } from '../../store/table.ts';

export function tableCommand(): Command {
  const table = new Command('table').description('create or check the table');

  table
    .command('create')
    .description('create the table and its indexes, unless they are there')
    .action(async () => {
      const { database, clock } = openTable(readCommandConfig(process.env));
      const created = await createTable(database);
      await checkTable(database);
      await markAdoptedIfEmpty(database, clock);
      process.stdout.write(
        `Table ${database.tableName} ${created ? 'created' : 'was there already, and fits'}\n`,
      );
      database.close();
    });

  table
    .command('check')
    .description('hold the table that is there against the one that the broker needs')
    .action(async () => {
      const { database } = openTable(readCommandConfig(process.env));
      await checkTable(database);
      process.stdout.write(`Table ${database.tableName} fits\n`);
      database.close();
    });

  return table;
}
