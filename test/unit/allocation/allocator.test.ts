import { expect, test } from 'vitest';
import {
  claimed,
  claimName,
  claimOn,
  MAX_LOST_RACES,
  ScriptedAllocator,
  sandboxIs,
} from '../../support/scripted-allocator.ts';
import { invalid } from '../../support/scripted-commits.ts';
import { candidate, ScriptedWalk } from '../../support/scripted-walk.ts';

const settle = (scripted: ScriptedAllocator) => scripted.clock.advance(0);
const rows = (ids: string) => [...ids].map((id) => candidate(id));

test('a new claim key gets a sandbox of its own, with one transaction and no other read than of candidates', async () => {
  const scripted = new ScriptedAllocator(rows('a'));
  const asked = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  expect(scripted.last.names).toEqual([claimName('student-1'), 'SBX#a']);
  await scripted.last.commit();
  expect(asked.allocation).toMatchObject({
    sandboxId: 'a',
    name: 'lab-a',
    labDurationHours: 4,
    replayed: false,
  });
  expect(asked.allocation?.allocatedAt).toBe(Math.floor(scripted.clock.now() / 1000));
  expect(scripted.claimsRead).toEqual([]);
});

test('requests that come while one of their claim key is under way find its sandbox afterwards, all by one read', async () => {
  const scripted = new ScriptedAllocator(rows('ab'));
  const asked = Array.from({ length: 5 }, () => scripted.ask({ track: 'student-1', idempotencyKey: 'k' }));
  await settle(scripted);
  asked.push(scripted.ask({ track: 'student-1', idempotencyKey: 'k' }));
  expect(scripted.last.names).toEqual([claimName('student-1', 'k'), 'SBX#b']);
  scripted.claims.set('student-1 k', claimOn('b'));
  await scripted.last.commit();
  expect([scripted.commits.sent.length, scripted.claimsRead]).toEqual([1, ['student-1 k']]);
  expect(asked.map(({ allocation }) => allocation?.replayed)).toEqual([false, true, true, true, true, true]);
  expect(new Set(asked.map(({ allocation }) => allocation?.sandboxId))).toEqual(new Set(['b']));
});

test('requests that wait for one under way share the fate of the next', async () => {
  const scripted = new ScriptedAllocator([]);
  const first = scripted.ask({ track: 'student-1' });
  const waiting = [scripted.ask({ track: 'student-1' }), scripted.ask({ track: 'student-1' })];
  await settle(scripted);
  for (const { error } of [first, ...waiting])
    expect(error).toMatchObject({ code: 'NO_SANDBOXES_AVAILABLE' });
  expect(scripted.claimsRead).toHaveLength(2);
});

test('a request that comes while an answer is on its way is not told of a sandbox that was released meanwhile', async () => {
  const scripted = new ScriptedAllocator(rows('ab'));
  const first = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  const second = scripted.ask({ track: 'student-1' });
  // The write has taken effect, and another process has released what it allocated, before the answer is here.
  await scripted.last.commit();
  await scripted.last.commit();
  expect([first.allocation?.sandboxId, second.allocation?.sandboxId]).toEqual(['b', 'a']);
  expect(second.allocation?.replayed).toBe(false);
});

test('a key that repeats the caller’s id is the same claim as no key, and another one is another', async () => {
  const scripted = new ScriptedAllocator(rows('ab'));
  for (const idempotencyKey of [undefined, 'student-1', 'other'])
    scripted.ask({ track: 'student-1', idempotencyKey });
  await settle(scripted);
  const claims = scripted.last.names.filter((name) => name.startsWith('CLAIM#'));
  expect(claims.sort()).toEqual([claimName('student-1'), claimName('student-1', 'other')]);
});

test('a claim that is there already is the answer, and the candidate goes to somebody else', async () => {
  const scripted = new ScriptedAllocator(rows('a'));
  const replay = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  const next = scripted.ask({ track: 'student-2' });
  await settle(scripted);
  await scripted.last.cancel({ [claimName('student-1')]: claimed('mine') });
  expect(replay.allocation).toEqual({ ...claimOn('mine'), replayed: true });
  expect(scripted.last.names).toEqual([claimName('student-2'), 'SBX#a']);
  await scripted.last.commit();
  expect(next.allocation).toMatchObject({ sandboxId: 'a', replayed: false });
});

