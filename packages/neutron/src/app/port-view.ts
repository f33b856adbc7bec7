import type { Db } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { standardView } from '../attributes/times.ts';
import { addressesOfPorts } from '../store/ipam.ts';
import type { ListedPort } from '../store/ports.ts';
import { groupsOfPorts } from '../store/security-groups.ts';
import type { PortRow } from '../store/tables.ts';
import { type Loaded, oncePerRow } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { resourceRequests } from './resource-requests.ts';
import { trunkDetails } from './trunk-details.ts';

export interface PortAddress {
  readonly subnet_id: string;
  readonly ip_address: string;
}

/** Upstream's order, in which the first one is the address that clients show (`order_by` in neutron/db/models_v2.py): by the text of the address. */
export const byAddress = (a: PortAddress, b: PortAddress): number => {
  const [x, y] = a.ip_address === b.ip_address ? [a.subnet_id, b.subnet_id] : [a.ip_address, b.ip_address];
  return x < y ? -1 : 1;
};

const list = (json: string): unknown[] => (json === '[]' ? [] : fromJson(json));

/** A port as the API shows it (before policy hides what it hides). */
export function portView(app: NeutronApp, row: PortRow, given: readonly PortAddress[], groupIds: readonly string[]): Record<string, unknown> {
  const addresses = given.length > 1 ? given.toSorted(byAddress) : given;
  const view = standardView(row);
  view.name = row.name;
  view.network_id = row.network_id;
  view.mac_address = row.mac_address;
  view.admin_state_up = row.admin_state_up === 1;
  view.status = row.status;
  view.device_id = row.device_id;
  view.device_owner = row.device_owner;
  view.fixed_ips = addresses.map((address) => ({ subnet_id: address.subnet_id, ip_address: address.ip_address }));
  view.security_groups = groupIds;
  view.port_security_enabled = row.port_security_enabled === 1;
  view.allowed_address_pairs = list(row.allowed_address_pairs_json);
  view.extra_dhcp_opts = list(row.extra_dhcp_opts_json);
  view.dns_name = row.dns_name;
  view.dns_domain = row.dns_domain;
  view.dns_assignment = addresses.map((address) => dnsAssignment(app.settings.dnsDomain, row.dns_name, address.ip_address));
  view.ip_allocation = row.ip_allocation;
  view.propagate_uplink_status = row.propagate_uplink_status === 1;
  view['binding:vnic_type'] = row.binding_vnic_type;
  view['binding:host_id'] = row.binding_host;
  view['binding:vif_type'] = row.binding_vif_type;
  view['binding:vif_details'] = row.binding_vif_type === 'tap' ? { port_filter: true, connectivity: 'l2' } : {};
  const trusted = row.trusted === null ? null : row.trusted === 1;
  view.trusted = trusted;
  // whoever plugs the port reads it there (neutron/db/port_trusted_db.py)
  view['binding:profile'] = { ...(row.binding_profile_json !== '{}' && fromJson<object>(row.binding_profile_json)), ...(trusted !== null && { trusted }) };
  view.qos_policy_id = row.qos_policy_id;
  view.qos_network_policy_id = row.network_qos_policy_id;
  view.resource_request = null;
  view.tags = list(row.tags_json);
  return view;
}

/** What the cloud's DNS answers for an address (neutron/db/dns_db.py, dns_integration.py). */
function dnsAssignment(domain: string, dnsName: string, ip: string): object {
  const absolute = dnsName.endsWith('.');
  const suffix = `.${domain}`;
  const hostname = dnsName === '' ? `host-${ip.replaceAll(/[.:]/g, '-')}` : absolute && dnsName.endsWith(suffix) ? dnsName.slice(0, -suffix.length) : dnsName;
  return { ip_address: ip, hostname, fqdn: absolute ? dnsName : `${hostname}${suffix}` };
}

const NO_ADDRESSES: readonly PortAddress[] = [];
const NO_GROUPS: readonly string[] = [];

/** The views of a page, with addresses and groups read in one statement each for all. */
export async function portViews(app: NeutronApp, db: Db, rows: readonly PortRow[]): Promise<Loaded[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const [allocations, groups] = await Promise.all([addressesOfPorts(db, ids), groupsOfPorts(db, ids)]);
  const addressesOf = new Map<string, PortAddress[]>();
  for (const allocation of allocations) {
    const known = addressesOf.get(allocation.port_id);
    if (known) known.push(allocation);
    else addressesOf.set(allocation.port_id, [allocation]);
  }
  const groupsOf = new Map<string, string[]>();
  for (const group of groups) {
    const known = groupsOf.get(group.port_id);
    if (known) known.push(group.security_group_id);
    else groupsOf.set(group.port_id, [group.security_group_id]);
  }
  const requests = await resourceRequests(db, rows);
  const trunks = await trunkDetails(db, rows);
  return rows.map((row) => {
    const view = portView(app, row, addressesOf.get(row.id) ?? NO_ADDRESSES, groupsOf.get(row.id) ?? NO_GROUPS);
    const trunk = trunks.get(row.id);
    if (trunk) view.trunk_details = trunk;
    if (requests.size > 0) view.resource_request = requests.get(row.id) ?? null;
    return { view, parentProjectId: row.network_project_id };
  });
}

const listed = (app: NeutronApp, row: ListedPort): Loaded => ({
  view: portView(
    app,
    row,
    row.addresses.map(([subnet_id, ip_address]) => ({ subnet_id, ip_address })),
    row.groups,
  ),
  parentProjectId: row.network_project_id,
});
const keptPort = oncePerRow(listed);

/** The views of a page of ports. Those that show what rows of other tables say besides are made anew. */
export async function listedPorts(app: NeutronApp, db: Db, rows: readonly ListedPort[]): Promise<Loaded[]> {
  const requests = await resourceRequests(db, rows);
  const trunks = await trunkDetails(db, rows);
  if (requests.size === 0 && trunks.size === 0) return rows.map((row) => keptPort(app, row));
  return rows.map((row) => {
    const request = requests.get(row.id);
    const trunk = trunks.get(row.id);
    if (!request && !trunk) return keptPort(app, row);
    const loaded = listed(app, row);
    if (trunk) loaded.view.trunk_details = trunk;
    if (request) loaded.view.resource_request = request;
    return loaded;
  });
}
