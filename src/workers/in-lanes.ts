/**
 * Works on items a few at a time, in order of arrival. When the signal aborts nothing new is begun; what has
 * begun is awaited.
 *
 * @throws the first error of any of them, after those under way have ended
 */
export async function inLanes<Item>(
  items: Iterable<Item>,
  lanes: number,
  signal: AbortSignal,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const lane = async () => {
    for (let next = left.next(); !next.done && !signal.aborted; next = left.next()) await work(next.value);
  };
  const results = await Promise.allSettled(Array.from({ length: lanes }, lane));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
