import { expect, test } from 'vitest';
import { ManualClock } from '../../support/manual-clock.ts';

test('a clock that nobody moves stands still', () => {
  const clock = new ManualClock(1_000);
  expect([clock.now(), clock.monotonic()]).toEqual([1_000, 0]);
  expect([clock.now(), clock.monotonic()]).toEqual([1_000, 0]);
});

test('sleepers wake in the order of their times, and those of one moment in the order in which they lay down', async () => {
  const clock = new ManualClock(0);
  const woken: [string, number][] = [];
  for (const [name, milliseconds] of [
    ['c', 30],
    ['a', 10],
    ['b', 20],
    ['b2', 20],
  ] as const) {
    clock.sleep(milliseconds).then(() => woken.push([name, clock.now()]));
  }
  await clock.advance(25);
  expect(woken).toEqual([
    ['a', 10],
    ['b', 20],
    ['b2', 20],
  ]);
  expect(clock.now()).toBe(25);
  expect(clock.waiting).toBe(1);
});

test('a loop that sleeps again within the stretch ticks as often as the stretch holds', async () => {
  const clock = new ManualClock(0);
  const ticks: number[] = [];
  const loop = async () => {
    for (;;) {
      await clock.sleep(10);
      ticks.push(clock.now());
    }
  };
  void loop();
  await clock.advance(35);
  expect(ticks).toEqual([10, 20, 30]);
});

test('a sleeper whose signal aborts rejects with its reason and is gone', async () => {
  const clock = new ManualClock();
  const abort = new AbortController();
  const sleep = clock.sleep(10, abort.signal);
  abort.abort(new Error('enough'));
  await expect(sleep).rejects.toThrow('enough');
  expect(clock.waiting).toBe(0);
  await expect(clock.sleep(10, abort.signal)).rejects.toThrow('enough');
});

test('a cancelled timer does not fire, and a due one fires once', async () => {
  const clock = new ManualClock();
  const fired: string[] = [];
  const cancel = clock.after(10, () => fired.push('cancelled'));
  clock.after(10, () => fired.push('kept'));
  cancel();
  await clock.advance(100);
  expect(fired).toEqual(['kept']);
});

test('a corrected wall clock moves no timer and no duration', async () => {
  const clock = new ManualClock(0);
  const fired: number[] = [];
  clock.after(10, () => fired.push(clock.now()));
  clock.correctWallClock(3_600_000);
  expect([clock.monotonic(), fired.length]).toEqual([0, 0]);
  await clock.advance(10);
  expect(fired).toEqual([3_600_010]);
});

test('advancing to the next timer stops at its time', async () => {
  const clock = new ManualClock(0);
  clock.after(70, () => undefined);
  expect(clock.untilNext).toBe(70);
  await clock.advanceToNext();
  expect([clock.now(), clock.untilNext]).toEqual([70, null]);
  await expect(clock.advanceToNext()).rejects.toThrow('Nothing waits');
});

test('waiting for sleepers ends when they have come, later turns included', async () => {
  const clock = new ManualClock();
  setImmediate(() => void clock.sleep(5));
  await clock.untilWaiting(1);
  expect(clock.waiting).toBe(1);
});
