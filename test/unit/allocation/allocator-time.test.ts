import { expect, test } from 'vitest';
import {
  CONFLICT,
  claimed,
  claimName,
  claimOn,
  DEADLINE_MS,
  ScriptedAllocator,
  THROTTLED,
} from '../../support/scripted-allocator.ts';
import { lost } from '../../support/scripted-commits.ts';
import { candidate } from '../../support/scripted-walk.ts';

const settle = (scripted: ScriptedAllocator) => scripted.clock.advance(0);
const rows = (ids: string) => [...ids].map((id) => candidate(id));

test('a conflict on the claim backs off, longer each time, and is no lost race', async () => {
  const scripted = new ScriptedAllocator(rows('a'));
  const asked = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  for (const wait of [100, 200, 400]) {
    const tries = scripted.commits.sent.length;
    await scripted.last.cancel({ [claimName('student-1')]: CONFLICT });
    await scripted.clock.advance(wait - 1);
    expect(scripted.commits.sent).toHaveLength(tries);
    await scripted.clock.advance(1);
    expect(scripted.commits.sent).toHaveLength(tries + 1);
  }
  await scripted.last.cancel({ [claimName('student-1')]: claimed('mine') });
  expect(asked.allocation).toMatchObject({ sandboxId: 'mine', replayed: true });
  expect(scripted.conflicts).toBe(0);
});

test('a candidate is not kept by a request that waits after a conflict', async () => {
  const scripted = new ScriptedAllocator(rows('a'));
  scripted.ask({ track: 'student-1' });
  await settle(scripted);
  await scripted.last.cancel({ [claimName('student-1')]: CONFLICT });
  const other = scripted.ask({ track: 'student-2' });
  await settle(scripted);
  await scripted.last.commit();
  expect(other.allocation?.sandboxId).toBe('a');
});

test.each([
  ['conflicts', CONFLICT, 'ALLOCATION_CONTENTION'],
  ['throttling', THROTTLED, 'SERVICE_UNAVAILABLE'],
])('a request whose time runs out among %s is told what stood in its way', async (_, reason, code) => {
  const scripted = new ScriptedAllocator(rows('a'));
  const asked = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  while (asked.error === undefined) {
    await scripted.last.cancel({ [claimName('student-1')]: reason });
    await scripted.clock.advanceToNext();
  }
  expect(scripted.clock.monotonic()).toBeLessThanOrEqual(DEADLINE_MS);
  expect(asked.error).toMatchObject({ code, retryAfter: expect.any(Number) });
  const tries = scripted.commits.sent.length;
  await scripted.clock.advance(60_000);
  expect(scripted.commits.sent).toHaveLength(tries);
});

test('a request is answered at its deadline though nobody knows what became of its write, and its retry finds out', async () => {
  const scripted = new ScriptedAllocator(rows('ab'));
  const asked = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  await scripted.clock.advance(DEADLINE_MS - 1);
  expect(asked.error).toBeUndefined();
  await scripted.clock.advance(1);
  expect(asked.error).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  await scripted.last.fail(lost());
  await settle(scripted);
  // It had taken effect: the key was seen a moment ago, so its claim is read.
  scripted.claims.set('student-1 ', claimOn('a'));
  const retry = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  expect(retry.allocation).toMatchObject({ sandboxId: 'a', replayed: true });
  expect(scripted.commits.sent).toHaveLength(1);
});

test('whoever joins late has its own time, whatever becomes of those before', async () => {
  const scripted = new ScriptedAllocator(rows('a'));
  // The only place is taken by somebody else for longer than the first request has.
  scripted.ask({ track: 'neighbour' }, 60_000);
  await settle(scripted);
  scripted.index.rows = rows('b');
  const first = scripted.ask({ track: 'student-1' });
  await scripted.clock.advance(DEADLINE_MS - 1_000);
  const joined = scripted.ask({ track: 'student-1' });
  await scripted.clock.advance(2_000);
  expect(first.error).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  expect(joined.error).toBeUndefined();
  scripted.claims.set('student-1 ', claimOn('b'));
  await scripted.last.commit();
  await scripted.last.commit();
  expect(joined.allocation).toMatchObject({ sandboxId: 'b' });
});

test('a request whose client has gone is not sent, unless another of its key still waits', async () => {
  const scripted = new ScriptedAllocator(rows('abc'));
  scripted.ask({ track: 'neighbour' }, 60_000);
  await settle(scripted);
  const alone = scripted.ask({ track: 'student-1' });
  const pair = [scripted.ask({ track: 'student-2' }), scripted.ask({ track: 'student-2' })];
  await settle(scripted);
  alone.deadline.abandon();
  pair[0]!.deadline.abandon();
  await scripted.last.commit();
  expect(scripted.last.names).toContain(claimName('student-2'));
  expect(scripted.last.names).not.toContain(claimName('student-1'));
  scripted.claims.set('student-2 ', claimOn('c'));
  await scripted.last.commit();
  expect(pair[1]!.allocation).toBeDefined();
});

test('a claim that cannot be read is an outage, and the next request is not held up by it', async () => {
  const scripted = new ScriptedAllocator([]);
  scripted.claimError = lost();
  const asked = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  expect(asked.error).toMatchObject({ code: 'SERVICE_UNAVAILABLE', cause: { name: 'TimeoutError' } });
  scripted.claimError = undefined;
  scripted.claims.set('student-1 ', claimOn('mine'));
  const retry = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  expect(retry.allocation?.sandboxId).toBe('mine');
});