test('a claim that is there already is the answer although the candidate is gone as well', async () => {
  const scripted = new ScriptedAllocator(rows('a'));
  const replay = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  await scripted.last.cancel({
    [claimName('student-1')]: claimed('mine'),
    'SBX#a': sandboxIs({ status: 'allocated' }),
  });
  expect(replay.allocation).toMatchObject({ sandboxId: 'mine', replayed: true });
  expect(scripted.conflicts).toBe(0);
});

test('a lost race costs the next candidate, and each is counted', async () => {
  const scripted = new ScriptedAllocator(rows('abc'));
  const asked = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  const [, first] = scripted.last.names;
  await scripted.last.cancel({ [first!]: sandboxIs({ status: 'allocated' }) });
  const [, second] = scripted.last.names;
  expect(second).not.toBe(first);
  await scripted.last.commit();
  expect(asked.allocation).toMatchObject({ replayed: false });
  expect(scripted.conflicts).toBe(1);
});

test('whoever loses as many races as one may is told of contention, not of an empty pool', async () => {
  const scripted = new ScriptedAllocator(rows('abcdef'));
  const asked = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  for (let race = 0; race < MAX_LOST_RACES; race += 1) {
    expect(asked.error).toBeUndefined();
    await scripted.last.cancel({ [scripted.last.names[1]!]: sandboxIs({ status: 'allocated' }) });
  }
  expect(asked.error).toMatchObject({ code: 'ALLOCATION_CONTENTION', retryAfter: expect.any(Number) });
  expect(scripted.commits.sent).toHaveLength(MAX_LOST_RACES);
});

test('whoever loses two races to sandboxes that were read before has the pool read again, and hears that it is empty', async () => {
  const scripted = new ScriptedAllocator(rows('abcdef'));
  const asked = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  scripted.index.rows = [];
  for (let race = 0; race < 2; race += 1) {
    expect(asked.error).toBeUndefined();
    await scripted.last.cancel({ [scripted.last.names[1]!]: sandboxIs({ status: 'stale' }) });
  }
  await settle(scripted);
  expect(asked.error).toMatchObject({ code: 'NO_SANDBOXES_AVAILABLE' });
  expect(scripted.commits.sent).toHaveLength(2);
});

test('an empty pool is the answer only for a claim key that has nothing', async () => {
  const scripted = new ScriptedAllocator([]);
  scripted.claims.set('student-1 ', claimOn('mine'));
  const replay = scripted.ask({ track: 'student-1' });
  const late = scripted.ask({ track: 'student-2' });
  await settle(scripted);
  expect(replay.allocation).toEqual({ ...claimOn('mine'), replayed: true });
  expect(late.error).toMatchObject({ code: 'NO_SANDBOXES_AVAILABLE', retryAfter: 30 });
  expect(scripted.commits.sent).toHaveLength(0);
});

test('a sandbox that was renamed since it was read is taken under its new name', async () => {
  const scripted = new ScriptedAllocator(rows('a'));
  const asked = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  const renamed = { status: 'available', sandbox_id: 'a', name: 'new-name', external_id: 'new-id' };
  await scripted.last.cancel({ 'SBX#a': sandboxIs(renamed) });
  expect(scripted.last.items[0]?.Put?.Item).toMatchObject({
    name: { S: 'new-name' },
    external_id: { S: 'new-id' },
  });
  await scripted.last.commit();
  expect(asked.allocation).toMatchObject({ sandboxId: 'a', name: 'new-name', externalId: 'new-id' });
});

test('a sandbox whose new name lacks the prefix that was asked for is left alone', async () => {
  const scripted = new ScriptedAllocator();
  scripted.walks.set('lab-', new ScriptedWalk(rows('a')));
  const asked = scripted.ask({ track: 'student-1', namePrefix: 'lab-' });
  await settle(scripted);
  scripted.walks.get('lab-')!.rows = [];
  const renamed = { status: 'available', sandbox_id: 'a', name: 'other', external_id: 'a' };
  await scripted.last.cancel({ 'SBX#a': sandboxIs(renamed) });
  expect(asked.error).toMatchObject({ code: 'NO_SANDBOXES_AVAILABLE' });
});

test.each(['stale', 'quarantined'])(
  'a sandbox that was %s may come back, and is tried again when the index lists it',
  async (status) => {
    const scripted = new ScriptedAllocator(rows('a'));
    const asked = scripted.ask({ track: 'student-1' });
    await settle(scripted);
    await scripted.last.cancel({ 'SBX#a': sandboxIs({ status }) });
    expect(scripted.commits.sent).toHaveLength(2);
    await scripted.last.commit();
    expect(asked.allocation?.sandboxId).toBe('a');
  },
);

