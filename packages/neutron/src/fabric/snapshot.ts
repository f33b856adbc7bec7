import type { FabricObject } from '@cairn/host/interface/fabric';
import type { Db } from '@cairn/kit/store/store';
import { NETWORK_PAGE, portsOfDevices, portsOfGroups, portsOfHost, portsOfNetworkAfter } from '../store/ports.ts';
import { distributedOfHost } from '../store/router-parts.ts';
import { routersByIds } from '../store/routers.ts';
import { hostsOfRouters, networksOfStandby, routersOfHost } from '../store/service-hosts.ts';
import type { Settings } from '../options.ts';
import type { PortRow, RouterRow } from '../store/tables.ts';
import { type FabricKey, groupKey, networkKey, portKey, routerKey } from './keys.ts';
import { loadDistributions } from './distribution.ts';
import { loadGroups, type LoadedPort, loadNetworks, loadSegmented, withAddresses, withPorts } from './load.ts';
import { routerOn } from './router-places.ts';
import { membersOf, networkOn, remotesOf, type TunnelEnds } from './several-hosts.ts';

const PAGE = NETWORK_PAGE;
const NOWHERE: ReadonlySet<string> = new Set();

export interface HostSnapshot {
  readonly objects: Map<FabricKey, FabricObject>;
  /** The groups whose members the host must know, wherever they are. */
  readonly watched: ReadonlySet<string>;
  /** The networks that it serves, and whose ports it must know. */
  readonly served: ReadonlySet<string>;
}

/**
 * All that one host must have, read a page at a time: what belongs to the ports that are bound to it, the routers that it has, all ports of the
 * networks that it serves with DHCP or a router or a part of one, and, where it `watches`, the members of the groups that its rules ask for.
 */
export async function hostSnapshot(db: Db, settings: Settings, host: string, watches: boolean, ends: TunnelEnds): Promise<HostSnapshot> {
  const watched = new Set<string>();
  const served = new Set<string>();
  const objects = new Map<FabricKey, FabricObject>();
  const distributed = await distributedOfHost(db, host);
  const networks = new Set([...(await networksOfStandby(db, host)), ...(await portsOfDevices(db, distributed)).map((port) => port.network_id)]);
  const groups = new Set<string>();
  for await (const port of eachPort(db, (after) => portsOfHost(db, host, after, PAGE))) {
    objects.set(portKey(port.row.id), port.objectFor(host));
    networks.add(port.row.network_id);
    for (const id of port.groupIds) groups.add(id);
  }
  for (const ids of pages([...networks])) {
    const members = await membersOf(db, ids, ends);
    const loadedNetworks = await loadNetworks(db, ids);
    const segmented = await loadSegmented(db, settings, loadedNetworks.values());
    for (const [id, loaded] of loadedNetworks) {
      objects.set(networkKey(id), networkOn(settings, loaded, segmented.get(id), host, members.get(id) ?? NOWHERE, ends));
      if (loaded.servers.has(host)) served.add(id);
    }
  }
  for (const id of served) for await (const port of portsOn(db, id)) objects.set(portKey(port.row.id), port.objectFor(host));
  for (const ids of pages([...groups])) {
    for (const [id, object] of await loadGroups(db, ids)) {
      objects.set(groupKey(id), object);
      if (watches) for (const remote of remotesOf(object)) watched.add(remote);
    }
  }
  for (const ids of pages([...watched])) for await (const port of membersOfGroups(db, ids)) objects.set(portKey(port.row.id), port.objectFor(host));
  const addRouters = async (rows: readonly RouterRow[]): Promise<void> => {
    const ids = rows.map((row) => row.id);
    const here = new Set((await hostsOfRouters(db, ids)).flatMap((row) => (row.host === host && row.active === 1 ? [row.router_id] : [])));
    const distributions = await loadDistributions(db, settings, ids);
    const wanted = rows.filter((row) => here.has(row.id) || distributions.get(row.id)?.guestHosts.has(host));
    for (const [id, object] of await withPorts(db, wanted)) {
      const own = routerOn(object, distributions.get(id), host, here.has(id));
      if (own) objects.set(routerKey(id), own);
    }
  };
  for (
    let page = await routersOfHost(db, host, '', PAGE);
    page.length > 0;
    page = page.length < PAGE ? [] : await routersOfHost(db, host, page.at(-1)?.id, PAGE)
  )
    await addRouters(page);
  for (const ids of pages(distributed)) await addRouters(await routersByIds(db, ids));
  return { objects, watched, served };
}

async function* eachPort(db: Db, pageOf: (after: string) => Promise<PortRow[]>, except: ReadonlySet<string> = NOWHERE): AsyncGenerator<LoadedPort> {
  for (let page = await pageOf(''); page.length > 0; page = page.length < PAGE ? [] : await pageOf((page.at(-1) as PortRow).id))
    yield* await withAddresses(
      db,
      page.filter((port) => !except.has(port.id)),
    );
}

/** The ports of a network, wherever they are, but for those that are known. */
export const portsOn = (db: Db, networkId: string, except: ReadonlySet<string> = NOWHERE): AsyncGenerator<LoadedPort> =>
  eachPort(db, (after) => portsOfNetworkAfter(db, networkId, after), except);

/** The ports that list one of these groups, wherever they are. */
export const membersOfGroups = (db: Db, groupIds: readonly string[]): AsyncGenerator<LoadedPort> =>
  eachPort(db, (after) => portsOfGroups(db, groupIds, after, PAGE));

function* pages(ids: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < ids.length; at += PAGE) yield ids.slice(at, at + PAGE);
}
