import { expect, test } from 'vitest';
import { follow, invalid, lost, ScriptedCommits, throttled, unitOf } from '../../support/scripted-commits.ts';

function submitAll(scripted: ScriptedCommits, names: string) {
  return [...names].map((name) => follow(scripted.commits.submit(unitOf([name]))));
}

test('a transaction whose answer is lost goes again with the same items under the same token, and with nobody new', async () => {
  const scripted = new ScriptedCommits();
  const units = submitAll(scripted, 'ab');
  await scripted.settle();
  submitAll(scripted, 'x');
  await scripted.last.fail(lost());
  expect(scripted.sent).toHaveLength(1);
  await scripted.clock.advance(100);
  expect(scripted.sent).toHaveLength(2);
  expect(scripted.last.token).toBe(scripted.sent[0]!.token);
  expect(scripted.last.items).toEqual(scripted.sent[0]!.items);
  await scripted.last.commit();
  expect(units.map(({ outcome }) => outcome)).toEqual(['committed', 'committed']);
  expect(scripted.last.names).toEqual(['x']);
});

test('the waits between tries double, spread from zero to their length, up to the longest', async () => {
  const scripted = new ScriptedCommits({ backoffMaxMs: 300 });
  submitAll(scripted, 'a');
  await scripted.settle();
  for (const wait of [100, 200, 300, 300]) {
    const tries = scripted.sent.length;
    await scripted.last.fail(lost());
    await scripted.clock.advance(wait - 1);
    expect(scripted.sent).toHaveLength(tries);
    await scripted.clock.advance(1);
    expect(scripted.sent).toHaveLength(tries + 1);
  }
  const hasty = new ScriptedCommits({}, () => 0);
  submitAll(hasty, 'a');
  await hasty.settle();
  await hasty.last.fail(lost());
  expect(hasty.sent).toHaveLength(2);
});

test('throttling halves the groups, keeps the order, and each group that passes adds one again', async () => {
  const scripted = new ScriptedCommits({ maxBatch: 4 });
  submitAll(scripted, 'abcdefghijklm');
  await scripted.settle();
  await scripted.last.fail(throttled());
  await scripted.clock.advance(100);
  const sizes: string[] = [];
  while (scripted.commits.waiting > 0) {
    sizes.push(scripted.last.names.join(''));
    await scripted.last.commit();
  }
  expect(sizes).toEqual(['ab', 'cde', 'fghi']);
  expect(scripted.last.names.join('')).toBe('jklm');
  expect(scripted.sent[1]!.token).not.toBe(scripted.sent[0]!.token);
});

test('a single unit that is throttled goes on trying', async () => {
  const scripted = new ScriptedCommits();
  const [unit] = submitAll(scripted, 'a');
  await scripted.settle();
  await scripted.last.fail(throttled());
  await scripted.clock.advance(100);
  await scripted.last.commit();
  expect(unit!.outcome).toBe('committed');
});

test('a write that the database will not have fails for its own unit alone', async () => {
  const scripted = new ScriptedCommits();
  const units = submitAll(scripted, 'abc');
  await scripted.settle();
  await scripted.last.fail(invalid());
  await scripted.last.commit();
  await scripted.last.fail(invalid());
  await scripted.last.commit();
  expect(scripted.sent.map(({ names }) => names.join(''))).toEqual(['abc', 'a', 'b', 'c']);
  expect(units.map(({ outcome }) => outcome)).toEqual(['committed', 'failed', 'committed']);
  expect(units[1]!.error).toMatchObject({ name: 'ValidationException' });
});

test('a unit whose deadline passes in the queue, or that is abandoned there, is never sent', async () => {
  const scripted = new ScriptedCommits();
  submitAll(scripted, 'a');
  await scripted.settle();
  let wanted = true;
  const late = follow(scripted.commits.submit(unitOf(['b'], { deadline: 1_000 })));
  const abandoned = follow(scripted.commits.submit(unitOf(['c'], { wanted: () => wanted })));
  submitAll(scripted, 'd');
  await scripted.clock.advance(1_000);
  wanted = false;
  await scripted.last.commit();
  expect(scripted.last.names).toEqual(['d']);
  for (const unit of [late, abandoned]) expect(unit.error).toMatchObject({ name: 'CommitDeadlineError' });
});

test('a unit that was sent and is out of time hears so, while its group goes on for the others', async () => {
  const scripted = new ScriptedCommits();
  const late = follow(scripted.commits.submit(unitOf(['a'], { deadline: 50 })));
  const patient = follow(scripted.commits.submit(unitOf(['b'])));
  await scripted.settle();
  await scripted.last.fail(lost());
  await scripted.clock.advance(100);
  expect(late.error).toMatchObject({ name: 'CommitDeadlineError', cause: { name: 'TimeoutError' } });
  // It may have taken effect: leaving it out now would make another transaction of the same token.
  expect(scripted.last.names).toEqual(['a', 'b']);
  await scripted.last.commit();
  expect(patient.outcome).toBe('committed');
});

test('a unit that commits after its client has gone is told so, not dropped', async () => {
  const scripted = new ScriptedCommits();
  let wanted = true;
  const unit = follow(scripted.commits.submit(unitOf(['a'], { wanted: () => wanted })));
  await scripted.settle();
  wanted = false;
  await scripted.last.commit();
  expect(unit.outcome).toBe('committed');
});

test('a group that nobody waits for any more is not repeated, and its place is free at its last deadline', async () => {
  const scripted = new ScriptedCommits({ backoffBaseMs: 5_000 });
  const units = ['a', 'b'].map((name, index) =>
    follow(scripted.commits.submit(unitOf([name], { deadline: 500 + index * 500 }))),
  );
  await scripted.settle();
  submitAll(scripted, 'x');
  await scripted.last.fail(lost());
  await scripted.clock.advance(999);
  expect(scripted.sent).toHaveLength(1);
  await scripted.clock.advance(1);
  expect(units.map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
  expect(scripted.last.names).toEqual(['x']);
});

test('a deadline that moves while the unit waits is the one that counts', async () => {
  const scripted = new ScriptedCommits();
  submitAll(scripted, 'a');
  await scripted.settle();
  let deadline = 100;
  const unit = unitOf(['b']);
  Object.defineProperty(unit, 'deadline', { get: () => deadline });
  const joined = follow(scripted.commits.submit(unit));
  deadline = 1_000;
  await scripted.clock.advance(500);
  await scripted.last.commit();
  await scripted.last.commit();
  expect(joined.outcome).toBe('committed');
});
