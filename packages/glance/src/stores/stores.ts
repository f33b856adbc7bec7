import { join } from 'node:path';
import { FetchGuard, type Resolve } from '@cairn/kit/net/fetch-policy';
import type { GlanceOptions } from '../options.ts';
import { FileStore } from './file.ts';
import { HttpStore } from './http.ts';
import type { ImageStore } from './store.ts';

/** Names for stores of glance's own, and of ours below the directory of images. */
const ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** All stores of the cloud, in the operator's order. */
export class Stores {
  readonly guard: FetchGuard;
  readonly all: readonly ImageStore[];
  readonly default: ImageStore;
  readonly #byId: ReadonlyMap<string, ImageStore>;

  /** Throws when the configuration makes no sense. */
  constructor(options: GlanceOptions, resolve?: Resolve) {
    this.guard = new FetchGuard(options.import.fetch, resolve);
    this.all = Object.entries(options.stores).map(([id, store]): ImageStore => {
      if (!ID.test(id) || id.startsWith('os_glance_'))
        throw new Error(`image.stores: ${id} is no name for a store: letters, digits, dashes and underscores are allowed`);
      const common = { id, description: store.description ?? '', weight: store.weight ?? 0 };
      if (store.type === 'http') return new HttpStore({ ...common, guard: this.guard });
      const own = id === options.defaultStore ? options.imagesDir : join(options.imagesDir, '.stores', id);
      return new FileStore({ ...common, directories: store.directories?.length ? store.directories : [own] });
    });
    this.#byId = new Map(this.all.map((store) => [store.id, store]));
    const chosen = this.#byId.get(options.defaultStore);
    if (!chosen || chosen.readOnly) throw new Error(`image.defaultStore: ${options.defaultStore} is not a store that takes data`);
    this.default = chosen;
  }

  get(id: string | null): ImageStore | undefined {
    return id === null ? undefined : this.#byId.get(id);
  }

  /** The store that reads what a location's URL names. */
  forUrl(url: string): ImageStore | undefined {
    return /^https?:\/\//i.test(url) ? this.all.find((store) => store.type === 'http') : undefined;
  }

  /** Those that take data. */
  get writable(): readonly ImageStore[] {
    return this.all.filter((store) => !store.readOnly);
  }
}
