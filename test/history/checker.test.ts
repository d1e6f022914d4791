import { expect, test } from 'vitest';
import { contradictionIn } from './checker.ts';
import {
  created,
  emptyPool,
  notFound,
  notOwner,
  released,
  repeated,
  seenAllocated,
  seenReleased,
  tell,
  unknown,
} from './histories.ts';
import { tellContradiction } from './history.ts';

test('a race of one key over two brokers, answered 201 once and 200 in all other cases, is explained', () => {
  const history = tell()
    .allocate('ann', [0, 9], repeated('A'))
    .allocate('ann', [1, 8], created('A'))
    .allocate('ann', [2, 7], repeated('A'));
  expect(contradictionIn(history.with())).toBeUndefined();
});

test('an allocation whose answer was lost explains the 200 of its repetition', () => {
  const history = tell().allocate('ann', [0, 5], unknown).allocate('ann', [6, 7], repeated('A'));
  expect(contradictionIn(history.with())).toBeUndefined();
});

test('an allocation whose answer was lost explains a release of what its repetition got, and a new allocation', () => {
  const history = tell()
    .allocate('ann', [0, 5], unknown)
    .allocate('ann', [6, 7], repeated('A'))
    .release('ann', 'A', [8, 9], released)
    .allocate('ann', [10, 11], created('B'));
  expect(contradictionIn(history.with())).toBeUndefined();
});

test('a sandbox that two callers got contradicts I1, however long one had released it', () => {
  const history = tell()
    .allocate('ann', [0, 1], created('A'))
    .release('ann', 'A', [2, 3], released)
    .allocate('ben', [1_000, 1_001], created('A'));
  expect(contradictionIn(history.with())).toMatchObject({
    invariant: 'I1',
    calls: [{ track: 'ann' }, { track: 'ben' }],
  });
});

test('a sandbox that one caller got under two keys contradicts I1', () => {
  const history = tell()
    .allocate('ann', [0, 1], created('A'))
    .allocate('ann', [2, 3], repeated('A'), { idempotencyKey: 'second' });
  expect(contradictionIn(history.with())?.invariant).toBe('I1');
});

test('two sandboxes for one key, with no release between them, contradict I2', () => {
  const history = tell().allocate('ann', [0, 1], created('A')).allocate('ann', [2, 3], created('B'));
  const contradiction = contradictionIn(history.with());
  expect(contradiction?.invariant).toBe('I2');
  expect(contradiction?.calls).toHaveLength(2);
});

test('two sandboxes for one key contradict I2 though a release of the first was sent later', () => {
  const history = tell()
    .allocate('ann', [0, 1], created('A'))
    .allocate('ann', [2, 3], created('B'))
    .release('ann', 'A', [4, 5], released);
  expect(contradictionIn(history.with())?.invariant).toBe('I2');
});

test('a release that was under way while a second sandbox was given explains both', () => {
  const history = tell()
    .allocate('ann', [0, 1], created('A'))
    .release('ann', 'A', [2, 9], released)
    .allocate('ann', [4, 5], created('B'));
  expect(contradictionIn(history.with())).toBeUndefined();
});

test('a release of unknown end explains a second sandbox, until the first is answered again', () => {
  const history = tell()
    .allocate('ann', [0, 1], created('A'))
    .release('ann', 'A', [2, 5], unknown)
    .allocate('ann', [6, 7], created('B'));
  expect(contradictionIn(history.with())).toBeUndefined();
  history.allocate('ann', [8, 9], repeated('A'));
  expect(contradictionIn(history.with())?.invariant).toBe('I2');
});

test('two answers 201 about one sandbox contradict I2', () => {
  const history = tell().allocate('ann', [0, 5], created('A')).allocate('ann', [1, 6], created('A'));
  expect(contradictionIn(history.with())?.message).toContain('newly allocated more than once');
});

test('a 200 that nobody can have allocated contradicts I2', () => {
  const history = tell().allocate('ann', [0, 1], repeated('A')).allocate('ann', [2, 3], unknown);
  expect(contradictionIn(history.with())?.invariant).toBe('I2');
});

test('one lost answer does not explain two sandboxes', () => {
  const history = tell()
    .allocate('ann', [0, 1], unknown)
    .allocate('ann', [2, 3], repeated('A'))
    .release('ann', 'A', [4, 5], released)
    .allocate('ann', [6, 7], repeated('B'));
  expect(contradictionIn(history.with())?.invariant).toBe('I2');
});

test('a 200 that was answered before the 201 was even asked for contradicts I3', () => {
  const history = tell().allocate('ann', [0, 1], repeated('A')).allocate('ann', [2, 3], created('A'));
  expect(contradictionIn(history.with())?.invariant).toBe('I3');
});

