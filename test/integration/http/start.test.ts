import { expect, test } from 'vitest';
import { startBrokerProcess } from '../../../src/local/broker-process.ts';
import { freePort } from '../../../src/local/engine.ts';
import { brokerProcessOfTest } from '../../support/broker.ts';
import { runCommand } from '../../support/command-line.ts';
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

/** The message may hold the bounds of a variable, of which a value may be a part. */
function word(value: string): RegExp {
  return new RegExp(`(^|[^\\w.])${value.replaceAll('.', '\\.')}([^\\w.]|$)`);
}
