import type { FabricObject } from '@cairn/host/interface/fabric';
import type { Db } from '@cairn/kit/store/store';
import { portsAfter, portsOfGroups, portsOfHost } from '../store/ports.ts';
import { routersAfter } from '../store/routers.ts';
import type { Settings } from '../options.ts';
import type { PortRow } from '../store/tables.ts';
import { type FabricKey, groupKey, networkKey, portKey, routerKey } from './keys.ts';
import { loadGroups, type LoadedPort, loadNetworks, loadSegmented, withAddresses, withPorts } from './load.ts';
import { membersOf, networkOn, remotesOf, type TunnelEnds } from './several-hosts.ts';

const PAGE = 500;
const NOWHERE: ReadonlySet<string> = new Set();

export interface HostSnapshot {
  readonly objects: Map<FabricKey, FabricObject>;
  /** The groups whose members the host must know, wherever they are. */
  readonly watched: ReadonlySet<string>;
}

/**
 * All that one host must have, read a page at a time. The chassis, which holds routers and DHCP, has every port with its network and
 * groups, and the routers; another host has what belongs to the ports that are bound to it, and the members of the groups that their rules
 * ask for.
 */
export async function hostSnapshot(db: Db, settings: Settings, host: string, chassisHost: string | undefined, ends: TunnelEnds): Promise<HostSnapshot> {
  const chassis = host === chassisHost;
  const watched = new Set<string>();
  const objects = new Map<FabricKey, FabricObject>();
  const networks = new Set<string>();
  const groups = new Set<string>();
  const pageOf = (after: string): Promise<PortRow[]> => (chassis ? portsAfter(db, after, PAGE) : portsOfHost(db, host, after, PAGE));
  for (let page = await pageOf(''); page.length > 0; page = page.length < PAGE ? [] : await pageOf((page.at(-1) as PortRow).id)) {
    for (const port of await withAddresses(db, page)) {
      objects.set(portKey(port.row.id), port.objectFor(host));
      networks.add(port.row.network_id);
      for (const id of port.groupIds) groups.add(id);
    }
  }
  for (const ids of pages([...networks])) {
    const members = await membersOf(db, ids, ends);
    const segmented = await loadSegmented(db, ids);
    for (const [id, object] of await loadNetworks(db, ids))
      objects.set(networkKey(id), networkOn(settings, object, segmented.get(id), { host, chassis: chassisHost }, members.get(id) ?? NOWHERE, ends));
  }
  for (const ids of pages([...groups])) {
    for (const [id, object] of await loadGroups(db, ids)) {
      objects.set(groupKey(id), object);
      if (ends.has(host)) for (const remote of remotesOf(object)) watched.add(remote);
    }
  }
  // the chassis has all ports anyway
  if (!chassis)
    for (const ids of pages([...watched])) for await (const port of membersOfGroups(db, ids)) objects.set(portKey(port.row.id), port.objectFor(host));
  if (chassis) {
    for (let page = await routersAfter(db, '', PAGE); page.length > 0; page = page.length < PAGE ? [] : await routersAfter(db, page.at(-1)?.id ?? '', PAGE)) {
      for (const [id, object] of await withPorts(db, page)) objects.set(routerKey(id), object);
    }
  }
  return { objects, watched };
}

/** The ports that list one of these groups, wherever they are. */
export async function* membersOfGroups(db: Db, groupIds: readonly string[]): AsyncGenerator<LoadedPort> {
  const pageOf = (after: string): Promise<PortRow[]> => portsOfGroups(db, groupIds, after, PAGE);
  for (let page = await pageOf(''); page.length > 0; page = page.length < PAGE ? [] : await pageOf((page.at(-1) as PortRow).id)) {
    yield* await withAddresses(db, page);
  }
}

function* pages(ids: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < ids.length; at += PAGE) yield ids.slice(at, at + PAGE);
}