test('a replay of a sandbox that had been released contradicts I3', () => {
  const history = tell()
    .allocate('ann', [0, 1], created('A'))
    .release('ann', 'A', [2, 3], released)
    .allocate('ann', [4, 5], repeated('A'));
  expect(contradictionIn(history.with())?.invariant).toBe('I3');
});

test('answers about one sandbox that differ contradict I2', () => {
  const history = tell()
    .allocate('ann', [0, 1], created('A'))
    .allocate('ann', [2, 3], { is: 'allocated', created: false, sandboxId: 'A', body: 'another time' });
  expect(contradictionIn(history.with())?.message).toContain('differ');
});

test('a refusal as empty, to a key that held a sandbox all the while, contradicts I2', () => {
  const history = tell()
    .allocate('ann', [0, 1], created('A'))
    .allocate('ann', [2, 3], emptyPool)
    .allocate('ann', [4, 5], repeated('A'));
  expect(contradictionIn(history.with())).toMatchObject({ invariant: 'I2' });
});

test('a release by another caller that succeeds contradicts I7', () => {
  const history = tell().allocate('ann', [0, 1], created('A')).release('ben', 'A', [2, 3], released);
  expect(contradictionIn(history.with())?.invariant).toBe('I7');
});

test('a sandbox shown to a caller that was never given it contradicts I7', () => {
  const history = tell().read('ben', 'A', [0, 1], seenAllocated);
  expect(contradictionIn(history.with())?.invariant).toBe('I7');
});

test('an owner who is told that it is not one contradicts I3', () => {
  const history = tell().allocate('ann', [0, 1], created('A')).read('ann', 'A', [2, 3], notOwner);
  expect(contradictionIn(history.with())?.invariant).toBe('I3');
});

test('an end that nobody asked for contradicts I5, unless others end allocations too', () => {
  const history = tell().allocate('ann', [0, 1], created('A')).read('ann', 'A', [2, 3], seenReleased);
  expect(contradictionIn(history.with())?.invariant).toBe('I5');
  expect(contradictionIn(history.with({ othersEndAllocations: true }))).toBeUndefined();
});

test('an owner that gives back what is deleted is told so, and not that there is none', () => {
  const history = tell()
    .allocate('ann', [0, 1], created('A'))
    .release('ann', 'A', [2, 3], released)
    .release('ben', 'A', [4, 5], notFound);
  expect(contradictionIn(history.with({ cleanupRuns: true }))).toBeUndefined();
  history.release('ann', 'A', [6, 7], notFound);
  expect(contradictionIn(history.with({ cleanupRuns: true }))).toMatchObject({
    invariant: 'I3',
    message: '"ann " was told that sandbox A is not its own, or not there, after it had been given',
  });
});

test('the request that allocated a sandbox, as the table tells, explains a 200 that no lost answer does', () => {
  // The broker did not hear that it had allocated A, and tried again when A had been found and released.
  const history = tell()
    .allocate('ann', [0, 9], created('B'), { requestId: 'one' })
    .allocate('ann', [1, 2], repeated('A'), { requestId: 'two' })
    .release('ann', 'A', [3, 4], released);
  expect(contradictionIn(history.with())?.invariant).toBe('I2');
  const begunBy = (A: string) => new Map(Object.entries({ A, B: 'one' }));
  expect(contradictionIn(history.with({ begunBy: begunBy('one') }))).toBeUndefined();
  expect(contradictionIn(history.with({ begunBy: begunBy('two') }))?.message).toContain('as a repetition');
});

test('a sandbox that a request of somebody else allocated contradicts I1, of nobody too', () => {
  const history = tell()
    .allocate('ann', [0, 1], created('A'), { requestId: 'one' })
    .allocate('ben', [2, 3], unknown, { requestId: 'two' });
  const told = (requestId: string) => contradictionIn(history.with({ begunBy: new Map([['A', requestId]]) }));
  expect(told('one')).toBeUndefined();
  expect(told('two')?.invariant).toBe('I1');
  expect(told('three')?.invariant).toBe('I1');
});

test('a 201 to another request than the one that allocated contradicts I2', () => {
  const history = tell()
    .allocate('ann', [0, 5], created('A'), { requestId: 'one' })
    .allocate('ann', [1, 6], unknown, { requestId: 'two' });
  const begunBy = new Map([['A', 'two']]);
  expect(contradictionIn(history.with({ begunBy }))?.invariant).toBe('I2');
});

