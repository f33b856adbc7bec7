import type { ChangeKey, Changes } from './changes.ts';
import { Lru } from './lru.ts';

/** A loaded value and the facts it rests on. */
export interface Loaded<V> {
  readonly value: V;
  readonly keys: readonly ChangeKey[];
}

interface Kept<V> extends Loaded<V> {
  since: number;
}

/** Values loaded from the database, each kept while none of the facts it rests on changes. */
export class Facts<V> {
  readonly #changes: Changes;
  readonly #kept: Lru<string, Kept<V>>;

  constructor(changes: Changes, size: number) {
    this.#changes = changes;
    this.#kept = new Lru(size);
  }

  /** The value under `id` if it still holds. Call `changes.sync()` before, once per request. */
  peek(id: string): V | undefined {
    const kept = this.#kept.get(id);
    if (!kept) return undefined;
    const { newest } = this.#changes;
    if (kept.since === newest) return kept.value;
    if (!this.#changes.holds(kept.since, kept.keys)) {
      this.#kept.delete(id);
      return undefined;
    }
    kept.since = newest;
    return kept.value;
  }

  /** The value under `id`, loaded when it is not there; undefined is not kept. Errors of `load` are not kept either. */
  async get(id: string, load: () => Promise<Loaded<V> | undefined>): Promise<V | undefined> {
    const known = this.peek(id);
    if (known !== undefined) return known;
    // before the load: what commits while it runs has a greater number and makes the value be loaded again
    const since = this.#changes.newest;
    const loaded = await load();
    if (!loaded) return undefined;
    this.#kept.set(id, { ...loaded, since });
    return loaded.value;
  }

  /** Keeps a value that was loaded when the newest change was `since`. */
  keep(id: string, since: number, loaded: Loaded<V>): void {
    this.#kept.set(id, { ...loaded, since });
  }

  clear(): void {
    this.#kept.clear();
  }
}
