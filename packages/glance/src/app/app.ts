import { join } from 'node:path';
import type { Env } from '@cairn/kit/env';
import type { Resolve } from '@cairn/kit/net/fetch-policy';
import type { GlanceOptions } from '../options.ts';
import { Staging } from '../stores/staging.ts';
import { Stores } from '../stores/stores.ts';
import { ImageCache } from './cache.ts';
import { forgetData } from './data-removal.ts';
import type { DataDeps } from './deps.ts';
import { ImageData } from './image-data.ts';
import { Images } from './images.ts';
import { Members } from './members.ts';
import { MetadefContents } from './metadef-contents.ts';
import { MetadefNamespaces } from './metadef-namespaces.ts';

/** Glance's rules, one member per resource. */
export interface GlanceApp {
  readonly env: Env;
  readonly options: GlanceOptions;
  readonly stores: Stores;
  readonly staging: Staging;
  readonly images: Images;
  readonly members: Members;
  readonly metadefs: MetadefNamespaces;
  readonly metadefContents: MetadefContents;
  readonly data: ImageData;
  readonly cache: ImageCache;
}

/** What glance gets from outside of the cloud's own database. */
export interface GlanceOutside {
  /** Names to addresses, for what is fetched; the machine's own resolver when absent. */
  readonly resolve?: Resolve;
}

export function createGlanceApp(env: Env, options: GlanceOptions, outside: GlanceOutside = {}): GlanceApp {
  const stores = new Stores(options, outside.resolve);
  const staging = new Staging(join(options.imagesDir, '.staging'));
  const cached = new Staging(join(options.imagesDir, '.cache'));
  const deps: DataDeps = { env, options, stores, staging, cached };
  const images = new Images(env, options, (tx, imageId) => forgetData(deps, tx, imageId));
  const cache = new ImageCache(deps);
  const data = new ImageData(deps, images, cache);
  cache.fetch = (row) => data.openStores(row);
  const metadefs = new MetadefNamespaces(env);
  const metadefContents = new MetadefContents(metadefs);
  return { env, options, stores, staging, images, members: new Members(images), metadefs, metadefContents, data, cache };
}
