import type { Db } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { standardView } from '../attributes/times.ts';
import { portsByIds } from '../store/ports.ts';
import { forwardingsOfFloatingIps } from '../store/port-forwardings.ts';
import type { FloatingIpRow, PortForwardingRow, PortRow } from '../store/tables.ts';
import type { Loaded } from './common.ts';
import { shortForwardingView } from './port-forwarding-view.ts';

/** A floating IP as the API shows it, with facts of its port. */
export function floatingIpView(row: FloatingIpRow, port: PortRow | undefined, forwardings: readonly PortForwardingRow[] = []): Record<string, unknown> {
  const view = standardView(row);
  view.floating_ip_address = row.floating_ip_address;
  view.floating_network_id = row.floating_network_id;
  view.router_id = row.router_id;
  view.port_id = row.fixed_port_id;
  view.fixed_ip_address = row.fixed_ip_address;
  view.status = row.status;
  view.dns_name = row.dns_name;
  view.dns_domain = row.dns_domain;
  view.qos_policy_id = row.qos_policy_id;
  view.qos_network_policy_id = row.network_qos_policy_id;
  view.port_details = port
    ? {
        name: port.name,
        network_id: port.network_id,
        mac_address: port.mac_address,
        admin_state_up: port.admin_state_up === 1,
        status: port.status,
        device_id: port.device_id,
        device_owner: port.device_owner,
      }
    : null;
  view.port_forwardings = forwardings.map(shortForwardingView);
  view.tags = fromJson(row.tags_json);
  return view;
}

export async function floatingIpViews(db: Db, rows: readonly FloatingIpRow[]): Promise<Loaded[]> {
  const portIds = [...new Set(rows.flatMap((row) => (row.fixed_port_id === null ? [] : [row.fixed_port_id])))];
  const ports = new Map((await portsByIds(db, portIds)).map((port) => [port.id, port]));
  // only one that is on a router and leads to no port forwards any
  const forwarding = rows.filter((row) => row.fixed_port_id === null && row.router_id !== null).map((row) => row.id);
  const forwardings = Map.groupBy(await forwardingsOfFloatingIps(db, forwarding), (row) => row.floatingip_id);
  return rows.map((row) => ({ view: floatingIpView(row, row.fixed_port_id === null ? undefined : ports.get(row.fixed_port_id), forwardings.get(row.id)) }));
}
