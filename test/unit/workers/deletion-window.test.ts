import { expect, test } from 'vitest';
import { DeletionWindow } from '../../../src/workers/deletion-window.ts';

const HOUR = 3_600;
const NOW = 1_774_000_000;

test('a window has room for exactly so many deletions', () => {
  const window = new DeletionWindow({}, 3, HOUR, NOW);
  expect([window.take(), window.take(), window.take(), window.take()]).toEqual([true, true, true, false]);
});

test('the room of one that did not happen is there again', () => {
  const window = new DeletionWindow({}, 1, HOUR, NOW);
  expect(window.take()).toBe(true);
  window.giveBack();
  expect([window.take(), window.take()]).toEqual([true, false]);
});

test('the next run goes on with the window until its time is over, and then begins a new one', () => {
  const first = new DeletionWindow({}, 2, HOUR, NOW);
  first.take();
  first.take();
  expect(new DeletionWindow(first.memory, 2, HOUR, NOW + HOUR - 1).take()).toBe(false);
  const next = new DeletionWindow(first.memory, 2, HOUR, NOW + HOUR);
  expect(next.take()).toBe(true);
  expect(next.memory).toEqual({ window_started_at: NOW + HOUR, window_deletions: 1 });
});

test('a task whose clock is behind goes on with the window of one whose clock is ahead', () => {
  const ahead = new DeletionWindow({}, 1, HOUR, NOW + 30);
  ahead.take();
  expect(new DeletionWindow(ahead.memory, 1, HOUR, NOW).take()).toBe(false);
});

test('a window of a clock that was wrong by more than a window holds nobody back', () => {
  const wrong = new DeletionWindow({}, 1, HOUR, NOW + 10 * HOUR);
  wrong.take();
  expect(new DeletionWindow(wrong.memory, 1, HOUR, NOW).take()).toBe(true);
});
