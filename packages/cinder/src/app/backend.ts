/** The one backend of each host, and its one pool. Upstream names a place for volumes `host@backend#pool`. */
const BACKEND = 'cairn';
const POOL = 'cairn';

/** `compute1@cairn`: the cinder-volume service of a host. */
export const serviceHost = (host: string): string => `${host}@${BACKEND}`;
/** `compute1@cairn#cairn`: where a volume is, as `os-vol-host-attr:host` and pools name it. */
export const poolName = (host: string): string => `${host}@${BACKEND}#${POOL}`;

/** The host in `compute1@cairn` or `compute1@cairn#cairn`; undefined for anything else. */
export function hostOfPlace(place: string): string | undefined {
  const match = /^([^@#]+)@([^@#]+)(?:#([^@#]+))?$/.exec(place);
  if (!match || match[2] !== BACKEND || (match[3] !== undefined && match[3] !== POOL)) return undefined;
  return match[1];
}

export const BACKEND_NAME = BACKEND;
export const POOL_NAME = POOL;
