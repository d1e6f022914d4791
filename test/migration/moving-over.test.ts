import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { expect, it } from 'vitest';
import { ADOPTION_KEY } from '../../src/store/keys.ts';
import type { NewSandbox } from '../../src/store/new-sandboxes.ts';
import { brokerProcessOfTest } from '../support/broker.ts';
import { allocate, release } from '../support/client.ts';
import { violations } from '../support/invariants.ts';
import { allocateAsPreviousBroker } from '../support/previous-broker.ts';
import { type TestTable, tableOfTest } from '../support/table.ts';
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

/** As an operator calls it, in a process of its own. */
async function adopt(table: TestTable, ...options: string[]): Promise<string> {
  const command = [join(import.meta.dirname, '../../src/cli/main.ts'), 'adopt', ...options];
  const { stdout } = await promisify(execFile)(process.execPath, command, {
    env: { PATH: process.env.PATH, ...table.environment },
  });
  return stdout;
}

/** Rows as they were when the previous broker stood alone: their holders are in the middle of a lab. */
async function fillAsPreviousBroker(table: TestTable, classroom: Classroom): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const sandboxes = await table.seed(1_000);
  const held = sandboxes.slice(0, 80).map((sandbox: NewSandbox, index) => ({
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
  const table = await tableOfTest({ adopted: false, environment: { ROLE: 'api' } });
  const previous = new ServingPreviousBroker(table.database);
  const classroom = new Classroom(() => previous);
  await fillAsPreviousBroker(table, classroom);
  const startNew = async () => {
    const brokers = await Promise.all([0, 1].map(() => brokerProcessOfTest(table.environment)));
    const [first, second] = brokers.map(({ url }) => new NewBroker(url)) as [NewBroker, NewBroker];
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

  // 2. The new one stands beside it; nothing is sent to it. Adoption, with the class in its seats.
  let current = await startNew();
  expect(await adopt(table, '--previous-still-runs')).toContain('Adoption stays open');

  // 3. Both serve. Half of the students go to the new one, and any of them to the other after a pause.
  const onBoth = () => (Math.random() < 0.5 ? previous : current.any());
  classroom.switchTo(onBoth);
  await classroom.goOn(PHASE_MS);
  await adopt(table, '--previous-still-runs');
  await classroom.goOn(PHASE_MS);
  await classroom.askAgain();

  // 4. Everybody goes to the new one; the previous one has nothing to do any more, and is stopped.
  classroom.switchTo(() => current.any());
  await classroom.goOn(PHASE_MS);

  // 5. The last adoption.
  expect(await adopt(table)).toContain('Adoption is complete');
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
  expect(await adopt(table)).toContain('Adoption is complete');

  await classroom.close();
  await classroom.askAgain();
  const items = await table.items();
  expect(violations(items)).toEqual([]);
  const allocated = items.filter((item) => item.status === 'allocated').map((item) => item.sandbox_id);
  expect(allocated.sort()).toEqual(classroom.staying.map((student) => student.holds).sort());
  expect(classroom.owners.size).toBeGreaterThan(150);
  expect(classroom.requests).toBeGreaterThan(400);
}, 180_000);
