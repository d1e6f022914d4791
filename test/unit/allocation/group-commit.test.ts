import { expect, test } from 'vitest';
import { follow, ScriptedCommits, unitOf } from '../../support/scripted-commits.ts';

/** Submits one unit for each name, which writes one item of that name. */
function submitAll(scripted: ScriptedCommits, names: string) {
  return [...names].map((name) => follow(scripted.commits.submit(unitOf([name]))));
}

test('units of one turn of the event loop share one transaction, in the order in which they came', async () => {
  const scripted = new ScriptedCommits();
  const units = submitAll(scripted, 'abc');
  expect(scripted.sent).toHaveLength(0);
  await scripted.settle();
  expect(scripted.sent.map(({ names }) => names)).toEqual([['a', 'b', 'c']]);
  await scripted.last.commit();
  expect(units.map(({ outcome }) => outcome)).toEqual(['committed', 'committed', 'committed']);
});

test('an idle process waits for no timer before it sends', async () => {
  const scripted = new ScriptedCommits();
  submitAll(scripted, 'a');
  expect(scripted.clock.waiting).toBe(0);
  await scripted.settle();
  expect(scripted.sent).toHaveLength(1);
});

test('no more transactions are under way than allowed, and whoever waits goes with the next free place', async () => {
  const scripted = new ScriptedCommits({ maxInFlight: 2 });
  for (const name of 'abcd') {
    submitAll(scripted, name);
    await scripted.settle();
  }
  expect(scripted.sent.map(({ names }) => names)).toEqual([['a'], ['b']]);
  expect(scripted.commits.waiting).toBe(2);
  await scripted.sent[1]!.commit();
  expect(scripted.sent.map(({ names }) => names)).toEqual([['a'], ['b'], ['c', 'd']]);
  expect(scripted.commits.waiting).toBe(0);
});

test('a transaction carries as many units as allowed, and the longest waiting first', async () => {
  const scripted = new ScriptedCommits({ maxBatch: 3 });
  submitAll(scripted, 'abcdefg');
  await scripted.settle();
  await scripted.last.commit();
  await scripted.last.commit();
  await scripted.last.commit();
  expect(scripted.sent.map(({ names }) => names.join(''))).toEqual(['abc', 'def', 'g']);
});

test('a transaction names no item twice: who shares one waits for its turn, and others go on', async () => {
  const scripted = new ScriptedCommits();
  const units = [['a'], ['b', 'x'], ['x'], ['c'], ['x', 'd']].map((names) =>
    follow(scripted.commits.submit(unitOf(names))),
  );
  await scripted.settle();
  expect(scripted.last.names).toEqual(['a', 'b', 'x', 'c']);
  await scripted.last.commit();
  expect(scripted.last.names).toEqual(['x']);
  await scripted.last.commit();
  expect(scripted.last.names).toEqual(['x', 'd']);
  await scripted.last.commit();
  expect(units.every(({ outcome }) => outcome === 'committed')).toBe(true);
});

test('no transaction has more than a hundred items, however many a unit has', async () => {
  const scripted = new ScriptedCommits();
  for (let unit = 0; unit < 50; unit += 1) {
    void scripted.commits.submit(unitOf([0, 1, 2].map((item) => `${unit}-${item}`)));
  }
  await scripted.settle();
  expect(scripted.last.items).toHaveLength(99);
  await scripted.last.commit();
  expect(scripted.last.items).toHaveLength(51);
});

test('two transactions never share a token', async () => {
  const scripted = new ScriptedCommits({ maxBatch: 1 });
  submitAll(scripted, 'ab');
  await scripted.settle();
  await scripted.last.commit();
  expect(new Set(scripted.sent.map(({ token }) => token)).size).toBe(2);
});

test('beside another transaction a group that is smaller than usual waits a moment for more to join it', async () => {
  const scripted = new ScriptedCommits({ maxInFlight: 2 });
  submitAll(scripted, 'abcd');
  await scripted.settle();
  submitAll(scripted, 'e');
  await scripted.settle();
  expect(scripted.sent).toHaveLength(1);
  submitAll(scripted, 'f');
  await scripted.settle();
  expect(scripted.sent.map(({ names }) => names.join(''))).toEqual(['abcd', 'ef']);
});

test('and goes after that moment with whatever there is', async () => {
  const scripted = new ScriptedCommits({ maxInFlight: 2 });
  submitAll(scripted, 'abcd');
  await scripted.settle();
  submitAll(scripted, 'e');
  await scripted.settle();
  await scripted.clock.advance(1);
  expect(scripted.sent.map(({ names }) => names.join(''))).toEqual(['abcd', 'e']);
});

test('a group that waits for more goes at once when nothing is under way any longer', async () => {
  const scripted = new ScriptedCommits({ maxInFlight: 2 });
  submitAll(scripted, 'abcd');
  await scripted.settle();
  submitAll(scripted, 'e');
  await scripted.settle();
  await scripted.sent[0]!.commit();
  expect(scripted.sent.map(({ names }) => names.join(''))).toEqual(['abcd', 'e']);
});
