/** FNV-1a, 32 bits (Fowler, Noll, Vo): small and quick, for spreading; safe against nobody. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value ^= text.charCodeAt(index);
    value = Math.imul(value, 0x01000193);
  }
  return value >>> 0;
}

/** Two hashes to one, every bit of either moving about half of the result's (MurmurHash3's finalizer, Appleby). */
export function mix(a: number, b: number): number {
  let value = (a ^ Math.imul(b, 0x9e3779b1)) >>> 0;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
