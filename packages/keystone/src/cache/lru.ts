/**
 * A map of bounded size that drops what was not used for longest, roughly: entries live in two generations, a use brings an entry into the
 * young one, and when that is full the old one goes. No entry is ever moved within a Map, which V8 does slowly in large ones.
 */
export class Lru<K, V> {
  readonly #generationSize: number;
  #young = new Map<K, V>();
  #old = new Map<K, V>();

  /** Keeps between `size / 2` and `size` entries. */
  constructor(size: number) {
    this.#generationSize = Math.max(1, Math.ceil(size / 2));
  }

  get(key: K): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.#insert(key, old);
    return old;
  }

  set(key: K, value: V): void {
    if (this.#young.has(key)) this.#young.set(key, value);
    else this.#insert(key, value);
  }

  delete(key: K): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }

  /** Entries, those that are in both generations counted twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  #insert(key: K, value: V): void {
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
