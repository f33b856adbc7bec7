import { noCapacity } from '@cairn/kit/errors/errors';
import type { Tx } from '@cairn/kit/store/store';
import type { Resources } from '@cairn/placement/face';
import type { NovaDeps } from '../app/deps.ts';
import { computeNodeOfHost } from '../store/compute-node.ts';
import type { ServerRow } from '../store/server.ts';
import { handPortRooms, portRoomsOf, putPortRooms, removePortRooms } from '../store/port-room.ts';
import { handTopologies, putTopology, removeTopologies } from '../store/topology.ts';
import { fitOnHost, heldOn } from './host.ts';
import { fitPorts, type PortGroups, together, without } from './port-room.ts';
import type { TopologyWish } from './wish.ts';

/** Who holds room on hosts: a server, or a move of it. */
export interface RoomOwner {
  readonly consumerId: string;
  readonly serverId: string;
  readonly type: 'INSTANCE' | 'MIGRATION';
  readonly projectId: string;
  readonly userId: string;
}

/** A server as the owner of its room. */
export const roomOwner = (row: Pick<ServerRow, 'id' | 'project_id' | 'user_id'>): RoomOwner => ({
  consumerId: row.id,
  serverId: row.id,
  type: 'INSTANCE',
  projectId: row.project_id,
  userId: row.user_id,
});

/**
 * Claims room on a host: amounts in placement, and processors and pages of its NUMA nodes where the server cares. Throws NoCapacity when either does
 * not suffice; the caller then takes the next host in the same transaction. Placement's claim comes first: it keeps other claims on the host waiting.
 */
export async function takeRoom(
  deps: NovaDeps,
  tx: Tx,
  owner: RoomOwner,
  room: {
    readonly host: string;
    readonly providerId: string;
    readonly resources: Resources;
    readonly topology: TopologyWish | undefined;
    readonly portGroups: PortGroups | undefined;
    /** What the owner keeps elsewhere. */
    readonly besides?: Readonly<Record<string, Resources>>;
  },
): Promise<void> {
  const ports = room.portGroups === undefined ? [] : await fitPorts(deps, tx, room, room.portGroups);
  await deps.faces.placement.claim(tx, {
    consumerId: owner.consumerId,
    consumerType: owner.type,
    projectId: owner.projectId,
    userId: owner.userId,
    allocations: together(ports, { ...room.besides, [room.providerId]: room.resources }),
  });
  if (room.topology === undefined) {
    await putPortRooms(tx, owner.consumerId, ports);
    return;
  }
  const node = await computeNodeOfHost(tx, room.host);
  const placed = node === undefined ? undefined : fitOnHost(deps.options, node, await heldOn(tx, room.host), room.topology);
  if (placed === undefined) throw noCapacity('The NUMA nodes of the host have no room for the server any more.');
  await putTopology(tx, { consumerId: owner.consumerId, serverId: owner.serverId, host: room.host, placed });
  await putPortRooms(tx, owner.consumerId, ports);
}

/** Gives back everything that a server or move holds. Tolerates absence. */
export async function giveRoomBack(deps: NovaDeps, tx: Tx, consumerId: string): Promise<void> {
  await deps.faces.placement.release(tx, consumerId);
  await removeTopologies(tx, consumerId);
  await removePortRooms(tx, consumerId);
}

/** Makes room that `from` holds `to`'s; what `to` held is given back. Returns whether there was any. */
export async function handRoomOver(deps: NovaDeps, tx: Tx, from: string, to: Omit<RoomOwner, 'serverId'>): Promise<boolean> {
  const { placement } = deps.faces;
  const allocations = await placement.allocationsOf(tx, from);
  if (Object.keys(allocations).length === 0) return false;
  await giveRoomBack(deps, tx, to.consumerId);
  await placement.release(tx, from);
  await placement.claim(tx, { consumerId: to.consumerId, consumerType: to.type, projectId: to.projectId, userId: to.userId, allocations });
  await handTopologies(tx, from, to.consumerId);
  await handPortRooms(tx, from, to.consumerId);
  return true;
}

/** Gives back what an owner holds on one host, and keeps the rest. */
export async function giveRoomBackOn(
  deps: NovaDeps,
  tx: Tx,
  owner: Omit<RoomOwner, 'serverId'>,
  where: { readonly providerId: string; readonly host: string },
): Promise<void> {
  const { placement } = deps.faces;
  const { [where.providerId]: given, ...others } = await placement.allocationsOf(tx, owner.consumerId);
  if (given === undefined) return;
  const kept = without(await portRoomsOf(tx, owner.consumerId, where.host), others);
  await removePortRooms(tx, owner.consumerId, { host: where.host });
  await placement.release(tx, owner.consumerId);
  await removeTopologies(tx, owner.consumerId, where.host);
  if (Object.keys(kept).length > 0)
    await placement.claim(tx, { consumerId: owner.consumerId, consumerType: owner.type, projectId: owner.projectId, userId: owner.userId, allocations: kept });
}
