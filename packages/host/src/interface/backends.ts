/** What each back end needs to be found, by driver. Every host of a cloud is given the same. */
export type BackendSpec = { readonly name: string } & (
  | { readonly driver: 'local' /** Directory of this host; each host has a part of it. Absent for the hosts' own disks. */; readonly path?: string }
  /** A directory that every host sees at the same path. */
  | { readonly driver: 'directory'; readonly path: string }
  | ({
      readonly driver: 'rbd';
      readonly pool: string;
      /** A ceph.conf, which names the monitors. */
      readonly configFile: string;
      /** `cairn` for `client.cairn`; its keyring is where the configuration says. */
      readonly user: string;
    } & ImageCacheLimits)
  /** A volume group of LVM, of each host its own. `thin`: volumes take room of the group's thin pool as they are written. */
  | { readonly driver: 'lvm'; readonly volumeGroup: string; readonly provisioning: 'thin' | 'thick' }
);

/** How much a back end keeps of images that volumes were made from; 0 is without limit. */
export interface ImageCacheLimits {
  readonly imageCacheCount: number;
  readonly imageCacheGb: number;
}

/** The back end of the hosts' own disks: always there, and its disks have ids without a prefix. */
export const HOME_BACKEND = 'cairn';

/** Lower-case letters, digits, dashes and underscores: a back end's name is part of ids, of names of services and of files. */
export const BACKEND_NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/;

/** A disk's id says where it is: `<backend>.<id>`; ids of the hosts' own disks have no back end in front. */
export const diskIdOn = (backend: string, id: string): string => (backend === HOME_BACKEND ? id : `${backend}.${id}`);

/** The back end that a disk's id names. */
export function backendOfDisk(diskId: string): string {
  const at = diskId.indexOf('.');
  return at < 0 ? HOME_BACKEND : diskId.slice(0, at);
}
