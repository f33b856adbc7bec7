import type { Ground } from './ground.ts';

// what the APIs answer
type Json = any;

/** What the cloud says it has, read from its APIs as the admin. */
export interface State {
  readonly servers: Json[];
  readonly volumes: Json[];
  readonly snapshots: Json[];
  readonly images: Json[];
  readonly ports: Json[];
  readonly networks: Json[];
  readonly floatingIps: Json[];
  readonly backups: Json[];
  readonly serverGroups: Json[];
  /** Of volumes; `name` is what a migration names. */
  readonly pools: Json[];
}

const TRANSITIONAL = {
  volume: /^(creating|attaching|detaching|deleting|extending|downloading|uploading|backing-up|restoring-backup|maintenance|reserved|retyping|reverting)$/,
  snapshot: /^(creating|deleting|backing-up|restoring|unmanaging)$/,
  image: /^(queued|saving|uploading|importing)$/,
  backup: /^(creating|restoring|deleting)$/,
};

export async function stateOf(cloud: Ground): Promise<State> {
  const [servers, volumes, snapshots, images, ports, networks, floatingIps, backups, serverGroups, pools] = await Promise.all([
    all(cloud, '/compute/v2.1/servers/detail', 'servers', 'all_tenants=1'),
    all(cloud, '/volume/v3/volumes/detail', 'volumes', 'all_tenants=1'),
    all(cloud, '/volume/v3/snapshots/detail', 'snapshots', 'all_tenants=1'),
    all(cloud, '/image/v2/images', 'images'),
    all(cloud, '/network/v2.0/ports', 'ports'),
    all(cloud, '/network/v2.0/networks', 'networks'),
    all(cloud, '/network/v2.0/floatingips', 'floatingips'),
    all(cloud, '/volume/v3/backups/detail', 'backups', 'all_tenants=1'),
    cloud.ok('GET', '/compute/v2.1/os-server-groups', undefined, { headers: NEWEST }).then((body) => body.server_groups),
    cloud.ok('GET', '/volume/v3/scheduler-stats/get_pools', undefined, { headers: NEWEST }).then((body) => body.pools),
  ]);
  return { servers, volumes, snapshots, images, ports, networks, floatingIps, backups, serverGroups, pools };
}

/** A whole list, page by page. */
async function all(cloud: Ground, path: string, key: string, query = ''): Promise<Json[]> {
  const rows: Json[] = [];
  for (;;) {
    const last = rows.at(-1)?.id;
    const answer = await cloud.call('GET', `${path}?limit=200${query && `&${query}`}${last ? `&marker=${last}` : ''}`, undefined, { headers: NEWEST });
    if (answer.status === 404) return rows;
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    rows.push(...answer.body[key]);
    if (answer.body[key].length < 200) return rows;
  }
}

export const NEWEST = { 'openstack-api-version': 'compute 2.95, volume 3.70' };

/** A server that is on no host has this volume, which is only reserved for it. */
export const isKept = (state: State, volume: Json): boolean =>
  volume.status === 'reserved' &&
  state.servers.some((s) => s.status === 'SHELVED_OFFLOADED' && s['os-extended-volumes:volumes_attached'].some((v: Json) => v.id === volume.id));

/** What is still on its way, in words; empty when all is at rest. */
export function unsettled(state: State): string[] {
  return [
    ...state.servers
      .filter((s) => s['OS-EXT-STS:task_state'] !== null || s.status === 'BUILD' || s.status === 'RESIZE' || s.status === 'DELETED')
      .map((s) => `server ${s.id} ${s.status} ${s['OS-EXT-STS:task_state']}`),
    ...state.volumes
      .filter(
        (v) =>
          (TRANSITIONAL.volume.test(v.status) && !isKept(state, v)) || (v.migration_status && /^(starting|migrating|completing)$/.test(v.migration_status)),
      )
      .map((v) => `volume ${v.id} ${v.status}`),
    ...state.snapshots.filter((s) => TRANSITIONAL.snapshot.test(s.status)).map((s) => `snapshot ${s.id} ${s.status}`),
    ...state.images.filter((i) => TRANSITIONAL.image.test(i.status)).map((i) => `image ${i.id} ${i.status}`),
    ...state.backups.filter((b) => TRANSITIONAL.backup.test(b.status)).map((b) => `backup ${b.id} ${b.status}`),
  ];
}
