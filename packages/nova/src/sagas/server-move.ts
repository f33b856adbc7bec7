import { isCairnError, notFound } from '@cairn/kit/errors/errors';
import type { Context } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import type { NovaDeps } from '../app/deps.ts';
import { noValidHost } from '../scheduler/explain.ts';
import type { HostState } from '../scheduler/filters.ts';
import { type HostRequest, requestOfServer } from '../scheduler/request.ts';
import { networkPlaces } from '../scheduler/network-places.ts';
import { allAggregates } from '../store/aggregate.ts';
import { blockDevicesOf, patchBlockDevice } from '../store/block-device.ts';
import { computeNodeOfHost } from '../store/compute-node.ts';
import { disksOf, findMigration, type MigrationRow, patchMigration } from '../store/migration.ts';
import { findServer, imageOf, patchServer, type ServerRow, type StoredFlavor } from '../store/server.ts';
import { findServerGroup, groupIdsOfServers } from '../store/server-group.ts';
import { portsOf } from '../store/server-port.ts';
import { changeUsage } from '../store/usage.ts';
import { portAllocations, portGroups } from '../topology/port-room.ts';
import { handRoomOver, roomOwner, takeRoom } from '../topology/room.ts';

/** What a move of a server asks of hosts: all that its creation asked, and what the move itself wants. */
export async function moveRequest(
  deps: NovaDeps,
  db: Db,
  row: ServerRow,
  ask: { readonly ctx: Context; readonly flavor: StoredFlavor; readonly host?: string; readonly ignoreHosts: readonly string[]; readonly volumesStay: boolean },
): Promise<HostRequest> {
  const [devices, groups] = await Promise.all([blockDevicesOf(db, row.id), groupIdsOfServers(db, [row.id])]);
  const groupId = groups.get(row.id);
  const group = groupId === undefined ? undefined : await findServerGroup(db, groupId);
  const volumeHosts = new Set<string>();
  if (ask.volumesStay) {
    for (const device of devices) {
      const volume = device.volume_id === null ? undefined : await deps.faces.cinder.volume(db, ask.ctx, device.volume_id);
      if (volume?.host != null) volumeHosts.add(volume.host);
    }
  }
  const ports = await portsOf(db, row.id);
  return {
    ...requestOfServer(row, { flavor: ask.flavor, image: imageOf(row), devices, group }),
    zone: row.pinned_az ?? undefined,
    host: ask.host,
    node: undefined,
    ignoreHosts: ask.ignoreHosts,
    portGroups: await portGroups(
      deps,
      db,
      ports.map((port) => port.port_id),
    ),
    networks: await networkPlaces(
      deps,
      db,
      ports.map((port) => ({ networkId: port.network_id, portId: port.port_id })),
    ),
    volumeHosts: [...volumeHosts],
  };
}

/** Claims the first of these hosts that still has room, and writes it down as the destination. */
export async function claimDestination(
  deps: NovaDeps,
  tx: Tx,
  migrationId: string,
  hosts: readonly HostState[],
  claim: (host: HostState) => Promise<void>,
): Promise<HostState> {
  for (const host of hosts) {
    try {
      await claim(host);
    } catch (error) {
      if (isCairnError(error, 'NoCapacity')) continue;
      throw error;
    }
    const ip = (await computeNodeOfHost(tx, host.host))?.host_ip ?? null;
    const nowMs = deps.env.clock.nowMs();
    await patchMigration(tx, migrationId, { dest_host: host.host, dest_node: host.node, dest_ip: ip, updated_at_ms: nowMs });
    return host;
  }
  throw noValidHost(undefined, [{ name: 'claims', before: hosts.length, after: 0, words: 'the rest were taken by other servers meanwhile' }]);
}

