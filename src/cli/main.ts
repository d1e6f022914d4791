#!/usr/bin/env node
import { Command } from 'commander';
import { complaintOf } from '../complaint.ts';
import { VERSION } from '../version.ts';
import { adoptCommand } from './commands/adopt.ts';
import { environmentCommand } from './commands/environment.ts';
import { healthcheckCommand } from './commands/healthcheck.ts';
import { jobsCommand } from './commands/jobs.ts';
import { seedCommand } from './commands/seed.ts';
import { simulateCspCommand } from './commands/simulate-csp.ts';
import { tableCommand } from './commands/table.ts';
import { verifyCommand } from './commands/verify.ts';

/** The command line of operators. Everything comes from the environment that the broker itself reads. */
const program = new Command('sandbox-broker')
  .description(
    'Commands on the table of the Sandbox Broker; DDB_TABLE_NAME, DDB_ENDPOINT_URL and so on say which',
  )
  .version(VERSION)
  .addCommand(tableCommand())
  .addCommand(seedCommand())
  .addCommand(adoptCommand())
  .addCommand(verifyCommand())
  .addCommand(jobsCommand())
  .addCommand(healthcheckCommand())
  .addCommand(simulateCspCommand())
  .addCommand(environmentCommand());

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${complaintOf(error)}\n`);
  process.exitCode = 1;
});
