/** A reproducible random source (mulberry32): numbers from 0 to below 1. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The seed that a setting names; `random` makes a new one, and the same one as always is taken where nothing is set. */
export const seedFrom = (setting: string | undefined, usual: number): number => (setting === 'random' ? Date.now() % 1_000_000_000 : Number(setting ?? usual));
