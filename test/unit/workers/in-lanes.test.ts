import { expect, test } from 'vitest';
import { inLanes } from '../../../src/workers/in-lanes.ts';

/** Work that lasts until the test ends it. */
class Works {
  readonly begun: number[] = [];
  readonly #ends = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();

  readonly work = (item: number): Promise<void> =>
    new Promise((resolve, reject) => {
      this.begun.push(item);
      this.#ends.set(item, { resolve, reject });
    });

  async end(item: number, error?: Error): Promise<void> {
    const ends = this.#ends.get(item);
    if (error === undefined) ends?.resolve();
    else ends?.reject(error);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('as many items are under way as there are lanes, and the next begins when one ends', async () => {
  const works = new Works();
  const all = inLanes([1, 2, 3, 4, 5], 2, new AbortController().signal, works.work);
  expect(works.begun).toEqual([1, 2]);
  await works.end(2);
  expect(works.begun).toEqual([1, 2, 3]);
  for (const item of [3, 1, 4, 5]) await works.end(item);
  await all;
  expect(works.begun).toEqual([1, 2, 3, 4, 5]);
});

test('after an abort nothing begins, and what has begun is awaited', async () => {
  const works = new Works();
  const controller = new AbortController();
  let over = false;
  const all = inLanes([1, 2, 3, 4], 2, controller.signal, works.work).then(() => {
    over = true;
  });
  controller.abort();
  await works.end(1);
  expect([works.begun, over]).toEqual([[1, 2], false]);
  await works.end(2);
  await all;
  expect(works.begun).toEqual([1, 2]);
});

test('an error is thrown when the others have ended, not before', async () => {
  const works = new Works();
  let thrown: unknown;
  const all = inLanes([1, 2, 3], 2, new AbortController().signal, works.work).catch((error: unknown) => {
    thrown = error;
  });
  await works.end(1, new Error('the first'));
  expect(thrown).toBeUndefined();
  await works.end(2);
  expect(works.begun).toEqual([1, 2, 3]);
  await works.end(3);
  await all;
  expect(thrown).toEqual(new Error('the first'));
});

test('no items are no work, and more lanes than items are no more work', async () => {
  const works = new Works();
  await inLanes([], 4, new AbortController().signal, works.work);
  const all = inLanes([1], 100, new AbortController().signal, works.work);
  await works.end(1);
  await all;
  expect(works.begun).toEqual([1]);
});
