import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Environment } from '../../support/table.ts';
import { plantedTable } from './planted.ts';

const CLI = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));

async function verifyCommand(environment: Environment, ...options: string[]) {
  const child = spawn(process.execPath, [CLI, 'verify', ...options], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((done, reject) =>
    child.on('error', reject).on('close', done),
  );
  return { code, stdout, stderr };
}

test('the command says 0 of a sound table, 1 with the rows of a violation, and 0 again after its repair', async () => {
  const { table, remove, held } = await plantedTable();
  await remove('CLAIM#ann ');
  const broken = await verifyCommand(table.environment);
  expect(broken.code).toBe(1);
  expect(broken.stdout).toContain('I10 (missing-claim)');
  expect(broken.stdout).toContain(`"PK":"SBX#${held.ann}"`);
  expect(broken.stdout).toContain('11 rows read, 1 violations');

  const lines = (await verifyCommand(table.environment, '--json')).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toMatchObject([
    { invariant: 'I10', kind: 'missing-claim', repaired: false, rows: [{ sandbox_id: held.ann }] },
    { summary: { rows: 11, violations: 1, repaired: 0 } },
  ]);

  const repaired = await verifyCommand(table.environment, '--repair', 'dangling-claim', 'missing-claim');
  expect(repaired.code).toBe(0);
  expect(repaired.stdout).toContain(' - repaired');
  expect(await verifyCommand(table.environment)).toMatchObject({
    code: 0,
    stdout: '12 rows read, 0 violations\n',
  });
});

test('the command says 2 where it cannot tell: no table, no sense, an unknown repair', async () => {
  const { table } = await plantedTable();
  const missing = await verifyCommand({ ...table.environment, DDB_TABLE_NAME: 'NoSuchTable' });
  expect(missing).toMatchObject({ code: 2, stdout: '' });
  expect(missing.stderr).toContain('NoSuchTable');
  expect((await verifyCommand({ ...table.environment, DDB_ENDPOINT_URL: 'nonsense' })).code).toBe(2);
  expect((await verifyCommand(table.environment, '--repair', 'everything')).code).toBe(2);
});
