import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installMoto, type Moto, startMoto } from './moto.ts';
import {
  type Environment,
  findPluginDirectory,
  findPython,
  findTerraform,
  MissingError,
  ProgramError,
  run,
} from './programs.ts';
import { CheckError, report } from './report.ts';
import { REPOSITORY } from './source-files.ts';
import type { StateResource } from './state.ts';
import { checkAgainstBroker } from './with-broker.ts';
import { Workspace } from './workspace.ts';

const HELP = `Checks terraform/ without AWS: format, validity, its tests against a mocked provider, and then a whole
installation against moto's server on 127.0.0.1: apply, a second apply that must change nothing, integration tests of
the broker on the table, a plan of every example, destroy.

Usage: npm run test:terraform [-- options]

  --without-apply   leave moto out: format, validity and tests only (needs no Python)
  --without-tests   leave the tests against a mocked provider out
  --run COMMAND     run a command of the shell between apply and destroy, with the table that Terraform made in
                    DDB_ENDPOINT_URL, DDB_TABLE_NAME, DDB_GSI1_NAME to DDB_GSI3_NAME, AWS_REGION and the
                    credentials that go with it; the check fails if the command does
  --keep            leave the working folder, with every file of Terraform, behind
  --help            show this

Needs terraform 1.11 or later; for the apply Python 3.10 or later with pip. The AWS provider (5.100 or a later 5) is
taken from TF_PLUGIN_DIR, ~/.terraform.d/plugins, the usual places of the system or a folder in /opt, each in the
layout of a filesystem mirror; without any of them terraform downloads it.
`;

const REGION = 'eu-central-1';

/** What the examples ask their user. */
const EXAMPLE_VARIABLES: Environment = {
  TF_VAR_domain: JSON.stringify({ name: 'broker.labs.example', hosted_zone_id: 'Z0123456789' }),
  TF_VAR_certificate_arn: `arn:aws:acm:${REGION}:123456789012:certificate/0a1b`,
  TF_VAR_recovery_certificate_arn: 'arn:aws:acm:eu-west-1:123456789012:certificate/0a1b',
  TF_VAR_csp_base_url: 'https://csp.example/v2',
  TF_VAR_image_tag: '1.0.0',
  TF_VAR_operator_cidr_blocks: JSON.stringify(['198.51.100.0/24']),
  TF_VAR_alarm_email_addresses: JSON.stringify(['operators@labs.example']),
};

/** One line a step, with its time. */
async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  process.stdout.write(`${title} ... `);
  const began = performance.now();
  const result = await work();
  process.stdout.write(`ok (${((performance.now() - began) / 1000).toFixed(0)} s)\n`);
  return result;
}

/** Those of them that need no more than one table at a time, and no engine that is fast. */
const TESTS_ON_TABLE = [
  'test/integration/http/allocate.test.ts',
  'test/integration/http/release.test.ts',
  'test/integration/http/admin-moves.test.ts',
  'test/integration/allocation/claim-of-another-sandbox.test.ts',
];

async function checkWithoutApply(workspace: Workspace, withTests: boolean): Promise<void> {
  await step('Format', async () => {
    await workspace.terraform(workspace.module, ['fmt', '-check', '-diff', '-recursive']);
    await workspace.terraform(workspace.everything, ['fmt', '-check', '-diff', '-recursive']);
  });
  const roots = [workspace.module, ...workspace.examples, workspace.everything];
  await step(
    `Validity of the module, ${workspace.examples.length} examples and the check's own`,
    async () => {
      for (const root of roots) {
        await workspace.init(root);
        await workspace.terraform(root, ['validate', '-no-color']);
      }
    },
  );
  if (!withTests) return;
  const output = await step('Tests against a mocked provider', () =>
    workspace.terraform(workspace.module, ['test', '-no-color']),
  );
  process.stdout.write(`  ${output.trimEnd().split('\n').at(-1)}\n`);
}

