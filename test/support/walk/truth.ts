import type { Contents } from './contents.ts';
import type { Ground, Physical } from './ground.ts';
import { rowsOf } from './records.ts';
import { isKept, NEWEST, type State } from './state.ts';

// what the APIs answer
type Json = any;

const GUEST_STATES: Readonly<Record<string, readonly string[]>> = {
  ACTIVE: ['running'],
  RESCUE: ['running'],
  PAUSED: ['paused'],
  SUSPENDED: ['suspended', 'absent'],
  SHUTOFF: ['shutdown', 'absent', 'crashed'],
  SHELVED: ['shutdown', 'absent', 'crashed'],
  VERIFY_RESIZE: ['running', 'shutdown', 'absent', 'crashed'],
  SHELVED_OFFLOADED: ['absent'],
};
/** Where a guest whose process was killed leaves its server in the state that it was in: it is shown by its power alone. */
const KEEPS_STATE: ReadonlySet<string> = new Set(['RESCUE', 'VERIFY_RESIZE']);
/** Nova's numbers of power states, and what guests may show them. */
const POWER: Readonly<Record<number, readonly string[]>> = {
  0: ['absent'],
  1: ['running'],
  3: ['paused'],
  4: ['shutdown', 'absent', 'crashed', 'suspended'],
  6: ['crashed'],
};

/** What a walk remembers. */
interface Known {
  /** Whose guest lost its process at some time. */
  readonly killed?: ReadonlySet<string>;
  readonly contents?: Contents;
}

/**
 * What is wrong with a cloud at rest, in words: states that nobody asked for, guests, disks, ports, attachments, allocations and quota that do
 * not fit each other. Empty when everything holds.
 */
export async function wrongs(cloud: Ground, state: State, known: Known = {}): Promise<string[]> {
  const physical = await cloud.physical();
  return [
    ...conditions(state),
    ...attachments(state),
    ...ports(state),
    ...guests(state, physical, known.killed ?? new Set()),
    ...disks(cloud, physical),
    ...(await allocations(cloud, state)),
    ...(await quota(cloud, state)),
    ...(known.contents ? await bytes(cloud, known.contents) : []),
  ];
}

function conditions(state: State): string[] {
  const bad = (kind: string, rows: Json[], good: readonly string[]): string[] =>
    rows
      .filter((row) => !good.includes(row.status))
      .map((row) => `${kind} ${row.id} is ${row.status}${row.fault ? `: ${row.fault.message}` : ''}${row.fail_reason ? `: ${row.fail_reason}` : ''}`);
  return [
    ...bad('server', state.servers, Object.keys(GUEST_STATES)),
    ...bad(
      'volume',
      state.volumes.filter((volume) => !isKept(state, volume)),
      ['available', 'in-use', 'awaiting-transfer'],
    ),
    ...bad('snapshot', state.snapshots, ['available']),
    ...bad('backup', state.backups, ['available']),
    ...bad('image', state.images, ['active']),
  ];
}

function attachments(state: State): string[] {
  const found: string[] = [];
  const servers = new Map(state.servers.map((s) => [s.id, s]));
  for (const volume of state.volumes) {
    if ((volume.status === 'in-use') !== volume.attachments.length > 0)
      found.push(`volume ${volume.id} is ${volume.status} with ${volume.attachments.length} attachments`);
    for (const attachment of volume.attachments) {
      const server = servers.get(attachment.server_id);
      if (!server) found.push(`volume ${volume.id} is attached to ${attachment.server_id}, which is not there`);
      else if (!server['os-extended-volumes:volumes_attached'].some((v: Json) => v.id === volume.id))
        found.push(`volume ${volume.id} says it is attached to ${server.id}, which does not know it`);
    }
  }
  for (const server of state.servers)
    for (const { id } of server['os-extended-volumes:volumes_attached'])
      if (!state.volumes.some((v) => v.id === id && (isKept(state, v) || v.attachments.some((a: Json) => a.server_id === server.id))))
        found.push(`server ${server.id} says it has volume ${id}, which does not know it`);
  return found;
}

function ports(state: State): string[] {
  const servers = new Map(state.servers.map((s) => [s.id, s]));
  const ports = new Map(state.ports.map((p) => [p.id, p]));
  return [
    ...state.ports
      .filter((p) => p.device_owner.startsWith('compute:') && !servers.has(p.device_id))
      .map((p) => `port ${p.id} is of server ${p.device_id}, which is not there`),
    ...state.ports
      .filter((p) => {
        const server = servers.get(p.device_id);
        return server?.status === 'ACTIVE' && p.device_owner.startsWith('compute:') && p['binding:host_id'] !== server['OS-EXT-SRV-ATTR:host'];
      })
      .map((p) => `port ${p.id} is bound to ${p['binding:host_id'] || 'no host'}, its server is on ${servers.get(p.device_id)['OS-EXT-SRV-ATTR:host']}`),
    ...state.floatingIps.filter((f) => f.port_id && !ports.has(f.port_id)).map((f) => `floating IP ${f.id} is of port ${f.port_id}, which is not there`),
  ];
}

