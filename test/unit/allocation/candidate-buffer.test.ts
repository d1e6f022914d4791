import { expect, test } from 'vitest';
import { CandidateBuffer } from '../../../src/allocation/candidate-buffer.ts';
import { ALONE } from '../../../src/allocation/neighbours.ts';
import type { Random } from '../../../src/domain/clock.ts';
import type { Candidate } from '../../../src/store/allocation-writes.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { invalid, lost } from '../../support/scripted-commits.ts';
import { candidate, ScriptedWalk } from '../../support/scripted-walk.ts';

const MINIMUM_REFILL = 3;
const always = () => true;

function makeBuffer(walks: Record<string, ScriptedWalk>, random: Random = () => 0) {
  const clock = new ManualClock();
  const buffer = new CandidateBuffer(
    { minimumRefill: MINIMUM_REFILL, backoffBaseMs: 100, backoffMaxMs: 100 },
    { neighbours: ALONE, openWalk: (prefix = '') => walks[prefix]!, clock, random },
  );
  return { clock, buffer };
}

/** A buffer over one index without prefixes. */
function bufferOver(walk: ScriptedWalk) {
  return { walk, ...makeBuffer({ '': walk }) };
}

/** A request for a candidate: `candidate` is undefined while it waits, null when it was turned away. */
function ask(buffer: CandidateBuffer, prefix?: string, wanted: () => boolean = always) {
  const request = { candidate: undefined as Candidate | null | undefined, error: undefined as unknown };
  buffer.take(prefix, wanted).then(
    (given) => {
      request.candidate = given ?? null;
    },
    (error: unknown) => {
      request.error = error;
    },
  );
  return request;
}

const idsOf = (requests: readonly { candidate: Candidate | null | undefined }[]) =>
  requests.map((request) => request.candidate?.sandboxId);

test('requests of one moment share one reading, whose next page has enough for all of them', async () => {
  const { buffer, walk, clock } = bufferOver(new ScriptedWalk());
  const requests = Array.from({ length: 200 }, () => ask(buffer));
  await clock.advance(0);
  expect(walk.asked).toHaveLength(1);
  walk.last.give([candidate('first')], false);
  await clock.advance(0);
  expect(walk.asked).toHaveLength(2);
  expect(walk.last.pageSize).toBeGreaterThanOrEqual(199);
  walk.last.give(
    Array.from({ length: 300 }, (_, index) => candidate(`${index}`)),
    false,
  );
  await clock.advance(0);
  expect(new Set(idsOf(requests)).size).toBe(200);
  expect(walk.asked).toHaveLength(2);
});

test('a reading for one request asks for the least number', async () => {
  const { buffer, walk, clock } = bufferOver(new ScriptedWalk());
  ask(buffer);
  await clock.advance(0);
  expect(walk.last.pageSize).toBeGreaterThanOrEqual(MINIMUM_REFILL);
});

test('reading on begins while there is still something to give', async () => {
  const { buffer, walk, clock } = bufferOver(new ScriptedWalk());
  ask(buffer);
  await clock.advance(0);
  walk.last.give(
    ['a', 'b', 'c', 'd'].map((id) => candidate(id)),
    false,
  );
  await clock.advance(0);
  expect(walk.asked).toHaveLength(1);
  const next = ask(buffer);
  await clock.advance(0);
  expect(next.candidate).toBeTruthy();
  expect(walk.asked).toHaveLength(2);
});

test('what was read is given in an order of chance', async () => {
  const rows = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => candidate(id));
  const orderWith = async (random: Random) => {
    const { buffer, clock } = makeBuffer({ '': new ScriptedWalk(rows) }, random);
    const requests = rows.map(() => ask(buffer));
    await clock.advance(0);
    return idsOf(requests).join('');
  };
  expect(await orderWith(() => 0)).not.toBe(await orderWith(() => 0.999));
});

