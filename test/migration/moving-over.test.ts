import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { expect, it, onTestFinished } from 'vitest';
import { type CspSimulator, startCspSimulator } from '../../src/local/csp-simulator.ts';
import { sandboxOf } from '../../src/local/provider-accounts.ts';
import { ADOPTION_KEY } from '../../src/store/keys.ts';
import { fillPool } from '../../src/store/new-sandboxes.ts';
import { brokerProcessOfTest } from '../support/broker.ts';
import { allocate, release } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { violations } from '../support/invariants.ts';
import { findProgram } from '../support/lab-host.ts';
import { allocateAsPreviousBroker } from '../support/previous-broker.ts';
import { type TestTable, TRACK_TOKEN, tableOfTest } from '../support/table.ts';
import { Classroom } from './classroom.ts';
import { ServingPreviousBroker } from './serving-previous-broker.ts';
import { type Server, Student } from './student.ts';

const SEATS = 12;
const PHASE_MS = 600;

/** The broker of this repository, over HTTP. Several requests of one student at once are no trouble to it. */
class NewBroker implements Server {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  async allocate(student: Student) {
    const headers: Record<string, string> =
      student.idempotencyKey === undefined ? {} : { 'idempotency-key': student.idempotencyKey };
    const answers = await Promise.all([
      allocate(this.#url, student.id, headers),
      allocate(this.#url, student.id, headers),
    ]);
    for (const { status, body } of answers)
      if (status !== 201 && status !== 200)
        throw new Error(`${student.id}: ${status} ${JSON.stringify(body)}`);
    expect(answers[0].body.sandbox_id).toBe(answers[1].body.sandbox_id);
    return { sandboxId: answers[0].body.sandbox_id as string };
  }

  async release(student: Student, sandboxId: string) {
    const { status, body } = await release(this.#url, student.id, sandboxId);
    if (status !== 200) throw new Error(`${student.id}: ${status} ${JSON.stringify(body)}`);
  }
}

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const JOBS = ['sync', 'cleanup', 'expiry', 'stale'] as const;

/** As an operator calls it, in a process of its own. @throws Error when it does not exit with 0 */
async function command(table: TestTable, ...words: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [join(ROOT, 'src/cli/main.ts'), ...words], {
    env: { PATH: process.env.PATH, ...table.environment },
  });
  return stdout;
}

async function onJobs(table: TestTable, ...words: [verb: string, ...options: string[]]): Promise<void> {
  const [verb, ...options] = words;
  await Promise.all(JOBS.map((job) => command(table, 'jobs', verb, job, ...options)));
}

/** What the provider has, as the previous broker's table shows it: some of it held by students in the middle of a lab. */
async function fillAsPreviousBroker(
  table: TestTable,
  provider: CspSimulator,
  classroom: Classroom,
): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const sandboxes = provider.accounts.create({ count: 1_000 }).map(sandboxOf);
  await fillPool(table.database, table.shards, sandboxes, now);
  const held = sandboxes.slice(0, 80).map((sandbox, index) => ({
    sandbox,
    track: `earlier-${index}`,
    allocatedAt: now - 60 - index,
    nulls: index % 2 === 0,
    ...(index % 3 === 0 ? { idempotencyKey: `earlier-play-${index}` } : {}),
  }));
  await allocateAsPreviousBroker(table.database, held);
  for (const { track, idempotencyKey, sandbox } of held.map((each) => ({
    idempotencyKey: undefined,
    ...each,
  })))
    classroom.staying.push(new Student(track, idempotencyKey, classroom.owners, sandbox.sandboxId));
}

it('moves a class from the previous broker to this one, back, and over again, and nobody holds two', async () => {
  const provider = await startCspSimulator();
  onTestFinished(() => provider.close());
  const table = await tableOfTest({
    adopted: false,
    environment: {
      CSP_BASE_URL: provider.baseUrl,
      CSP_API_TOKEN: provider.token,
      // Every job would be due several times in each phase of the move.
      SYNC_INTERVAL_SEC: '1',
      CLEANUP_INTERVAL_SEC: '1',
      AUTO_EXPIRY_INTERVAL_SEC: '1',
      STALE_INTERVAL_SEC: '1',
      CLEANUP_BATCH_SIZE: '100',
      CLEANUP_BATCH_DELAY_SEC: '0',
      CLEANUP_CONCURRENCY: '16',
    },
  });
  const previous = new ServingPreviousBroker(table.database);
  const classroom = new Classroom(() => previous);
  await fillAsPreviousBroker(table, provider, classroom);
  const startNew = async () => {
    const start = () => brokerProcessOfTest(table.environment);
    const brokers = await Promise.all([start(), start()]);
    const [first, second] = brokers.map(({ url }) => new NewBroker(url)) as [NewBroker, NewBroker];
    // The script needs curl; everything else here needs npm alone.
    if (findProgram('curl') !== undefined) {
      const env = { PATH: process.env.PATH, BROKER_API_TOKEN: TRACK_TOKEN };
      await run(join(ROOT, '.ci/smoke'), [brokers[0].url], { env });
    }
    return {
      /** Either of the two, as the load balancer likes. */
      any: () => (Math.random() < 0.5 ? first : second),
      stop: () => Promise.all(brokers.map((broker) => broker.stop())),
    };
  };

  // 1. The previous broker alone.
  classroom.openSeats(SEATS);
  await classroom.goOn(PHASE_MS);
  await classroom.askAgain();

  // 2. The new one stands beside it; nothing is sent to it, and its jobs wait. Adoption, with the class in its seats.
  await command(table, 'table', 'check');
  await onJobs(table, 'pause', '--reason', 'moving over');
  let current = await startNew();
  expect(await command(table, 'adopt', '--previous-still-runs')).toContain('Adoption stays open');

  // 3. Both serve. Half of the students go to the new one, and any of them to the other after a pause.
  const onBoth = () => (Math.random() < 0.5 ? previous : current.any());
  classroom.switchTo(onBoth);
  await classroom.goOn(PHASE_MS);
  await command(table, 'adopt', '--previous-still-runs');
  await classroom.goOn(PHASE_MS);
  await classroom.askAgain();

  // 4. Everybody goes to the new one; the previous one has nothing to do any more, and is stopped.
  classroom.switchTo(() => current.any());
  await classroom.goOn(PHASE_MS);

  // 5. The last adoption.
  expect(await command(table, 'adopt')).toContain('Adoption is complete');
  await classroom.goOn(PHASE_MS);
  await classroom.askAgain();

  // Back: as docs/deployment.md says, the marker goes before the previous broker serves again ...
  await table.database.documents.send(
    new DeleteCommand({ TableName: table.database.tableName, Key: ADOPTION_KEY }),
  );
  classroom.switchTo(() => previous);
  await classroom.goOn(PHASE_MS);
  await current.stop();
  await classroom.askAgain();

  // ... and over again, with new processes, which find adoption open.
  current = await startNew();
  classroom.switchTo(onBoth);
  await classroom.goOn(PHASE_MS);
  classroom.switchTo(() => current.any());
  await classroom.goOn(PHASE_MS);
  expect(await command(table, 'adopt')).toContain('Adoption is complete');

  await command(table, 'verify');

  // Until here no job has done anything. Now deletions begin, of what either broker released, and sync, with the class
  // in its seats.
  const releasedBefore = await pendingDeletion(table);
  expect(releasedBefore).toEqual(expect.arrayContaining([...previous.released]));
  expect(previous.released.size).toBeGreaterThan(20);
  expect(provider.accounts.size).toBe(1_000);
  const [fresh] = provider.accounts.create({ count: 1, namePrefix: 'made-during-the-move-' }).map(sandboxOf);
  await onJobs(table, 'resume');
  await eventually(
    'what was released during the move is deleted at the provider, and what was made is in the pool',
    async () => {
      const [ids, left] = [idsOf(provider), await pendingDeletion(table)];
      const pool = (await table.items()).map((item) => item.sandbox_id);
      return (
        pool.includes(fresh!.sandboxId) && releasedBefore.every((id) => !ids.has(id) && !left.includes(id))
      );
    },
    60_000,
  );
  await classroom.goOn(PHASE_MS);

  await classroom.close();
  await classroom.askAgain();
  await current.stop();
  const items = await table.items();
  expect(violations(items)).toEqual([]);
  const allocated = items.filter((item) => item.status === 'allocated').map((item) => item.sandbox_id);
  expect(allocated.sort()).toEqual(classroom.staying.map((student) => student.holds).sort());
  // Nothing that a student holds, or that waits for one, was deleted.
  const rows = items.filter(({ status }) => status === 'allocated' || status === 'available');
  const ids = idsOf(provider);
  expect(rows.map((row) => String(row.sandbox_id)).filter((id) => !ids.has(id))).toEqual([]);
  expect(classroom.owners.size).toBeGreaterThan(150);
  expect(classroom.requests).toBeGreaterThan(400);
}, 300_000);

/** What the provider has, by the ids of the rows. */
function idsOf(provider: CspSimulator): Set<string> {
  return new Set(provider.accounts.all().map((account) => String(account.csp_id)));
}

async function pendingDeletion(table: TestTable): Promise<string[]> {
  const items = await table.items();
  return items.filter(({ status }) => status === 'pending_deletion').map((item) => String(item.sandbox_id));
}