test('a 200 before the request that allocated was sent contradicts I3, whatever else is unknown', () => {
  const history = tell()
    .allocate('ann', [0, 1], unknown, { requestId: 'one' })
    .allocate('ann', [2, 3], repeated('A'))
    .allocate('ann', [4, 5], unknown, { requestId: 'two' });
  expect(contradictionIn(history.with())).toBeUndefined();
  expect(contradictionIn(history.with({ begunBy: new Map([['A', 'two']]) }))?.invariant).toBe('I3');
});

test('a sandbox that is gone is explained only where cleanup runs and it had been released', () => {
  const history = tell()
    .allocate('ann', [0, 1], created('A'))
    .release('ann', 'A', [2, 3], released)
    .read('ann', 'A', [4, 5], notFound);
  expect(contradictionIn(history.with())?.invariant).toBe('I3');
  expect(contradictionIn(history.with({ cleanupRuns: true }))).toBeUndefined();
  const held = tell()
    .allocate('ann', [0, 1], created('A'))
    .read('ann', 'A', [2, 3], notFound)
    .read('ann', 'A', [4, 5], seenAllocated);
  expect(contradictionIn(held.with({ cleanupRuns: true }))?.invariant).toBe('I2');
});

test('"empty" while a sandbox was free that another caller got later is a contradiction', () => {
  const history = tell().allocate('ann', [10, 11], emptyPool).allocate('ben', [20, 21], created('A'));
  const pool = [{ sandboxId: 'A', name: 'lab-1', since: 0 }];
  expect(contradictionIn(history.with({ pool }))).toMatchObject({
    invariant: 'contract',
    calls: [{ track: 'ann' }, {}],
  });
  expect(contradictionIn(history.with({ pool, emptyPoolMemory: 10 }))).toBeUndefined();
});

test('"empty" while a sandbox was free that nobody ever got is a contradiction', () => {
  const pool = [{ sandboxId: 'A', name: 'lab-1', since: 0 }];
  const finalRows = [{ sandboxId: 'A', status: 'available', track: null, idempotencyKey: null }];
  const history = tell().allocate('ann', [10, 11], emptyPool).with({ pool, finalRows });
  expect(contradictionIn(history)?.invariant).toBe('contract');
});

test('an allocation that the table does not hold at the end contradicts I3', () => {
  const history = tell().allocate('ann', [0, 1], created('A'));
  const row = { sandboxId: 'A', track: 'ann', idempotencyKey: 'ann' };
  expect(contradictionIn(history.with({ finalRows: [{ ...row, status: 'allocated' }] }))).toBeUndefined();
  expect(contradictionIn(history.with({ finalRows: [{ ...row, status: 'available' }] }))).toBeDefined();
  expect(
    contradictionIn(history.with({ finalRows: [{ ...row, status: 'pending_deletion' }] }))?.invariant,
  ).toBe('I5');
  expect(contradictionIn(history.with({ finalRows: [] }))?.invariant).toBe('I5');
  const others = [{ ...row, status: 'allocated', track: 'ben', idempotencyKey: 'ben' }];
  expect(contradictionIn(history.with({ finalRows: others }))?.invariant).toBe('I1');
});

test('an answer that the contract does not know is a contradiction by itself', () => {
  const history = tell().allocate('ann', [0, 1], { is: 'unexpected', what: '418 {}' });
  expect(contradictionIn(history.with())?.calls).toHaveLength(1);
});

test('the shortest contradiction is told, and only the calls that show it', () => {
  const history = tell();
  for (let number = 0; number < 50; number += 1) {
    history.allocate(`student-${number}`, [10 * number, 10 * number + 1], created(`S${number}`));
    history.release(`student-${number}`, `S${number}`, [10 * number + 2, 10 * number + 3], released);
  }
  history.allocate('ann', [600, 601], created('S7'));
  const contradiction = contradictionIn(history.with());
  expect(contradiction && tellContradiction(contradiction)).toBe(
    [
      'I1: sandbox S7 was given to "student-7 " and to "ann "',
      '  70 .. 71  student-7 at a broker: allocate -> 201 new S7',
      '  600 .. 601  ann at a broker: allocate -> 201 new S7',
    ].join('\n'),
  );
});

test('a history of two hundred thousand calls, and the table at its end, is judged', () => {
  const history = tell();
  for (let number = 0; number < 100_000; number += 1) {
    history.allocate(`student-${number % 2_500}`, [10 * number, 10 * number + 1], created(`S${number}`));
    history.release(`student-${number % 2_500}`, `S${number}`, [10 * number + 2, 10 * number + 3], released);
  }
  expect(contradictionIn(history.with({ cleanupRuns: true, finalRows: [] }))).toBeUndefined();
});
