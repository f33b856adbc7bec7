import { HOME_BACKEND } from '@cairn/host/interface/backends';

/** A back end as cinder sees it: what it offers, not how it is reached. */
export interface BackendOptions {
  readonly name: string;
  /** The name that volume types choose it by; several back ends may have the same. */
  readonly volumeBackendName: string;
  readonly driver: 'local' | 'directory' | 'rbd' | 'lvm';
  /** Every host reaches its volumes; else each host has storage of its own by this name. */
  readonly isShared: boolean;
  /** A volume's format lets several servers write to it at once. */
  readonly multiattach: boolean;
  /** Volumes take room as they are written, so more may be promised than there is. */
  readonly isThin: boolean;
  readonly availabilityZone: string | undefined;
}

/** The disks of the hosts themselves, where nothing else is configured. */
export const homeBackend: BackendOptions = {
  name: HOME_BACKEND,
  volumeBackendName: HOME_BACKEND,
  driver: 'local',
  isShared: false,
  multiattach: true,
  isThin: true,
  availabilityZone: undefined,
};

/** What backups in object storage have in common. */
export interface ObjectBackupOptions {
  /** Container or bucket of backups that name none. */
  readonly container: string;
  /** Containers that are not there are made. */
  readonly createContainers: boolean;
  /** Longest stretch of a volume in one object; a multiple of `blockBytes`. */
  readonly objectBytes: number;
  /** Increments tell changes by blocks of this size. */
  readonly blockBytes: number;
  readonly compression: 'zlib' | 'zstd' | 'none';
  /** Requests that are made for one answer. */
  readonly attempts: number;
  /** Pause after the first failure, doubled after each. */
  readonly backoffMs: number;
  /** Longest silence of the store. */
  readonly timeoutMs: number;
  /** Certificate authorities instead of the system's, PEM. */
  readonly ca: string | undefined;
}

/** One user for all backups (upstream's `single_user`). */
export interface SwiftUser {
  /** 1: the store's own authentication (`X-Auth-User`); 3: a keystone. */
  readonly version: '1' | '3';
  readonly authUrl: string;
  readonly user: string;
  readonly key: string;
  readonly project: string;
  readonly userDomain: string;
  readonly projectDomain: string;
  /** Of the endpoint in the catalogue; any where it is empty. */
  readonly region: string;
  /** The account's URL, instead of the one that is told with the token. */
  readonly url: string | undefined;
}

export interface SwiftBackupOptions extends ObjectBackupOptions {
  readonly driver: 'swift';
  readonly storagePolicy: string | undefined;
  /**
   * Whose account has the objects. `per_user`: that of the backup's project, in the name of who asks; the URL, with the project's id behind it, or
   * what the catalogue says for `region`. `single_user`: one account for all.
   */
  readonly auth: { readonly mode: 'per_user'; readonly url: string | undefined; readonly region: string } | ({ readonly mode: 'single_user' } & SwiftUser);
}

export interface S3BackupOptions extends ObjectBackupOptions {
  readonly driver: 's3';
  readonly url: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
}

/** Where new backups go. */
export type BackupOptions = { readonly driver: 'file' } | SwiftBackupOptions | S3BackupOptions;

/** What an operator may set for cinder; the composition root fills it from the configuration. */
export interface CinderOptions {
  /** Where volumes may be. */
  readonly backends: readonly BackendOptions[];
  /** Zone of volumes and of the hosts that keep them (upstream's `storage_availability_zone`). */
  readonly defaultAvailabilityZone: string;
  /** Limits of projects without their own, by upstream's resource names; -1 is unlimited. Per volume type: none. */
  readonly quotaDefaults: Readonly<Record<string, number>>;
  /** The most items in one page (upstream's `osapi_max_limit`). */
  readonly maxLimit: number;
  /** Name of the volume type that volumes get when nobody names one. */
  readonly defaultVolumeType: string;
  /** Virtual to physical capacity of a pool (upstream's `max_over_subscription_ratio`). */
  readonly overSubscriptionRatio: number;
  /** Part of a pool that is kept free, in percent. */
  readonly reservedPercentage: number;
  /** User messages are kept for so long. */
  readonly messageTtlMs: number;
  /** Copying volumes in use to images (upstream's `enable_force_upload`). */
  readonly allowForceUpload: boolean;
  /** Directory of backups that are files; without one there are none. Those that are there can be used whatever `backups` says. */
  readonly backupsDir: string | undefined;
  readonly backups: BackupOptions;
  /** Base of links when it is not taken from the request. */
  readonly publicUrl: string | undefined;
}

export const defaultCinderOptions: CinderOptions = {
  backends: [homeBackend],
  defaultAvailabilityZone: 'nova',
  quotaDefaults: {
    volumes: 10,
    per_volume_gigabytes: -1,
    snapshots: 10,
    gigabytes: 1_000,
    backups: 10,
    backup_gigabytes: 1_000,
    groups: 10,
  },
  maxLimit: 1_000,
  defaultVolumeType: '__DEFAULT__',
  overSubscriptionRatio: 20,
  reservedPercentage: 0,
  messageTtlMs: 30 * 24 * 3600_000,
  allowForceUpload: false,
  backupsDir: undefined,
  backups: { driver: 'file' },
  publicUrl: undefined,
};