test('no sandbox is given to a second request before the first has said what became of it', async () => {
  const { buffer, clock } = bufferOver(new ScriptedWalk(['a', 'b'].map((id) => candidate(id))));
  const requests = Array.from({ length: 5 }, () => ask(buffer));
  await clock.advance(2_000);
  expect(idsOf(requests).filter(Boolean).sort()).toEqual(['a', 'b']);
});

test('a candidate that is given back goes to the request that waits', async () => {
  const { buffer, clock } = bufferOver(new ScriptedWalk([candidate('a')]));
  const [first, second] = [ask(buffer), ask(buffer)];
  await clock.advance(0);
  expect([first.candidate?.sandboxId, second.candidate]).toEqual(['a', undefined]);
  buffer.giveBack(first.candidate!);
  await clock.advance(0);
  expect(second.candidate?.sandboxId).toBe('a');
});

test('while all that is left is being tried nobody is turned away, however long that takes', async () => {
  const { buffer, clock, walk } = bufferOver(new ScriptedWalk([candidate('a')]));
  const [first, second] = [ask(buffer), ask(buffer)];
  await clock.advance(10_000);
  expect(second.candidate).toBeUndefined();
  walk.rows = [];
  buffer.spent(first.candidate!);
  await clock.advance(0);
  expect(second.candidate).toBeNull();
});

test('a candidate of which nothing is known afterwards is looked up again before anyone is turned away', async () => {
  const { buffer, clock } = bufferOver(new ScriptedWalk([candidate('a')]));
  const [first, second] = [ask(buffer), ask(buffer)];
  await clock.advance(0);
  buffer.discard(first.candidate!);
  await clock.advance(0);
  expect(second.candidate?.sandboxId).toBe('a');
});

test('a candidate that is discarded while the pool is still being read is looked up again too', async () => {
  const { buffer, walk, clock } = bufferOver(new ScriptedWalk());
  const [first, second] = [ask(buffer), ask(buffer)];
  await clock.advance(0);
  walk.last.give([candidate('a')], false);
  await clock.advance(0);
  buffer.discard(first.candidate!);
  walk.rows = [candidate('a')];
  walk.last.give([], true);
  await clock.advance(0);
  expect(second.candidate?.sandboxId).toBe('a');
});

test('what was read more than three seconds ago is read again before it is given', async () => {
  const { buffer, walk, clock } = bufferOver(
    new ScriptedWalk(['a', 'b', 'c', 'd', 'e'].map((id) => candidate(id))),
  );
  ask(buffer);
  await clock.advance(3_001);
  const reads = walk.asked.length;
  walk.rows = [candidate('z')];
  const late = ask(buffer);
  await clock.advance(0);
  expect(late.candidate?.sandboxId).toBe('z');
  expect(walk.asked.length).toBeGreaterThan(reads);
});

test('a round that takes longer than that does not take its own last page for old', async () => {
  const { buffer, walk, clock } = bufferOver(new ScriptedWalk());
  const request = ask(buffer);
  await clock.advance(2_000);
  walk.last.give([], false);
  await clock.advance(2_000);
  walk.last.give([candidate('a')], true);
  await clock.advance(0);
  expect(request.candidate?.sandboxId).toBe('a');
});

test('an empty pool is remembered for half a second, in which nothing is read', async () => {
  const { buffer, walk, clock } = bufferOver(new ScriptedWalk([]));
  ask(buffer);
  await clock.advance(0);
  const reads = walk.asked.length;
  walk.rows = [candidate('a')];
  await clock.advance(499);
  const early = ask(buffer);
  await clock.advance(0);
  expect([early.candidate, walk.asked.length]).toEqual([null, reads]);
  await clock.advance(1);
  const due = ask(buffer);
  await clock.advance(0);
  expect(due.candidate?.sandboxId).toBe('a');
});

