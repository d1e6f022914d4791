import { expect, test } from 'vitest';
import { CONDITION_FAILED } from '../../../src/store/transact.ts';
import { follow, ScriptedCommits, unitOf } from '../../support/scripted-commits.ts';

const TAKEN = { code: CONDITION_FAILED, item: { PK: { S: 'the old one' } } };
const CONFLICT = { code: 'TransactionConflict' };

function submitAll(scripted: ScriptedCommits, names: string) {
  return [...names].map((name) => follow(scripted.commits.submit(unitOf([name]))));
}

test('whoever is at fault is told its own reasons, and the innocent go again at once in their order', async () => {
  const scripted = new ScriptedCommits();
  const [a, b, c] = [['a1', 'a2'], ['b1', 'b2'], ['c1']].map((names) =>
    follow(scripted.commits.submit(unitOf(names))),
  );
  await scripted.settle();
  await scripted.last.cancel({ b2: TAKEN });
  expect(b).toMatchObject({ outcome: 'cancelled', reasons: [{ code: 'None' }, TAKEN] });
  expect(scripted.sent).toHaveLength(2);
  expect(scripted.last.names).toEqual(['a1', 'a2', 'c1']);
  expect(scripted.last.token).not.toBe(scripted.sent[0]!.token);
  await scripted.last.commit();
  expect([a!.outcome, c!.outcome]).toEqual(['committed', 'committed']);
});

test('nobody new joins the innocent of a cancelled group', async () => {
  const scripted = new ScriptedCommits();
  submitAll(scripted, 'abc');
  await scripted.settle();
  submitAll(scripted, 'xy');
  await scripted.last.cancel({ b: TAKEN });
  expect(scripted.last.names).toEqual(['a', 'c']);
  await scripted.last.commit();
  expect(scripted.last.names).toEqual(['x', 'y']);
});

test('after two cancelled groups a unit goes alone, before all that wait', async () => {
  const scripted = new ScriptedCommits();
  const units = submitAll(scripted, 'abcd');
  await scripted.settle();
  submitAll(scripted, 'xy');
  await scripted.last.cancel({ a: TAKEN });
  await scripted.last.cancel({ b: TAKEN });
  expect(scripted.last.names).toEqual(['c']);
  await scripted.last.commit();
  expect(scripted.last.names).toEqual(['d']);
  await scripted.last.commit();
  expect(scripted.last.names).toEqual(['x', 'y']);
  expect(units.map(({ outcome }) => outcome)).toEqual(['cancelled', 'cancelled', 'committed', 'committed']);
});

test('a conflict is told to the unit that met it, and halves the groups that follow', async () => {
  const scripted = new ScriptedCommits({ maxBatch: 4 });
  const [a] = submitAll(scripted, 'abcd');
  await scripted.settle();
  submitAll(scripted, 'stuvwxyz');
  await scripted.last.cancel({ a: CONFLICT });
  expect(a).toMatchObject({ outcome: 'cancelled', reasons: [CONFLICT] });
  await scripted.last.commit();
  // Half of four, and one more for the group that went through in between.
  expect(scripted.last.names).toEqual(['s', 't', 'u']);
  await scripted.last.commit();
  expect(scripted.last.names).toEqual(['v', 'w', 'x', 'y']);
});

test('a condition that fails halves nothing, whether or not the old item comes with it', async () => {
  const scripted = new ScriptedCommits({ maxBatch: 4 });
  submitAll(scripted, 'ab');
  await scripted.settle();
  submitAll(scripted, 'wxyz');
  await scripted.last.cancel({ a: TAKEN, b: { code: CONDITION_FAILED } });
  expect(scripted.last.names).toEqual(['w', 'x', 'y', 'z']);
});

test('an innocent that nobody waits for any more is not sent again, and hears that it was not', async () => {
  const scripted = new ScriptedCommits();
  let wanted = true;
  submitAll(scripted, 'a');
  const abandoned = follow(scripted.commits.submit(unitOf(['b'], { wanted: () => wanted })));
  await scripted.settle();
  wanted = false;
  await scripted.last.cancel({ a: TAKEN });
  expect(scripted.sent).toHaveLength(1);
  expect(abandoned.error).toMatchObject({ name: 'CommitDeadlineError' });
});