/** Claims a destination for the server; what it had is the move's until that is confirmed or taken back. */
export async function claimMove(
  deps: NovaDeps,
  tx: Tx,
  migrationId: string,
  found: { readonly row: ServerRow; readonly request: HostRequest; readonly hosts: readonly HostState[] },
): Promise<HostState> {
  const { row, request, hosts } = found;
  const owner = roomOwner(row);
  await handRoomOver(deps, tx, row.id, { ...owner, consumerId: migrationId, type: 'MIGRATION' });
  return claimDestination(deps, tx, migrationId, hosts, (host) =>
    takeRoom(deps, tx, owner, {
      host: host.host,
      providerId: host.candidate.providerId,
      resources: request.resources,
      topology: request.topology,
      portGroups: request.portGroups,
    }),
  );
}

/** Takes `claimMove` back: the server's claim is again what it was. Does nothing where the move holds none. */
export async function takeClaimBack(deps: NovaDeps, tx: Tx, serverId: string, migrationId: string): Promise<void> {
  const row = await findServer(tx, serverId);
  if (row !== undefined) await handRoomOver(deps, tx, migrationId, roomOwner(row));
}

/** The migration; throws where somebody took it away. */
export async function needMigration(db: Db, id: string): Promise<MigrationRow> {
  const row = await findMigration(db, id);
  if (row === undefined) throw notFound(`Migration ${id} could not be found.`);
  return row;
}

/**
 * Makes a server's rows those of one side of its move: host, zone, flavor, disks, where its ports are bound, what its project uses. Both ways;
 * one that is there already is left alone.
 */
export async function putOnSide(deps: NovaDeps, tx: Tx, migrationId: string, side: 'source' | 'dest', zone: string | undefined): Promise<void> {
  const migration = await findMigration(tx, migrationId);
  const atDest = side === 'dest' ? 1 : 0;
  if (migration === undefined || migration.at_dest === atDest) return;
  const server = await findServer(tx, migration.server_id);
  if (server === undefined || server.deleted === 1) return;
  const nowMs = deps.env.clock.nowMs();
  const flavorJson = side === 'dest' ? migration.new_flavor_json : migration.old_flavor_json;
  const flavor = JSON.parse(flavorJson) as StoredFlavor;
  const host = side === 'dest' ? migration.dest_host : migration.source_host;
  await patchServer(tx, server.id, {
    host,
    node: side === 'dest' ? migration.dest_node : migration.source_node,
    ...(zone === undefined ? {} : { availability_zone: zone }),
    flavor_id: flavor.id,
    flavor_json: flavorJson,
    vcpus: flavor.vcpus,
    memory_mb: flavor.memoryMb,
    root_gb: flavor.rootGb,
    ephemeral_gb: flavor.ephemeralGb,
    updated_at_ms: nowMs,
  });
  const cores = flavor.vcpus - server.vcpus;
  const ramMb = flavor.memoryMb - server.memory_mb;
  if (cores !== 0 || ramMb !== 0) await changeUsage(tx, server.project_id, server.user_id, { instances: 0, cores, ramMb });
  for (const disk of disksOf(migration)) await patchBlockDevice(tx, disk.deviceId, { disk_id: side === 'dest' ? disk.newDiskId : disk.oldDiskId });
  const ports = (await portsOf(tx, server.id)).map((port) => port.port_id);
  if (ports.length > 0 && host !== null) {
    const deviceOwner = `compute:${zone ?? server.availability_zone ?? deps.options.defaultAvailabilityZone}`;
    // until the move is over, what the server had is the move's
    const holders = side === 'source' ? [migrationId, server.id] : [server.id];
    await deps.faces.neutron.bindPorts(tx, ports, { host, deviceId: server.id, deviceOwner, allocations: await portAllocations(tx, holders, host) });
  }
  await patchMigration(tx, migrationId, { at_dest: atDest, updated_at_ms: nowMs });
}

/** A host's zone, as servers show it. */
export async function zoneOf(deps: NovaDeps, db: Db, host: string | null): Promise<string | undefined> {
  if (host === null) return undefined;
  for (const { metadata, hosts } of await allAggregates(db)) {
    const zone = metadata['availability_zone'];
    if (zone !== undefined && hosts.includes(host)) return zone;
  }
  return deps.options.defaultAvailabilityZone;
}
