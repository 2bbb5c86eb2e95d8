/** Random choices that are reproducible from their seed. */
export interface SeededRandom {
  /** A number of at least 0 and less than 1. */
  next(): number;
  /** An integer of at least 0 and less than `end`. */
  below(end: number): number;
  /** One element; throws for an empty list. */
  pick<T>(list: readonly T[]): T;
  /** A copy with one bit flipped. */
  damage(bytes: Uint8Array): Uint8Array;
}

export function seededRandom(seed: number): SeededRandom {
  let state = seed;
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number) => Math.floor(next() * end);
  return {
    next,
    below,
    pick(list) {
      const at = below(list.length);
      for (const one of list.slice(at)) return one;
      throw new Error('cannot pick from nothing');
    },
    damage(bytes) {
      const copy = new Uint8Array(bytes);
      const at = below(copy.length);
      copy[at] = (copy[at] ?? 0) ^ (2 ** below(8));
      return copy;
    },
  };
}