function guests(state: State, physical: Physical, killed: ReadonlySet<string>): string[] {
  const found: string[] = [];
  const servers = new Map(state.servers.map((s) => [s.id, s]));
  const seen = new Map<string, string>();
  for (const guest of physical.guests) {
    const server = servers.get(guest.id);
    if (!server) {
      found.push(`host ${guest.host} has guest ${guest.id}, which is no server`);
      continue;
    }
    const home = server['OS-EXT-SRV-ATTR:host'];
    if (home === guest.host) seen.set(guest.id, guest.state);
    else if (guest.state !== 'shutdown') found.push(`host ${guest.host} has guest ${guest.id} ${guest.state}, its server is on ${home}`);
    const wanted = state.ports
      .filter((p) => p.device_id === guest.id && p.device_owner.startsWith('compute:'))
      .map((p) => p.id)
      .toSorted();
    if (guest.ports && guest.state === 'running' && server.status === 'ACTIVE' && guest.ports.join() !== wanted.join())
      found.push(`guest ${guest.id} has the ports ${guest.ports}, its server ${wanted}`);
    const volumes = server['os-extended-volumes:volumes_attached'].map((v: Json) => v.id).toSorted();
    if (guest.volumes && guest.state === 'running' && server.status === 'ACTIVE' && guest.volumes.join() !== volumes.join())
      found.push(`guest ${guest.id} has the volumes ${guest.volumes}, its server ${volumes}`);
  }
  for (const server of state.servers) {
    const is = seen.get(server.id) ?? 'absent';
    const power = server['OS-EXT-STS:power_state'] as number;
    const isDown = power !== 1 && KEEPS_STATE.has(server.status) && killed.has(server.id);
    if ((server.status !== 'ERROR' && !isDown && !GUEST_STATES[server.status]?.includes(is)) || !POWER[power]?.includes(is))
      found.push(`server ${server.id} is ${server.status} with power ${power}, its guest ${is}`);
  }
  return found;
}

/** Every disk is somebody's: the store says whose, for no API tells it. */
function disks(cloud: Ground, physical: Physical): string[] {
  const ids = (sql: string): string[] => rowsOf(cloud.data, sql).map((row) => String(row['id']));
  const known = new Set([
    ...ids('select disk_id as id from nova_block_device where disk_id is not null'),
    ...ids('select disk_id as id from cinder_volume where disk_id is not null'),
    ...ids('select disk_id as id from cinder_snapshot where disk_id is not null'),
  ]);
  // a move that waits to be confirmed has disks on both sides
  const moved = ids("select disks_json as id from nova_migration where disks_json <> '[]'").join();
  const servers = ids('select id from nova_server');
  return physical.disks
    .filter(({ id }) => !known.has(id) && !moved.includes(id) && !servers.some((server) => id.includes(server)))
    .map(({ id, host }) => `host ${host} has disk ${id}, which is nobody's`);
}

/** What volumes and snapshots hold is what was written, wherever they came from and went to. What is found out is kept. */
async function bytes(cloud: Ground, contents: Contents): Promise<string[]> {
  const found: string[] = [];
  const expected = contents.expected();
  const held = await cloud.held(expected);
  for (const [i, { kind, id, contents: possible }] of expected.entries()) {
    const content = held[i];
    if (content === undefined) found.push(`${kind} ${id} does not hold ${possible.map((c) => `[${c}]`).join(' or ')}`);
    else contents.seen({ kind, id }, content);
  }
  return found;
}

async function allocations(cloud: Ground, state: State): Promise<string[]> {
  const headers = { 'openstack-api-version': 'placement 1.39' };
  const { resource_providers: providers } = await cloud.ok('GET', '/placement/resource_providers', undefined, { headers });
  const found: string[] = [];
  const wanted = new Map<string, number>();
  const moving = state.servers.some((s) => s.status === 'VERIFY_RESIZE');
  for (const server of state.servers) {
    const host = server['OS-EXT-SRV-ATTR:host'];
    if (host && server.status !== 'SHELVED_OFFLOADED') wanted.set(host, (wanted.get(host) ?? 0) + server.flavor.ram);
  }
  for (const provider of providers) {
    const { allocations } = await cloud.ok('GET', `/placement/resource_providers/${provider.uuid}/allocations`, undefined, { headers });
    const consumers = Object.entries(allocations) as [string, Json][];
    for (const [consumer] of consumers)
      if (!moving && !state.servers.some((s) => s.id === consumer)) found.push(`host ${provider.name} has an allocation of ${consumer}, which is no server`);
    const ram = consumers.reduce((sum, [, a]) => sum + (a.resources.MEMORY_MB ?? 0), 0);
    if (!moving && ram !== (wanted.get(provider.name) ?? 0))
      found.push(`host ${provider.name} has ${ram} MB allocated, its servers have ${wanted.get(provider.name) ?? 0}`);
  }
  return found;
}

async function quota(cloud: Ground, state: State): Promise<string[]> {
  const { absolute: nova } = (await cloud.ok('GET', '/compute/v2.1/limits', undefined, { headers: NEWEST })).limits;
  const { absolute: cinder } = (await cloud.ok('GET', '/volume/v3/limits')).limits;
  const say = (what: string, counted: number, is: number): string[] => (counted === is ? [] : [`quota counts ${counted} ${what}, there are ${is}`]);
  const sum = (rows: Json[], key: string): number => rows.reduce((total, row) => total + row[key], 0);
  return [
    ...say('servers', nova.totalInstancesUsed, state.servers.length),
    ...say('volumes', cinder.totalVolumesUsed, state.volumes.length),
    ...say('snapshots', cinder.totalSnapshotsUsed, state.snapshots.length),
    ...say('GB of volumes', cinder.totalGigabytesUsed, sum(state.volumes, 'size') + sum(state.snapshots, 'size')),
    ...say('backups', cinder.totalBackupsUsed, state.backups.length),
  ];
}
