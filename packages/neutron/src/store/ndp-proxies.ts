import { rowsAmong } from '@cairn/kit/store/among';
import { insertRow } from '@cairn/kit/store/insert';
import type { Db, Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import { ndpProxyNotFound } from '../errors-data-plane.ts';
import { subnetsOfNetworks } from './networks.ts';
import { deleteRow } from './rows.ts';
import type { ListMaker } from './select.ts';
import { scopesOfPools } from './subnetpools.ts';
import type { NdpProxyRow } from './tables-data-plane.ts';

export const ndpProxyLists: ListMaker<NdpProxyRow> = {
  spec: {
    table: 'neutron_ndp_proxy',
    id: 'id',
    unknownMarker: (marker) => ndpProxyNotFound(String(marker)),
    columns: {
      id: 'id',
      name: 'name',
      tenant_id: 'project_id',
      project_id: 'project_id',
      router_id: 'router_id',
      port_id: 'port_id',
      ip_address: 'ip_address',
      description: { column: 'description', nullable: true },
      revision_number: { column: 'revision_number', type: 'integer' },
    },
  },
  visible: (_db, projectId) => [sql<boolean>`neutron_ndp_proxy.project_id = ${projectId}`],
};

export const proxiesOfRouters = (db: Db, routerIds: readonly string[]): Promise<NdpProxyRow[]> =>
  rowsAmong<NdpProxyRow>(db, 'neutron_ndp_proxy', 'router_id', routerIds, ['id']);
export const proxiesOfAddress = (db: Db, ip: string): Promise<NdpProxyRow[]> => rowsAmong<NdpProxyRow>(db, 'neutron_ndp_proxy', 'ip_address', [ip], ['id']);

export const proxiesOfPorts = (db: Db, portIds: readonly string[]): Promise<NdpProxyRow[]> =>
  rowsAmong<NdpProxyRow>(db, 'neutron_ndp_proxy', 'port_id', portIds, ['id']);

/** Those of the routers that may have proxies. */
export const proxyingRouters = async (db: Db, routerIds: readonly string[]): Promise<ReadonlySet<string>> =>
  new Set((await rowsAmong<{ id: string }>(db, 'neutron_ndp_router', 'id', routerIds, ['id'])).map((row) => row.id));

export async function setProxying(tx: Tx, routerId: string, isProxying: boolean): Promise<void> {
  const is = (await proxyingRouters(tx, [routerId])).has(routerId);
  if (is && !isProxying) await deleteRow(tx, 'neutron_ndp_router', routerId);
  if (!is && isProxying) await insertRow(tx, 'neutron_ndp_router', { id: routerId });
}

/** The IPv6 address scopes of networks; of a network that has IPv6 subnets and no scope, null. */
export async function ipv6Scopes(db: Db, networkIds: readonly string[]): Promise<ReadonlyMap<string, string | null>> {
  const subnets = (await subnetsOfNetworks(db, networkIds)).filter((subnet) => subnet.ip_version === 6);
  const scopes = await scopesOfPools(db, [...new Set(subnets.flatMap((subnet) => subnet.subnetpool_id ?? []))]);
  const found = new Map<string, string | null>();
  for (const { network_id: id, subnetpool_id: pool } of subnets) found.set(id, found.get(id) ?? (pool === null ? null : (scopes.get(pool) ?? null)));
  return found;
}
