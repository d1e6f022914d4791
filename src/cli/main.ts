#!/usr/bin/env node
import { Command } from 'commander';
import { ConfigError } from '../config.ts';
import { TableError } from '../store/table.ts';
import { VERSION } from '../version.ts';
import { adoptCommand } from './commands/adopt.ts';
import { environmentCommand } from './commands/environment.ts';
import { jobsCommand } from './commands/jobs.ts';
import { seedCommand } from './commands/seed.ts';
import { tableCommand } from './commands/table.ts';

/** The command line of operators. Everything comes from the environment that the broker itself reads. */
const program = new Command('sandbox-broker')
  .description(
    'Commands on the table of the Sandbox Broker; DDB_TABLE_NAME, DDB_ENDPOINT_URL and so on say which',
  )
  .version(VERSION)
  .addCommand(tableCommand())
  .addCommand(seedCommand())
  .addCommand(adoptCommand())
  .addCommand(jobsCommand())
  .addCommand(environmentCommand());

program.parseAsync().catch((error: unknown) => {
  const known = error instanceof ConfigError || error instanceof TableError;
  process.stderr.write(`${known ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
