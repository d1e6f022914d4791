import { expect, test } from 'vitest';
import { marshallItem } from '../dynamodb/attribute-values.ts';
import { Violations } from '../world/violations.ts';
import { LeaseChecker } from './lease-checker.ts';

const LEASE_MS = 3_000;

/** The lease of one job, written to as told, at times as told. */
class ToldLease {
  now = 0;
  readonly #violations = new Violations({ now: 0, steps: 0, stop: () => {} });
  readonly checker = new LeaseChecker(this.#violations, { time: () => this.now, leaseMs: LEASE_MS });
  #row: Record<string, unknown> | undefined;

  at(time: number, row: Record<string, unknown>): this {
    this.now = time;
    const before = this.#row && marshallItem(this.#row);
    this.checker.committed([{ key: 'LEASE#sync\nMETA', before, after: marshallItem(row) }]);
    this.#row = row;
    return this;
  }

  run(runId: string, process: { alive: boolean; pausedUntil: number }) {
    const controller = new AbortController();
    const author = { actor: 'job:sync', requestId: runId };
    const end = this.checker.began(
      'sync',
      { name: `of ${runId}`, ...process },
      { signal: controller.signal, author },
    );
    return { abort: () => controller.abort(), end };
  }

  get violation() {
    return this.#violations.first;
  }
}

const first = { run_id: 'one', fence: 1, beat: 0 };
const second = { run_id: 'two', fence: 2, beat: 0 };
const LIVES = { alive: true, pausedUntil: -1 };

test.each([
  ['that was silent for its time', new ToldLease().at(0, first).at(LEASE_MS, second)],
  ['that has ended', new ToldLease().at(0, first).at(10, { fence: 1, beat: 1 }).at(20, second)],
  [
    'whose row an operator wrote to meanwhile',
    new ToldLease()
      .at(0, first)
      .at(2_000, { ...first, paused_at: 1 })
      .at(LEASE_MS, second),
  ],
])('a lease may be taken from a run %s', (_what, lease) => {
  expect(lease.violation).toBeUndefined();
});

test.each([
  ['just before its time is over', new ToldLease().at(0, first).at(LEASE_MS - 1, second)],
  [
    'counted from its acquisition, not from its last sign of life',
    new ToldLease()
      .at(0, first)
      .at(1_000, { ...first, beat: 1 })
      .at(LEASE_MS, second),
  ],
])('a lease that is taken from a run %s breaks I8', (_what, lease) => {
  expect(lease.violation?.invariant).toBe('I8');
});

test('a run may begin when the others have ended, gave themselves up, died or stand still', () => {
  const lease = new ToldLease();
  lease.run('ended', LIVES).end();
  lease.run('aborted', LIVES).abort();
  lease.run('stopped', { alive: true, pausedUntil: Number.POSITIVE_INFINITY });
  lease.run('dead', { alive: false, pausedUntil: 0 });
  lease.run('two', LIVES);
  expect(lease.violation).toBeUndefined();
});

test('a run that begins while another one goes on breaks I8', () => {
  const lease = new ToldLease();
  lease.run('one', LIVES);
  lease.run('two', LIVES);
  expect(lease.violation).toMatchObject({
    invariant: 'I8',
    text: expect.stringContaining('goes on in two processes'),
  });
});

test('a run that goes on when its process wakes breaks I8 at the next sign of life of the other one', () => {
  const lease = new ToldLease().at(0, first);
  const sleeper = { alive: true, pausedUntil: 5_000 };
  lease.run('one', sleeper);
  lease.at(4_000, second).run('two', LIVES);
  expect(lease.violation).toBeUndefined();
  lease.at(5_001, { ...second, beat: 1 });
  expect(lease.violation?.invariant).toBe('I8');
});
