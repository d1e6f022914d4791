import { expect, test } from 'vitest';
import { startBrokerProcess } from '../../../src/local/broker-process.ts';
import { freePort } from '../../../src/local/engine.ts';
import { publishStatistics } from '../../../src/store/statistics.ts';
import { brokerProcessOfTest } from '../../support/broker.ts';
import { runCommand } from '../../support/command-line.ts';
import { eventually } from '../../support/eventually.ts';
import { metric } from '../../support/metric.ts';
import { makeTable, tableOfTest } from '../../support/table.ts';

test('A process with bad variables does not start, and names every one of them in one message, without their values', async () => {
  const secret = 'short';
  const start = startBrokerProcess({
    PATH: process.env.PATH,
    BROKER_API_TOKEN: secret,
    PORT: '80800',
    LOG_LEVEL: 'loud-and-clear',
    STATUS_SHARDS: '0.5',
  });
  const complaint = await start.then(
    () => 'it started',
    (error: Error) => error.message,
  );
  for (const variable of ['BROKER_API_TOKEN', 'BROKER_ADMIN_TOKEN', 'PORT', 'LOG_LEVEL', 'STATUS_SHARDS'])
    expect(complaint).toContain(variable);
  for (const value of [secret, '80800', 'loud-and-clear', '0.5']) expect(complaint).not.toMatch(word(value));
  expect(complaint).not.toMatch(/\bat .*\.ts/);
});

test('A process whose table is not there does not start, and says how to create it', async () => {
  const table = await makeTable();
  await table.drop();
  await expect(startBrokerProcess({ PATH: process.env.PATH, ...table.environment })).rejects.toThrow(
    /does not exist; create it with "npm run broker -- table create"/,
  );
});

test('A process or command whose database is not there says which one it was told of, and nothing of where it failed', async () => {
  const table = await tableOfTest();
  const port = await freePort();
  const environment = { ...table.environment, DDB_ENDPOINT_URL: `http://127.0.0.1:${port}` };
  const message = new RegExp(
    `^The database at 127.0.0.1:${port} \\(DDB_ENDPOINT_URL\\) cannot be reached: .*REFUSED.*$`,
  );
  await expect(startBrokerProcess({ PATH: process.env.PATH, ...environment })).rejects.toThrow(message);
  for (const words of [
    ['table', 'create'],
    ['seed', '1'],
  ]) {
    const { exitCode, stderr } = await runCommand(environment, ...words);
    expect([exitCode, stderr.trim()]).toEqual([1, expect.stringMatching(message)]);
  }
});

test('A process whose port is taken says which one, and what to do', async () => {
  const table = await tableOfTest();
  const { url } = await brokerProcessOfTest(table.environment);
  const { port } = new URL(url);
  await expect(
    startBrokerProcess({ PATH: process.env.PATH, ...table.environment, PORT: port }),
  ).rejects.toThrow(new RegExp(`^Port ${port} of 127.0.0.1 is in use .*PORT.*$`));
});

test('A process that starts says so in one line of JSON, without its tokens', async () => {
  const table = await tableOfTest();
  const broker = await brokerProcessOfTest({ ...table.environment, ROLE: 'api' });
  await broker.stop();
  const lines = broker.log.map((line) => JSON.parse(line));
  expect(lines.find(({ action }) => action === 'start')).toMatchObject({ outcome: 'success', role: 'api' });
  const { BROKER_API_TOKEN, BROKER_ADMIN_TOKEN } = table.environment;
  expect(broker.log.join('')).not.toContain(BROKER_API_TOKEN);
  expect(broker.log.join('')).not.toContain(BROKER_ADMIN_TOKEN);
});

test('A process that starts shows the counts of the pool that others have published, before its first interval', async () => {
  const table = await tableOfTest();
  const counts = {
    available: 7,
    allocated: 2,
    pending_deletion: 1,
    stale: 0,
    deletion_failed: 0,
    quarantined: 0,
  };
  await publishStatistics(table.database, { counts, asOf: 1_774_000_000 });
  const environment = { ...table.environment, ROLE: 'api', STATISTICS_INTERVAL_SEC: '3600' };
  const { url } = await brokerProcessOfTest(environment);
  expect(await eventually('the gauges', () => metric(url, 'broker_pool_total'))).toBe(10);
  expect(await metric(url, 'broker_pool_available')).toBe(7);
});

/** The message may hold the bounds of a variable, of which a value may be a part. */
function word(value: string): RegExp {
  return new RegExp(`(^|[^\\w.])${value.replaceAll('.', '\\.')}([^\\w.]|$)`);
}