test('a candidate that comes back ends the memory of an empty pool', async () => {
  const { buffer, walk, clock } = bufferOver(new ScriptedWalk([candidate('a')]));
  const holder = ask(buffer);
  await clock.advance(0);
  walk.rows = [];
  const turnedAway = ask(buffer);
  await clock.advance(0);
  expect(turnedAway.candidate).toBeNull();
  buffer.giveBack(holder.candidate!);
  const next = ask(buffer);
  await clock.advance(0);
  expect(next.candidate?.sandboxId).toBe('a');
});

test('a long round that finds nothing turns away those whom it can speak for, and reads again for the others', async () => {
  const { buffer, walk, clock } = bufferOver(new ScriptedWalk());
  const before = ask(buffer);
  await clock.advance(2_000);
  // A sandbox may have become free behind the reader by now.
  const after = ask(buffer);
  walk.last.give([], true);
  await clock.advance(0);
  expect([before.candidate, after.candidate]).toEqual([null, undefined]);
  walk.last.give([candidate('a')], true);
  await clock.advance(0);
  expect(after.candidate?.sandboxId).toBe('a');
});

test('a request that nobody waits for any more takes no candidate', async () => {
  const { buffer, walk, clock } = bufferOver(new ScriptedWalk());
  let wanted = true;
  const gone = ask(buffer, undefined, () => wanted);
  const there = ask(buffer);
  await clock.advance(0);
  wanted = false;
  walk.last.give([candidate('a')], true);
  await clock.advance(0);
  expect([gone.candidate, there.candidate?.sandboxId]).toEqual([null, 'a']);
});

test('a reading that fails on the way is repeated while somebody waits, and no longer', async () => {
  const { buffer, walk, clock } = bufferOver(new ScriptedWalk());
  let wanted = true;
  const request = ask(buffer, undefined, () => wanted);
  await clock.advance(0);
  walk.last.fail(lost());
  await clock.advance(100);
  expect([walk.asked.length, request.candidate]).toEqual([2, undefined]);
  wanted = false;
  walk.last.fail(lost());
  await clock.advance(10_000);
  expect([walk.asked.length, request.candidate]).toEqual([2, null]);
});

test('a reading that the database will not have fails for all that wait, and the next one is made anew', async () => {
  const { buffer, walk, clock } = bufferOver(new ScriptedWalk());
  const requests = [ask(buffer), ask(buffer)];
  await clock.advance(0);
  walk.last.fail(invalid());
  await clock.advance(0);
  for (const { error } of requests) expect(error).toMatchObject({ name: 'ValidationException' });
  const next = ask(buffer);
  await clock.advance(0);
  walk.last.give([candidate('a')], true);
  await clock.advance(0);
  expect(next.candidate?.sandboxId).toBe('a');
});

test('a spent sandbox is passed over though the index lists it, for a minute at least and two at most', async () => {
  const { buffer, clock } = bufferOver(new ScriptedWalk([candidate('a')]));
  const winner = ask(buffer);
  await clock.advance(0);
  buffer.spent(winner.candidate!);
  await clock.advance(59_999);
  const early = ask(buffer);
  await clock.advance(0);
  expect(early.candidate).toBeNull();
  await clock.advance(60_001);
  const late = ask(buffer);
  await clock.advance(0);
  expect(late.candidate?.sandboxId).toBe('a');
});

test('pools of different prefixes never give one sandbox to two requests', async () => {
  const row = candidate('1', 'lab-a-1');
  const walks = {
    '': new ScriptedWalk([row]),
    lab: new ScriptedWalk([row]),
    'lab-a': new ScriptedWalk([row]),
  };
  const { buffer, clock } = makeBuffer(walks);
  const requests = [ask(buffer), ask(buffer, 'lab'), ask(buffer, 'lab-a')];
  await clock.advance(2_000);
  expect(idsOf(requests)).toEqual(['1', undefined, undefined]);
  buffer.giveBack(requests[0]!.candidate!);
  await clock.advance(2_000);
  expect(idsOf(requests.slice(1)).filter(Boolean)).toEqual(['1']);
  for (const walk of Object.values(walks)) walk.rows = [];
  buffer.spent(row);
  await clock.advance(2_000);
  expect(requests.slice(1).filter((request) => request.candidate === null)).toHaveLength(1);
});

