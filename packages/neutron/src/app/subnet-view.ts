import type { Db } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { standardView } from '../attributes/times.ts';
import { externalAmong } from '../store/networks.ts';
import { sharedAmong } from '../store/rbac.ts';
import type { SubnetRow } from '../store/tables.ts';
import type { Loaded } from './common.ts';

const list = (json: string): unknown[] => (json === '[]' ? [] : fromJson(json));

/** A subnet as the API shows it; `shared` is for policy alone. */
export function subnetView(row: SubnetRow, shared: boolean, external: boolean): Record<string, unknown> {
  const view = standardView(row);
  view.name = row.name;
  view.network_id = row.network_id;
  view.ip_version = row.ip_version;
  view.subnetpool_id = row.subnetpool_id;
  view.enable_dhcp = row.enable_dhcp === 1;
  view.ipv6_ra_mode = row.ipv6_ra_mode;
  view.ipv6_address_mode = row.ipv6_address_mode;
  view.gateway_ip = row.gateway_ip;
  view.cidr = row.cidr;
  view.allocation_pools = list(row.allocation_pools_json);
  view.host_routes = list(row.host_routes_json);
  view.dns_nameservers = list(row.dns_nameservers_json);
  view.segment_id = row.segment_id;
  view.service_types = list(row.service_types_json);
  view.shared = shared;
  view['router:external'] = external;
  view.tags = list(row.tags_json);
  return view;
}

export async function subnetViews(db: Db, rows: readonly SubnetRow[], viewerProjectId: string | undefined): Promise<Loaded[]> {
  const networkIds = [...new Set(rows.map((row) => row.network_id))];
  const [shared, external] = await Promise.all([sharedAmong(db, networkIds, viewerProjectId), externalAmong(db, networkIds)]);
  return rows.map((row) => ({ view: subnetView(row, shared.has(row.network_id), external.has(row.network_id)), parentProjectId: row.network_project_id }));
}