test.each([
  ['was allocated', { status: 'allocated#03' }],
  ['is in a state that this version does not know', { status: 'hibernating' }],
  ['has no row any more', undefined],
])('a sandbox that %s is not tried again though the index lists it', async (_, row) => {
  const scripted = new ScriptedAllocator(rows('a'));
  const asked = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  await scripted.last.cancel({ 'SBX#a': sandboxIs(row) });
  expect(scripted.commits.sent).toHaveLength(1);
  expect(asked.error).toMatchObject({ code: 'NO_SANDBOXES_AVAILABLE' });
});

test('a request that asks for another part of the pool than the one under way finds out for itself', async () => {
  const scripted = new ScriptedAllocator(rows('a'));
  scripted.walks.set('none-', new ScriptedWalk());
  const first = scripted.ask({ track: 'student-1', namePrefix: 'none-' });
  const others = [scripted.ask({ track: 'student-1' }), scripted.ask({ track: 'student-1' })];
  await settle(scripted);
  expect(scripted.commits.sent).toHaveLength(0);
  scripted.walks.get('none-')!.last.give([], true);
  await settle(scripted);
  expect(first.error).toMatchObject({ code: 'NO_SANDBOXES_AVAILABLE' });
  await scripted.last.commit();
  expect(others.map(({ allocation }) => allocation?.replayed)).toEqual([false, true]);
});

test('a claim key that was seen a minute ago is looked up before it costs a transaction, and later no more', async () => {
  const scripted = new ScriptedAllocator(rows('ab'));
  scripted.ask({ track: 'student-1' });
  await settle(scripted);
  await scripted.last.commit();
  scripted.claims.set('student-1 ', claimOn('a'));
  const replay = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  expect(replay.allocation).toEqual({ ...claimOn('a'), replayed: true });
  expect([scripted.claimsRead.length, scripted.commits.sent.length]).toEqual([1, 1]);
  await scripted.clock.advance(60_000);
  scripted.ask({ track: 'student-1' });
  await settle(scripted);
  expect([scripted.claimsRead.length, scripted.commits.sent.length]).toEqual([1, 2]);
});

test('before adoption is complete a caller’s own row is looked for first', async () => {
  const scripted = new ScriptedAllocator(rows('a'));
  scripted.previous = new Map([['student-1 ', claimOn('of the previous broker')]]);
  const replay = scripted.ask({ track: 'student-1' });
  const fresh = scripted.ask({ track: 'student-2' });
  await settle(scripted);
  expect(replay.allocation).toMatchObject({ sandboxId: 'of the previous broker', replayed: true });
  expect(scripted.last.names).toEqual([claimName('student-2'), 'SBX#a']);
  await scripted.last.commit();
  expect(fresh.allocation).toMatchObject({ sandboxId: 'a', replayed: false });
});

test('before adoption is complete a claim that stands in the way is believed only if its allocation is active', async () => {
  const scripted = new ScriptedAllocator(rows('ab'));
  scripted.previous = new Map();
  const asked = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  await scripted.last.cancel({ [claimName('student-1')]: claimed('ended by the previous broker') });
  expect(scripted.commits.sent).toHaveLength(2);
  scripted.previous.set('student-1 ', claimOn('mine'));
  await scripted.last.cancel({ [claimName('student-1')]: claimed('mine') });
  expect(asked.allocation).toMatchObject({ sandboxId: 'mine', replayed: true });
});

test('a write that the database will not have is a defect, not an outage, and its candidate is free again', async () => {
  const scripted = new ScriptedAllocator(rows('a'));
  const asked = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  await scripted.last.fail(invalid());
  expect(asked.error).toMatchObject({ name: 'ValidationException' });
  scripted.ask({ track: 'student-2' });
  await settle(scripted);
  expect(scripted.last.names).toEqual([claimName('student-2'), 'SBX#a']);
});

test('a reason that stands for no condition and does not pass is a defect too', async () => {
  const scripted = new ScriptedAllocator(rows('a'));
  const asked = scripted.ask({ track: 'student-1' });
  await settle(scripted);
  await scripted.last.cancel({ 'SBX#a': { code: 'ItemCollectionSizeLimitExceeded' } });
  expect(asked.error).toMatchObject({ message: expect.stringContaining('ItemCollectionSizeLimitExceeded') });
});
