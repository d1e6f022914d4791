import { expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { violations } from '../../support/invariants.ts';
import { type JobProcesses, jobProcesses } from '../../support/job-processes.ts';
import { providerViolations } from '../../support/provider-violations.ts';
import { Students } from '../../support/students.ts';

const POOL = 60;
const DELETED = 24;
/** Long enough that no holder loses it who only stands still for a moment. */
const LEASE_MS = 10_000;

/** Processes in the middle of a cleanup of two dozen accounts, of which the holder's goes on when the test lets it. */
async function amidCleanup(processes: number) {
  const world = await jobProcesses(processes, {
    environment: {
      CLEANUP_CONCURRENCY: '2',
      CIRCUIT_BREAKER_THRESHOLD: '1000',
      CSP_TIMEOUT_READ_SEC: '600',
      JOB_LEASE_SEC: String(LEASE_MS / 1000),
    },
    simulator: { accounts: POOL, settings: { linger_listings: 4 } },
  });
  const { simulator, brokers } = world;
  await eventually('accounts are available', async () => (await world.rows()).size === POOL);
  const { log, faults } = simulator;
  void log
    .untilAsked(({ call }) => call === 'delete' && log.of('delete').length === 5)
    .then(() => faults.set([{ kind: 'hang', call: 'delete' }]));
  const students = new Students(brokers);
  const tracks = Array.from({ length: DELETED }, (_, index) => `early-${index}`);
  const held = await Promise.all(tracks.map(async (track) => [track, await students.begins(track)] as const));
  await Promise.all(held.map(([track, sandboxId]) => students.ends(track, sandboxId)));
  const holder = await eventually('a cleanup has deleted some, and hangs in the next', async () => {
    const hangs = log.of('delete').some(({ fault }) => fault === 'hang');
    return hangs && (await world.holderOf('cleanup'));
  });
  const fence = Number((await world.lease('cleanup'))?.fence);
  // What hangs goes on hanging; the next ones do not.
  faults.set([]);
  return {
    world,
    students,
    holder,
    deleted: held.map(([, sandboxId]) => sandboxId),
    anotherHolds: () =>
      eventually('another process has taken the lease', async () => {
        const lease = await world.lease('cleanup');
        return Number(lease?.fence) > fence;
      }),
  };
}

/** Everything is as if nothing had happened. */
async function expectAllDeleted(
  world: JobProcesses,
  students: Students,
  deleted: readonly string[],
): Promise<void> {
  const { simulator, table } = world;
  await eventually('all are deleted', async () => {
    const rows = await world.rows();
    return deleted.every((sandboxId) => !rows.has(sandboxId));
  });
  const items = await table.items();
  expect(violations(items)).toEqual([]);
  expect(providerViolations(simulator, items, students.owners)).toEqual([]);
  const tombstones = items
    .filter((item) => String(item.PK).startsWith('TOMB#'))
    .map((item) => item.sandbox_id);
  expect(tombstones.sort()).toEqual([...deleted].sort());
  for (const tracks of students.given.values()) expect(new Set(tracks).size).toBe(1);
}

test.each([2, 3])(
  'of %i processes the one that cleans up is killed in the middle: another one ends what it began, while a class goes on',
  async (processes) => {
    const { world, students, holder, deleted, anotherHolds } = await amidCleanup(processes);
    const killedAt = performance.now();
    holder.process.kill('SIGKILL');
    await holder.ended;
    // A class that begins in that moment: some of its requests meet the process that is gone.
    const tracks = Array.from({ length: 20 }, (_, index) => `late-${index}`);
    const held = await Promise.all(
      tracks.map(async (track) => [track, await students.begins(track)] as const),
    );

    await anotherHolds();
    expect(performance.now() - killedAt).toBeGreaterThan(LEASE_MS * 0.6);
    await expectAllDeleted(world, students, deleted);
    const rows = await world.rows();
    for (const [track, sandboxId] of held) {
      expect(rows.get(sandboxId)).toMatchObject({ status: 'allocated', allocated_to_track: track });
    }
    expect(rows.size).toBe(POOL - DELETED);
  },
);

test.each([2, 3])(
  'of %i processes the one that cleans up is stopped past its lease and then goes on: it finds its run lost, and breaks nothing',
  async (processes) => {
    const { world, students, holder, deleted, anotherHolds } = await amidCleanup(processes);
    const { run_id: lostRun } = (await world.lease('cleanup')) ?? {};
    holder.process.kill('SIGSTOP');
    await anotherHolds();
    const others = world.brokers.filter((broker) => broker !== holder);
    holder.process.kill('SIGCONT');
    const lost = await eventually('the one that was stopped has ended its run', () => {
      const line = holder.log.find(
        (each) => each.includes(`"request_id":"${lostRun}"`) && each.includes('"outcome"'),
      );
      return line === undefined ? undefined : JSON.parse(line);
    });
    expect(lost).toMatchObject({ action: 'job_cleanup', outcome: 'lease_lost' });
    await expectAllDeleted(world, students, deleted);
    // Nobody was told of its run as if it had counted.
    const lastRuns = others.flatMap((broker) => broker.log).filter((line) => line.includes(String(lostRun)));
    expect(lastRuns).toEqual([]);

    // It is a process like any other again.
    const again = new Students([holder]);
    const sandboxId = await again.begins('after-all');
    await again.ends('after-all', sandboxId);
    await eventually('its student’s sandbox is deleted', async () => !(await world.rows()).has(sandboxId));
    expect(violations(await world.table.items())).toEqual([]);
  },
);

test('a process that is asked to stop in the middle of a cleanup gives the lease back and ends well, and another one goes on', async () => {
  const { world, students, holder, deleted, anotherHolds } = await amidCleanup(3);
  await holder.stop();
  expect(holder.process.exitCode).toBe(0);
  const stopped = holder.log.map((line) => JSON.parse(line)).filter(({ action }) => action === 'job_cleanup');
  expect(stopped.at(-1)).toMatchObject({ outcome: 'stopped' });
  await anotherHolds();
  await expectAllDeleted(world, students, deleted);
});
