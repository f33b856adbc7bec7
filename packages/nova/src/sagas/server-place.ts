import type { Context } from '@cairn/kit/context/context';
import { isCairnError, notFound } from '@cairn/kit/errors/errors';
import type { Logger } from '@cairn/kit/log/log';
import type { Db, Tx } from '@cairn/kit/store/store';
import type { NovaDeps } from '../app/deps.ts';
import { noValidHost } from '../scheduler/explain.ts';
import type { HostState } from '../scheduler/filters.ts';
import { networkPlaces, type WantedNic } from '../scheduler/network-places.ts';
import { type HostRequest, requestOfServer } from '../scheduler/request.ts';
import { Pending, selectHosts } from '../scheduler/schedule.ts';
import { type BlockDeviceRow, blockDevicesOf } from '../store/block-device.ts';
import { findServer, flavorOf, imageOf, patchServer, type ServerRow } from '../store/server.ts';
import { findServerGroup, groupIdsOfServers, groupMemberHosts, touchGroup } from '../store/server-group.ts';
import { portsOf } from '../store/server-port.ts';
import { portGroups } from '../topology/port-room.ts';
import { roomOwner, takeRoom } from '../topology/room.ts';

/** Where a server may go, besides what its flavor, image, hints and group ask. */
export interface Wanted {
  readonly serverId: string;
  readonly ctx: Context;
  readonly hasVolumes: boolean;
  readonly zone: string | null;
  readonly forcedHost: string | null;
  readonly forcedNode: string | null;
  /** Its ports, where they are known already; else they are looked up. Those that are still to be made ask for nothing. */
  readonly ports?: readonly { readonly portId: string; readonly networkId: string; readonly existing: boolean }[];
}

/** The part of a saga's step that placing needs; one object from `find` to `claim`. */
interface Step {
  readonly db: Db;
  readonly log: Logger;
}

/** What `find` found out, for `claim`. */
interface Found {
  readonly request: HostRequest;
  readonly row: ServerRow;
  hosts: readonly HostState[];
}

/** Puts servers on hosts: `find` in a step's do, `claim` in its commit, `drop` in its undo. One per process, so that its promises are known to all. */
export class Placing {
  readonly #deps: NovaDeps;
  readonly #pending = new Pending();
  readonly #found = new WeakMap<Step, Found>();

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  /** Chooses hosts, best first, and promises the server to the first. */
  async find(step: Step, wanted: Wanted): Promise<void> {
    const row = await findServer(step.db, wanted.serverId);
    if (row === undefined) throw notFound(`Instance ${wanted.serverId} could not be found.`);
    const request = await hostRequest(this.#deps, step.db, row, wanted);
    const hosts = await selectHosts(this.#deps, step.db, request, this.#pending);
    this.#found.set(step, { request, row, hosts });
  }

  /** Claims the first of the hosts that still has room, and puts the server's row there with this task. */
  async claim(tx: Tx, step: Step, wanted: Wanted, taskState: string): Promise<void> {
    try {
      await claim(this.#deps, tx, step, this.#found.get(step) as Found, this.#pending, taskState);
    } finally {
      tx.afterCommit(() => this.drop(wanted.serverId));
    }
  }

  /** Notes how a build on a host ended: hosts that fail are chosen last. */
  built(host: string, well: boolean): void {
    this.#pending.built(host, well);
  }

  drop(serverId: string): void {
    this.#pending.drop(serverId);
  }
}

async function hostRequest(deps: NovaDeps, db: Db, row: ServerRow, params: Wanted): Promise<HostRequest> {
  const hints = JSON.parse(row.hints_json) as Readonly<Record<string, unknown>>;
  const [devices, groupId] = await Promise.all([
    blockDevicesOf(db, row.id),
    hints['group'] === undefined ? undefined : groupIdsOfServers(db, [row.id]).then((groups) => groups.get(row.id)),
  ]);
  const group = groupId === undefined ? undefined : await findServerGroup(db, groupId);
  const nics: readonly WantedNic[] =
    params.ports === undefined
      ? (await portsOf(db, row.id)).map((port) => ({ networkId: port.network_id, portId: port.port_id }))
      : params.ports.map(({ networkId, portId, existing }) => ({ networkId, ...(existing && { portId }) }));
  return {
    ...requestOfServer(row, { flavor: flavorOf(row), image: imageOf(row), devices, group }),
    zone: params.zone ?? undefined,
    host: params.forcedHost ?? undefined,
    node: params.forcedNode ?? undefined,
    portGroups: await portGroups(
      deps,
      db,
      nics.flatMap(({ portId }) => portId ?? []),
    ),
    networks: await networkPlaces(deps, db, nics),
    volumeHosts: params.hasVolumes ? await volumeHosts(deps, db, params, devices) : [],
  };
}

/** Where the volumes and snapshots are that the server is to have. */
async function volumeHosts(deps: NovaDeps, db: Db, params: Wanted, devices: readonly BlockDeviceRow[]): Promise<readonly string[]> {
  const hosts = new Set<string>();
  for (const device of devices) {
    const volumeId = device.snapshot_id !== null ? (await deps.faces.cinder.snapshot(db, params.ctx, device.snapshot_id)).volumeId : device.volume_id;
    const host = volumeId === null ? null : (await deps.faces.cinder.volume(db, params.ctx, volumeId)).host;
    if (host !== null) hosts.add(host);
  }
  return [...hosts];
}

/** How often the commit looks for fresh candidates when others took all that the step had found. */
const ROUNDS = 3;

/** Claims the best host that still has room and still keeps the group's policy, and puts the server there. */
async function claim(deps: NovaDeps, tx: Tx, step: Step, found: Found, pending: Pending, taskState: string): Promise<void> {
  const { request, row } = found;
  if (request.group !== undefined) await touchGroup(tx, request.group.id);
  for (let round = 1; ; round += 1) {
    for (const host of found.hosts) {
      if (!(await groupAllows(tx, request, host))) continue;
      try {
        const { resources, topology, portGroups: ports } = request;
        await takeRoom(deps, tx, roomOwner(row), { host: host.host, providerId: host.candidate.providerId, resources, topology, portGroups: ports });
      } catch (error) {
        if (isCairnError(error, 'NoCapacity')) continue;
        throw error;
      }
      await patchServer(tx, row.id, {
        host: host.host,
        node: host.node,
        launched_on: host.host,
        availability_zone: host.zone,
        task_state: taskState,
        updated_at_ms: deps.env.clock.nowMs(),
      });
      return;
    }
    if (round === ROUNDS)
      throw noValidHost(undefined, [{ name: 'claims', before: found.hosts.length, after: 0, words: 'the rest were taken by other servers meanwhile' }]);
    found.hosts = await selectHosts(deps, tx, request, pending);
    step.log.debug({ serverId: row.id, round }, 'every candidate was taken; scheduling again');
  }
}

/** The group's policy once more, now that no other member can be placed before this transaction ends. */
async function groupAllows(tx: Tx, request: HostRequest, host: HostState): Promise<boolean> {
  const { group } = request;
  if (group === undefined || !['affinity', 'anti-affinity'].includes(group.policy)) return true;
  const members = (await groupMemberHosts(tx, group.id)).filter((member) => member.serverId !== request.serverId && member.host !== null);
  const here = members.filter((member) => member.host === host.host).length;
  return group.policy === 'affinity' ? members.length === 0 || here > 0 : here < group.maxPerHost;
}
