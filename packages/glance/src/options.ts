import { defaultFetchPolicy, type FetchPolicy } from '@cairn/kit/net/fetch-policy';
import type { PropertyProtectionOptions } from './app/property-protection.ts';
import type { QuotaOptions } from './app/quotas.ts';

/** One place where image data is kept; upstream's `enabled_backends` with the options of its group. */
export interface StoreOptions {
  /** `file`: directories of this machine. `http`: data stays on a web server, and is only ever read. */
  readonly type: 'file' | 'http';
  readonly description?: string;
  /** Of a file store; a directory below the images' own when absent. New data goes where there is most room. */
  readonly directories?: readonly string[];
  /** Data is read from the heaviest store that has it. */
  readonly weight?: number;
}

export const IMPORT_METHODS = ['glance-direct', 'web-download', 'copy-image', 'glance-download'] as const;
export type ImportMethod = (typeof IMPORT_METHODS)[number];

/** How images are imported. */
export interface ImportOptions {
  readonly methods: readonly ImportMethod[];
  /** Format that imported images get (`[image_conversion]/output_format`); none: as they are. */
  readonly convertTo: 'none' | 'raw' | 'qcow2' | 'vmdk';
  /** Unpack gzip and zip (`image_decompression`). */
  readonly decompress: boolean;
  /** More than this out of a packed image is refused. */
  readonly maxUnpackedBytes: number;
  /** Properties that imported images get (`[inject_metadata_properties]/inject`). */
  readonly inject: Readonly<Record<string, string>>;
  /** Images of users with one of these roles get none of them. */
  readonly injectIgnoreRoles: readonly string[];
  /** Beginnings of property names that `glance-download` takes over. */
  readonly copiedProperties: readonly string[];
  /** What may be fetched: imports, and the data of http stores. */
  readonly fetch: FetchPolicy;
}

/** What an operator may set for glance. */
export interface GlanceOptions {
  readonly quotas: QuotaOptions;
  readonly propertyProtection: PropertyProtectionOptions;
  /** Where certificates of signed images lie, as `<uuid>.pem` or `.der`; without it no signature can be verified. */
  readonly certificatesDir?: string;
  /** Directory of the image files; staged data, cached data and further file stores have their places below it. */
  readonly imagesDir: string;
  /** Longest image in bytes; upstream's `image_size_cap` is 1 TiB. */
  readonly imageSizeCapBytes: number;
  /** Of these three, -1 is no limit. */
  readonly maxProperties: number;
  readonly maxTags: number;
  readonly maxMembers: number;
  /** By id, in the order in which they are told of. */
  readonly stores: Readonly<Record<string, StoreOptions>>;
  /** Where data goes that names no store. */
  readonly defaultStore: string;
  /** Locations are shown and may be changed by PATCH (`show_multiple_locations`). */
  readonly showLocations: boolean;
  /** `direct_url` is shown (`show_image_direct_url`). */
  readonly showDirectUrl: boolean;
  /** The data behind a location that is added by POST is hashed (`do_secure_hash`). */
  readonly secureHash: boolean;
  /** How long a task is shown after its end (`task_time_to_live`). */
  readonly taskLifeMs: number;
  /** Room for cached data of remote images; the least recently read go first. */
  readonly cacheMaxBytes: number;
  readonly import: ImportOptions;
}

export const defaultImportOptions: ImportOptions = {
  methods: IMPORT_METHODS,
  convertTo: 'none',
  decompress: false,
  maxUnpackedBytes: 100 * 2 ** 30,
  inject: {},
  injectIgnoreRoles: ['admin'],
  copiedProperties: ['hw_', 'trait:', 'os_distro', 'os_secure_boot', 'os_type'],
  fetch: defaultFetchPolicy,
};

export const defaultStores: Readonly<Record<string, StoreOptions>> = {
  file: { type: 'file', description: 'Files on this machine' },
  reserve: { type: 'file', description: 'Files on this machine, in a second place' },
  web: { type: 'http', description: 'Data on web servers, read only' },
};

export const defaultGlanceOptions: Omit<GlanceOptions, 'imagesDir'> = {
  imageSizeCapBytes: 2 ** 40,
  maxProperties: 128,
  maxTags: 128,
  maxMembers: 128,
  quotas: { useKeystoneLimits: false, storageQuotaBytes: 0 },
  propertyProtection: { format: 'roles' },
  stores: defaultStores,
  defaultStore: 'file',
  showLocations: false,
  showDirectUrl: false,
  secureHash: true,
  taskLifeMs: 48 * 3600_000,
  cacheMaxBytes: 10 * 2 ** 30,
  import: defaultImportOptions,
};

/** upstream's defaults of `disk_formats` and `container_formats`; the commonest first, since clients that try a few take the first ones. */
export const DISK_FORMATS = ['raw', 'qcow2', 'ami', 'ari', 'aki', 'vhd', 'vhdx', 'vmdk', 'vdi', 'iso', 'ploop'] as const;
export const CONTAINER_FORMATS = ['ami', 'ari', 'aki', 'bare', 'ovf', 'ova', 'docker', 'compressed'] as const;
