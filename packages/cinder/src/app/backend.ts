import type { Db } from '@cairn/kit/store/store';
import type { Disks } from '@cairn/host/interface/disks';
import { HOME_BACKEND, diskIdOn } from '@cairn/host/interface/backends';
import { unavailable } from '@cairn/kit/errors/errors';
import type { BackendOptions } from '../options.ts';
import { attachmentsOfVolume } from '../store/attachments.ts';
import type { CinderDeps } from './deps.ts';

/**
 * Rows say in `host` which storage has a volume: the name of a host for its own disks, else `<host>@<backend>`. A back end that all hosts
 * share stands as one, and has its own name where others have that of a host. To users a place is `host@backend#pool`, as upstream's is;
 * each back end has one pool, of its name.
 */
export const storageKey = (host: string, backend: string): string => (backend === HOME_BACKEND ? host : `${host}@${backend}`);

const split = (key: string): { readonly host: string; readonly backend: string } => {
  const [host = '', backend = HOME_BACKEND] = key.split('@');
  return { host, backend };
};

export const backendOf = (key: string): string => split(key).backend;

/** `compute1@cairn`: the cinder-volume service of a storage. */
export const serviceHost = (key: string): string => `${split(key).host}@${backendOf(key)}`;
/** `compute1@cairn#cairn`: where a volume is, as `os-vol-host-attr:host` and pools name it. */
export const poolName = (key: string): string => `${serviceHost(key)}#${backendOf(key)}`;

/** The storage in `compute1@cairn` or `compute1@cairn#cairn`; undefined for anything else. */
export function storageOfPlace(place: string): string | undefined {
  const match = /^([^@#]+)@([^@#]+)(?:#([^@#]+))?$/.exec(place);
  const [, host, backend, pool = backend] = match ?? [];
  return host === undefined || backend === undefined || pool !== backend ? undefined : storageKey(host, backend);
}

/** The id of a disk on a storage. */
export const diskIdAt = (key: string, id: string): string => diskIdOn(backendOf(key), id);

/** What attachments name as the way to a volume (`driver_volume_type`): there is one, whatever the back end. */
export const VOLUME_DRIVER = 'cairn';

/** One storage: a back end, on a host or for all of them. */
export interface Storage {
  readonly key: string;
  readonly backend: BackendOptions;
  /** The host that has it; undefined where all have. */
  readonly host: string | undefined;
}

/** Every storage that the connected hosts have, sorted by key. */
export function storages({ options, hosts }: CinderDeps): Storage[] {
  const names = hosts.names();
  return options.backends
    .flatMap((backend): Storage[] => {
      if (backend.isShared) return names.length === 0 ? [] : [{ key: storageKey(backend.name, backend.name), backend, host: undefined }];
      return names.map((host) => ({ key: storageKey(host, backend.name), backend, host }));
    })
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** The storage of a key, while a host that has it is connected. */
export function findStorage({ options, hosts }: CinderDeps, key: string): Storage | undefined {
  const { host, backend: name } = split(key);
  const backend = options.backends.find((one) => one.name === name);
  if (!backend) return undefined;
  if (backend.isShared) return host === name && hosts.names().length > 0 ? { key, backend, host: undefined } : undefined;
  return hosts.names().includes(host) ? { key, backend, host } : undefined;
}

/** The host that a volume's disk is bound to; null for one that every host reaches, and for one that is nowhere yet. */
export function boundHost({ options }: CinderDeps, key: string | null): string | null {
  if (key === null) return null;
  const { host, backend } = split(key);
  return options.backends.some((one) => one.name === backend && one.isShared) ? null : host;
}

/**
 * Who works on a disk of a storage: the host that has it, and of a shared one the host where `volumeId` is in use (its guest has the disk
 * open), else any. Throws Unavailable when no such host is connected.
 */
export async function disksAt(deps: CinderDeps, db: Db, key: string | null, volumeId?: string): Promise<Disks> {
  const { hosts, options } = deps;
  const { host, backend: name } = split(key ?? '');
  const backend = options.backends.find((one) => one.name === name);
  if (!backend) throw unavailable(`Storage back end ${name} is not configured (any longer): the volumes on it can be used when it is again.`);
  if (!backend.isShared) return hosts.get(host).disks;
  const connected = hosts.names().toSorted();
  const users = volumeId === undefined ? [] : (await attachmentsOfVolume(db, volumeId)).map((attachment) => attachment.attached_host);
  const chosen = connected.find((one) => users.includes(one)) ?? connected[0];
  if (chosen === undefined) throw unavailable('No host is connected. "cairn status" shows which hosts are.');
  return hosts.get(chosen).disks;
}
