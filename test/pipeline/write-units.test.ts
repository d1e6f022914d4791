import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { LIFE } from '../../load/scaling/costs.ts';
import { startCspSimulator } from '../../src/local/csp-simulator.ts';
import { brokerOfTest } from '../support/broker.ts';
import { allocate, asAdmin, call, release } from '../support/client.ts';
import { tableOfTest } from '../support/table.ts';
import { tapDatabase } from '../support/tapped-database.ts';

const SANDBOXES = 40;

interface ConsumedCapacity {
  readonly CapacityUnits: number;
}

/** The table of docs/deployment.md: step and units. */
function documentedUnits(): Record<string, number> {
  const text = readFileSync(join(import.meta.dirname, '../../docs/deployment.md'), 'utf8');
  const rows = text.matchAll(/^\| `(sync|allocate|release|cleanup)` \|.*\| (\d+) \|$/gm);
  return Object.fromEntries([...rows].map(([, step, units]) => [step, Number(units)]));
}

it('each step in the life of a sandbox writes as many units as docs/deployment.md and the model of scale charge for it', async () => {
  const table = await tableOfTest();
  const csp = await startCspSimulator({ accounts: SANDBOXES });
  onTestFinished(() => csp.close());
  let units = 0;
  const database = tapDatabase(table.database, async ({ operation, input }, next) => {
    input.ReturnConsumedCapacity = 'TOTAL';
    const answer = (await next()) as { ConsumedCapacity?: ConsumedCapacity[] };
    if (operation === 'TransactWriteItems')
      for (const consumed of answer.ConsumedCapacity ?? []) units += consumed.CapacityUnits;
    return answer;
  });
  const broker = await brokerOfTest(
    {
      ...table.environment,
      CSP_BASE_URL: csp.baseUrl,
      CSP_API_TOKEN: csp.token,
      CLEANUP_BATCH_DELAY_SEC: '0',
    },
    { database },
  );
  /** Units for each sandbox since it was asked last. */
  const each = () => {
    const result = units / SANDBOXES;
    units = 0;
    return result;
  };
  const run = (job: string) => call('POST', `${broker.url}/v1/admin/jobs/${job}/run`, asAdmin());
  const students = Array.from({ length: SANDBOXES }, (_, number) => `student-${number}`);

  const measured: Record<string, number> = {};
  await run('sync');
  measured.sync = each();
  const answers = await Promise.all(students.map((student) => allocate(broker.url, student)));
  measured.allocate = each();
  await Promise.all(
    students.map((student, index) => release(broker.url, student, answers[index]?.body.sandbox_id)),
  );
  measured.release = each();
  await run('cleanup');
  measured.cleanup = each();

  expect(csp.accounts.size).toBe(0);
  expect(measured).toEqual(documentedUnits());
  expect(LIFE.map((step) => step.table + step.indexes)).toEqual(Object.values(measured));
});
