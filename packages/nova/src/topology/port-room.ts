import { CairnError, invalidInput, isCairnError, noCapacity } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import type { GroupsRequest, Resources } from '@cairn/placement/face';
import type { NovaDeps } from '../app/deps.ts';
import { computeNodeOfHost } from '../store/compute-node.ts';
import type { ServerRow } from '../store/server.ts';
import { type PortRoom, portRoomsOf, putPortRooms, removePortRooms } from '../store/port-room.ts';

/** What the ports of a server ask of a host's network, group by group. */
export interface PortGroups extends GroupsRequest {
  /** Ids of groups by the port that asks. */
  readonly ports: ReadonlyMap<string, readonly string[]>;
}

type Allocations = Readonly<Record<string, Resources>>;

/** What these ports ask for together; undefined where none asks for anything. */
export async function portGroups(deps: NovaDeps, db: Db, portIds: readonly string[]): Promise<PortGroups | undefined> {
  if (portIds.length === 0) return undefined;
  const requests = [...(await deps.faces.neutron.resourceRequests(db, portIds))];
  if (requests.length === 0) return undefined;
  return {
    groups: requests.flatMap(([, request]) => request.request_groups),
    sameSubtrees: requests.map(([, request]) => request.same_subtree).filter((ids) => ids.length > 1),
    ports: new Map(requests.map(([portId, request]) => [portId, request.request_groups.map((group) => group.id)])),
  };
}

/** Throws InvalidInput for ports that nova made and that ask for something, by their network: they were not reckoned with when the host was chosen. */
export async function refuseAskingPorts(deps: NovaDeps, db: Db, serverId: string, ports: readonly { readonly portId: string; readonly networkId: string }[]) {
  if (ports.length === 0) return;
  const requests = await deps.faces.neutron.resourceRequests(
    db,
    ports.map((port) => port.portId),
  );
  const asking = ports.find((port) => requests.has(port.portId));
  if (asking === undefined) return;
  throw invalidInput(`Using networks with QoS policy is not supported for instance ${serverId}. (Network ID is ${asking.networkId})`, {
    type: 'NetworksWithQoSPolicyNotSupported',
  });
}

/** Finds providers for all groups below a host's own. Throws NoCapacity where there is not enough. */
export async function fitPorts(
  deps: NovaDeps,
  tx: Tx,
  at: { readonly host: string; readonly providerId: string },
  ask: PortGroups,
): Promise<readonly PortRoom[]> {
  const placed = (await deps.faces.placement.placeGroups(tx, [at.providerId], ask)).get(at.providerId);
  if (placed === undefined) throw noCapacity('The network of the host has no room for what the ports of the server ask.');
  const groups = new Map(ask.groups.map((group) => [group.id, group]));
  return [...ask.ports].map(([portId, ids]) => ({
    portId,
    host: at.host,
    groups: Object.fromEntries(ids.map((id) => [id, { providerId: placed[id] as string, resources: groups.get(id)?.resources ?? {} }])),
  }));
}

/** What these rooms come to, by provider, with `others`. */
export function together(rooms: readonly PortRoom[], others: Allocations): Allocations {
  return changed(rooms, others, 1);
}

function changed(rooms: readonly PortRoom[], others: Allocations, sign: 1 | -1): Allocations {
  const sums = new Map(Object.entries(others).map(([providerId, resources]) => [providerId, { ...resources }]));
  for (const { providerId, resources } of rooms.flatMap((room) => Object.values(room.groups))) {
    const sum: Record<string, number> = sums.get(providerId) ?? {};
    for (const [name, amount] of Object.entries(resources)) sum[name] = (sum[name] ?? 0) + sign * amount;
    sums.set(providerId, Object.fromEntries(Object.entries(sum).filter(([, amount]) => amount > 0)));
  }
  return Object.fromEntries([...sums].filter(([, resources]) => Object.keys(resources).length > 0));
}

/** `allocations` without what these rooms come to. */
export const without = (rooms: readonly PortRoom[], allocations: Allocations): Allocations => changed(rooms, allocations, -1);

/** The provider of each group, by port, for the ports' binding profiles. `consumerIds`: the first that holds room on the host counts. */
export async function portAllocations(db: Db, consumerIds: readonly string[], host: string): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  for (const consumerId of consumerIds) {
    const rooms = await portRoomsOf(db, consumerId, host);
    if (rooms.length > 0)
      return new Map(rooms.map((room) => [room.portId, Object.fromEntries(Object.entries(room.groups).map(([id, group]) => [id, group.providerId]))]));
  }
  return new Map();
}

/** Claims what a port asks that a server gets while it runs. Throws InvalidInput where its host has no room. */
export async function takePortRoom(deps: NovaDeps, tx: Tx, row: ServerRow, portId: string): Promise<void> {
  const ask = await portGroups(deps, tx, [portId]);
  const node = ask === undefined || row.host === null ? undefined : await computeNodeOfHost(tx, row.host);
  if (ask === undefined || node === undefined) return;
  const { placement } = deps.faces;
  try {
    const rooms = await fitPorts(deps, tx, { host: node.host, providerId: node.id }, ask);
    await claim(deps, tx, row, together(rooms, await placement.allocationsOf(tx, row.id)));
    await putPortRooms(tx, row.id, rooms);
  } catch (error) {
    if (!isCairnError(error, 'NoCapacity')) throw error;
    throw new CairnError('InvalidInput', `Failed to allocate additional resources to ${row.id} during interface attach`, {
      type: 'InterfaceAttachResourceAllocationFailed',
      cause: error,
    });
  }
}

/** Gives back what a port of a server asked for. Tolerates absence. */
export async function givePortRoomBack(deps: NovaDeps, tx: Tx, row: ServerRow, portId: string): Promise<void> {
  const rooms = (await portRoomsOf(tx, row.id)).filter((room) => room.portId === portId);
  if (rooms.length === 0) return;
  await claim(deps, tx, row, without(rooms, await deps.faces.placement.allocationsOf(tx, row.id)));
  await removePortRooms(tx, row.id, { portId });
}

const claim = (deps: NovaDeps, tx: Tx, row: ServerRow, allocations: Allocations): Promise<void> =>
  deps.faces.placement.claim(tx, { consumerId: row.id, consumerType: 'INSTANCE', projectId: row.project_id, userId: row.user_id, allocations });