async function checkApply(
  workspace: Workspace,
  moto: Moto,
  command: string | undefined,
): Promise<StateResource[]> {
  const { everything } = workspace;
  const terraform = (...parameters: string[]) =>
    workspace.terraform(everything, parameters, moto.environment);

  await step('Apply of every option on moto', () => terraform('apply', '-no-color', '-auto-approve'));
  const resources = await workspace.resources(everything);

  await step('Second apply without changes', async () => {
    // Ends with 2, which is a failure here, where anything would change.
    await terraform('plan', '-no-color', '-detailed-exitcode', '-out=second.plan');
    await terraform('apply', '-no-color', 'second.plan');
  });
  await step('Tags are everywhere', async () => checkTags(resources));
  await step('The broker accepts its environment and its table', () =>
    checkAgainstBroker(resources, moto.endpoint),
  );
  await step('The broker allocates, releases and moves on the table, by its own integration tests', () =>
    runOnTable(`npx vitest run --maxWorkers 1 ${TESTS_ON_TABLE.join(' ')}`, resources, moto),
  );
  if (command !== undefined) {
    const output = await step(`Command: ${command}`, () => runOnTable(command, resources, moto));
    process.stdout.write(`${output.trimEnd().split('\n').slice(-12).join('\n')}\n`);
  }
  for (const example of workspace.examples) {
    await step(`Plan of the example ${example.split('/').at(-1)}`, () =>
      workspace.terraform(example, ['plan', '-no-color'], { ...moto.environment, ...EXAMPLE_VARIABLES }),
    );
  }
  await step('Destroy', () => terraform('destroy', '-no-color', '-auto-approve'));
  const left = await workspace.resources(everything);
  if (left.length > 0) throw new CheckError(`Destroy left ${left.map(({ address }) => address).join(', ')}`);
  return resources;
}

function checkTags(resources: readonly StateResource[]): void {
  const untagged = resources.filter(({ address, values }) => {
    const tags = values.tags_all as Record<string, string> | null | undefined;
    return address.startsWith('module.broker.') && 'tags_all' in values && tags?.check !== 'everything';
  });
  if (untagged.length > 0) {
    throw new CheckError(`These miss the tags: ${untagged.map(({ address }) => address).join(', ')}`);
  }
}

function runOnTable(command: string, resources: readonly StateResource[], moto: Moto): Promise<string> {
  const table = resources.find(({ type }) => type === 'aws_dynamodb_table')!.values as { name: string };
  return run('sh', ['-c', command], {
    directory: REPOSITORY,
    environment: {
      ...moto.environment,
      AWS_REGION: REGION,
      DDB_ENDPOINT_URL: moto.endpoint,
      DDB_TABLE_NAME: table.name,
      TEST_TABLE_NAME: table.name,
      DDB_GSI1_NAME: 'StatusIndex',
      DDB_GSI2_NAME: 'TrackIndex',
      DDB_GSI3_NAME: 'IdempotencyIndex',
    },
  });
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      'without-apply': { type: 'boolean', default: false },
      'without-tests': { type: 'boolean', default: false },
      run: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (options.help) {
    process.stdout.write(HELP);
    return;
  }
  const version = findTerraform();
  const plugins = findPluginDirectory();
  const python = options['without-apply'] ? undefined : findPython();
  process.stdout.write(
    `terraform ${version}; AWS provider ${plugins === undefined ? 'to be downloaded' : `from ${plugins}`}\n`,
  );

  const workspace = new Workspace(plugins);
  let moto: Moto | undefined;
  const cleanUp = async () => {
    await moto?.stop();
    if (!options.keep) workspace.remove();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void cleanUp().finally(() => process.exit(130)));
  }
  try {
    await checkWithoutApply(workspace, !options['without-tests']);
    if (python === undefined) return;
    const programs = await step('moto', () => installMoto(python));
    let log = '';
    moto = await startMoto(programs, (text) => {
      log += text;
    });
    try {
      const applied = await checkApply(workspace, moto, options.run);
      process.stdout.write(`\n${report(applied)}`);
    } finally {
      if (options.keep) writeFileSync(join(workspace.root, 'moto.log'), log);
    }
  } finally {
    await cleanUp();
    if (options.keep) process.stdout.write(`Kept: ${workspace.root}\n`);
  }
}

main().catch((error: unknown) => {
  const known = error instanceof MissingError || error instanceof ProgramError || error instanceof CheckError;
  process.stderr.write(`\n${known ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