test('a candidate that is given back goes to no pool whose prefix it does not have', async () => {
  const row = candidate('1', 'lab-a-1');
  const walks = { '': new ScriptedWalk([row]), 'lab-b': new ScriptedWalk() };
  const { buffer, clock } = makeBuffer(walks);
  const holder = ask(buffer);
  const other = ask(buffer, 'lab-b');
  await clock.advance(0);
  buffer.giveBack(holder.candidate!);
  await clock.advance(0);
  expect(other.candidate).toBeUndefined();
});

test('the pools of many prefixes are forgotten, those unused longest first, but none that somebody waits in', async () => {
  const opened: string[] = [];
  const clock = new ManualClock();
  const waitedFor = new ScriptedWalk();
  const buffer = new CandidateBuffer(
    { minimumRefill: 1, backoffBaseMs: 1, backoffMaxMs: 1 },
    {
      neighbours: ALONE,
      openWalk: (prefix = '') => {
        opened.push(prefix);
        return prefix === 'waited' ? waitedFor : new ScriptedWalk([]);
      },
      clock,
      random: () => 0,
    },
  );
  const waiting = ask(buffer, 'waited');
  for (let prefix = 0; prefix < 80; prefix += 1) {
    ask(buffer, `p${prefix}`);
    ask(buffer, 'used');
    await clock.advance(0);
  }
  ask(buffer, 'p0');
  expect(opened.filter((prefix) => prefix === 'p0')).toHaveLength(2);
  expect(opened.filter((prefix) => prefix === 'used')).toHaveLength(1);
  waitedFor.last.give([candidate('a')], true);
  await clock.advance(0);
  expect(waiting.candidate?.sandboxId).toBe('a');
});

function buffersOfThree() {
  const walks = {
    a: new ScriptedWalk(),
    b: new ScriptedWalk(),
    c: new ScriptedWalk(),
    '': new ScriptedWalk(),
  };
  return { walks, ...makeBuffer(walks) };
}

test('two name prefixes are read for at once, a third when its turn comes, and what names none waits for no turn', async () => {
  const { buffer, walks, clock } = buffersOfThree();
  const [ofA, , ofC] = [ask(buffer, 'a'), ask(buffer, 'b'), ask(buffer, 'c'), ask(buffer)];
  await clock.advance(0);
  const asked = () => [walks.a, walks.b, walks.c, walks['']].map((walk) => walk.asked.length);
  expect(asked()).toEqual([1, 1, 0, 1]);
  walks.a.last.give([candidate('1', 'a-1')], true);
  await clock.advance(0);
  expect(ofA?.candidate?.sandboxId).toBe('1');
  expect(asked()).toEqual([1, 1, 1, 1]);
  walks.c.last.give([], true);
  await clock.advance(0);
  expect(ofC?.candidate).toBeNull();
});

test('a page that fails gives its turn to the next', async () => {
  const { buffer, walks, clock } = buffersOfThree();
  for (const prefix of ['a', 'b', 'c']) ask(buffer, prefix);
  await clock.advance(0);
  walks.a.last.fail(lost());
  await clock.advance(0);
  expect(walks.c.asked).toHaveLength(1);
});

test('nothing is read for a prefix whose turn comes when nobody waits any more, and again for whoever still does', async () => {
  const { buffer, walks, clock } = buffersOfThree();
  let isWanted = true;
  ask(buffer, 'a');
  ask(buffer, 'b');
  const early = ask(buffer, 'c', () => isWanted);
  await clock.advance(10_001);
  isWanted = false;
  walks.a.last.give([], true);
  await clock.advance(0);
  expect([early.candidate, walks.c.asked.length]).toEqual([null, 0]);
  const late = ask(buffer, 'c');
  await clock.advance(0);
  walks.c.last.give([candidate('1', 'c-1')], true);
  await clock.advance(0);
  expect(late.candidate?.sandboxId).toBe('1');
});
