import { join } from 'node:path';
import type { Env } from '@cairn/kit/env';
import type { Resolve } from '@cairn/kit/net/fetch-policy';
import type { ImageConverter } from '@cairn/host/interface/images';
import type { GlanceOptions } from '../options.ts';
import { createSagas, type GlanceSagas } from '../sagas/index.ts';
import { CertificateFolder, type CertificateSource, noCertificates } from '../stores/certificates.ts';
import { Staging } from '../stores/staging.ts';
import { Stores } from '../stores/stores.ts';
import { ImageCache } from './cache.ts';
import { forgetData } from './data-removal.ts';
import type { DataDeps } from './deps.ts';
import { ImageData } from './image-data.ts';
import { Images } from './images.ts';
import { Imports } from './imports.ts';
import { Locations } from './locations.ts';
import { Members } from './members.ts';
import { MetadefContents } from './metadef-contents.ts';
import { MetadefNamespaces } from './metadef-namespaces.ts';
import { PropertyProtection } from './property-protection.ts';
import { type LimitSource, Quotas } from './quotas.ts';
import { Signatures } from './signatures.ts';
import { Tasks } from './tasks.ts';

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
  readonly quotas: Quotas;
  readonly protection: PropertyProtection;
  readonly tasks: Tasks;
  readonly imports: Imports;
  readonly locations: Locations;
  readonly sagas: GlanceSagas;
}

/** What glance gets from outside of the cloud's own database. */
export interface GlanceOutside {
  /** Names to addresses, for what is fetched; the machine's own resolver when absent. */
  readonly resolve?: Resolve;
  /** Converts images; without it imports that are to be converted fail. */
  readonly converter?: ImageConverter;
  /** The URL of the image service in a region, by the catalog; `kind` is public, internal or admin. */
  readonly imageEndpoint?: (region: string, kind: string) => Promise<string | undefined>;
  /** Keystone's unified limits; without it every limit is missing. */
  readonly limits?: LimitSource;
  /** The key manager that has the certificates of signed images; `certificatesDir` of the options when absent. */
  readonly certificates?: CertificateSource;
}

export function createGlanceApp(env: Env, options: GlanceOptions, outside: GlanceOutside = {}): GlanceApp {
  const stores = new Stores(options, outside.resolve);
  const staging = new Staging(join(options.imagesDir, '.staging'));
  const cached = new Staging(join(options.imagesDir, '.cache'));
  const quotas = new Quotas(options.quotas, outside.limits ?? (async () => new Map()));
  const folder = options.certificatesDir === undefined ? noCertificates : new CertificateFolder(options.certificatesDir);
  const signatures = new Signatures(outside.certificates ?? folder);
  const deps: DataDeps = { env, options, stores, staging, cached, quotas, signatures };
  const images = new Images(env, options, quotas, (tx, imageId) => forgetData(deps, tx, imageId));
  const cache = new ImageCache(deps);
  const data = new ImageData(deps, images, cache);
  cache.fetch = (row) => data.openStores(row);
  const metadefs = new MetadefNamespaces(env);
  const metadefContents = new MetadefContents(metadefs);
  const tasks = new Tasks(deps);
  const tokens = new Map<string, string>();
  const sagas = createSagas({ ...deps, images, data, tasks, tokens, converter: outside.converter });
  const imports = new Imports({ deps, images, tasks, sagas, tokens, imageEndpoint: outside.imageEndpoint ?? (async () => undefined) });
  const locations = new Locations(deps);
  return {
    env,
    options,
    stores,
    staging,
    images,
    members: new Members(images),
    metadefs,
    metadefContents,
    data,
    cache,
    quotas,
    protection: new PropertyProtection(options.propertyProtection),
    tasks,
    imports,
    locations,
    sagas,
  };
}
