import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { systemClock } from '../../src/domain/clock.ts';
import { freePort } from '../../src/local/engine.ts';

const HELP = `npm run test:dynamodb-local -- [vitest arguments]

Runs the integration tests, and the comparison of random calls with the simulated table, against DynamoDB Local instead
of the embedded engine. With DDB_ENDPOINT_URL set, against
whatever answers there (such as the one of docker-compose.yml); otherwise its jars are fetched from Maven Central,
which needs mvn and a Java runtime (17 or newer), and started for the time of the tests.
`;

const ROOT = resolve(import.meta.dirname, '../..');
const CACHE = join(ROOT, 'node_modules/.cache/dynamodb-local');
const START_TIMEOUT_MS = 120_000;

class MissingError extends Error {}

function fetchJars(): string {
  const jars = join(CACHE, 'lib');
  if (existsSync(join(jars, 'complete'))) return jars;
  if (spawnSync('mvn', ['--version']).status !== 0) {
    throw new MissingError(
      'mvn is missing: install Maven, or set DDB_ENDPOINT_URL to a DynamoDB Local that runs.',
    );
  }
  process.stdout.write('Fetching DynamoDB Local from Maven Central\n');
  mkdirSync(jars, { recursive: true });
  const arguments_ = ['-q', '-B', '-f', join(import.meta.dirname, 'pom.xml'), 'dependency:copy-dependencies'];
  const done = spawnSync('mvn', [...arguments_, `-DoutputDirectory=${jars}`], { stdio: 'inherit' });
  if (done.status !== 0)
    throw new MissingError('Maven could not fetch DynamoDB Local; its message stands above.');
  // The loader looks for its native library without a version in the name.
  for (const file of readdirSync(jars)) {
    const plain = file.replace(/-\d+\.\d+\.\d+\.(so|dylib)$/, '.$1');
    if (plain !== file) copyFileSync(join(jars, file), join(jars, plain));
  }
  copyFileSync(join(import.meta.dirname, 'pom.xml'), join(jars, 'complete'));
  return jars;
}

async function start(): Promise<{ url: string; server: ChildProcess }> {
  if (spawnSync('java', ['-version']).status !== 0) {
    throw new MissingError('java is missing: install a Java runtime (17 or newer), or set DDB_ENDPOINT_URL.');
  }
  const jars = fetchJars();
  const port = await freePort();
  const server = spawn(
    'java',
    [
      `-Djava.library.path=${jars}`,
      '-cp',
      join(jars, '*'),
      'com.amazonaws.services.dynamodbv2.local.main.ServerRunner',
      '-inMemory',
      '-sharedDb',
      '-port',
      String(port),
    ],
    // It leaves a file where it is started.
    { stdio: 'ignore', cwd: CACHE },
  );
  const url = `http://127.0.0.1:${port}`;
  const client = new DynamoDBClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  const end = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await client.send(new ListTablesCommand({}));
      client.destroy();
      return { url, server };
    } catch (error) {
      if (server.exitCode !== null || Date.now() > end) throw error;
      await systemClock.sleep(200);
    }
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { help: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const given = process.env.DDB_ENDPOINT_URL ?? '';
  const local = given === '' ? await start() : undefined;
  const url = local?.url ?? given;
  process.stdout.write(`Testing against ${url}\n`);
  try {
    const tests = positionals.length > 0 ? positionals : ['test/integration', 'test/simulation/differential'];
    const vitest = spawn(process.execPath, [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', ...tests], {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, DDB_ENDPOINT_URL: url },
    });
    return await new Promise<number>((finished) => vitest.once('exit', (code) => finished(code ?? 1)));
  } finally {
    local?.server.kill();
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof MissingError ? error.message : (error as Error).stack}\n`);
    process.exitCode = 1;
  },
);
