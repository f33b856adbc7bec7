import type { FabricObject } from '@cairn/host/interface/fabric';
import type { Db } from '@cairn/kit/store/store';
import { portsAfter, portsOfHost } from '../store/ports.ts';
import { routersAfter } from '../store/routers.ts';
import type { PortRow } from '../store/tables.ts';
import { type FabricKey, groupKey, networkKey, portKey, routerKey } from './keys.ts';
import { loadGroups, loadNetworks, withAddresses, withPorts } from './load.ts';

const PAGE = 500;

/**
 * All that one host must have, read a page at a time. The chassis, which holds routers and DHCP, has every port with its network and
 * groups, and the routers; another host has what belongs to the ports that are bound to it.
 */
export async function hostSnapshot(db: Db, host: string, chassis: boolean): Promise<Map<FabricKey, FabricObject>> {
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
  for (const ids of pages([...networks])) for (const [id, object] of await loadNetworks(db, ids)) objects.set(networkKey(id), object);
  for (const ids of pages([...groups])) for (const [id, object] of await loadGroups(db, ids)) objects.set(groupKey(id), object);
  if (chassis) {
    for (let page = await routersAfter(db, '', PAGE); page.length > 0; page = page.length < PAGE ? [] : await routersAfter(db, page.at(-1)?.id ?? '', PAGE)) {
      for (const [id, object] of await withPorts(db, page)) objects.set(routerKey(id), object);
    }
  }
  return objects;
}

function* pages(ids: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < ids.length; at += PAGE) yield ids.slice(at, at + PAGE);
}
