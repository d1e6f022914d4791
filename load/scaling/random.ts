/** Mulberry32 (Ettinger): small, and the same sequence for the same seed, so that a table can be drawn again. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A time between two arrivals of a Poisson process. */
export function exponential(mean: number, random: () => number): number {
  return -mean * Math.log(1 - random());
}

/** A latency: half of them below `median`, with a tail. `sigma` 0.3 puts p99 at twice the median, 1.5 at 33 times. */
export function logNormal(median: number, sigma: number, random: () => number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return median * Math.exp(sigma * normal);
}
