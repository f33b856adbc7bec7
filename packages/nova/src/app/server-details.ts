import type { Db } from '@cairn/kit/store/store';
import type { PortFacts } from '@cairn/neutron/face';
import { type BlockDeviceRow, blockDevicesOfServers } from '../store/block-device.ts';
import type { ServerRow } from '../store/server.ts';
import { groupIdsOfServers } from '../store/server-group.ts';
import { portsOfServers } from '../store/server-port.ts';
import { tagsOfServers } from '../store/server-tag.ts';
import { isUp, servicesOf } from '../store/service.ts';
import type { NovaDeps } from './deps.ts';

/** A server with what belongs to it, as views show it. */
export interface ServerDetails {
  readonly row: ServerRow;
  readonly tags: readonly string[];
  readonly devices: readonly BlockDeviceRow[];
  /** Its ports in the order of its interfaces. */
  readonly ports: readonly PortFacts[];
  /** `UP`, `DOWN`, `MAINTENANCE`, `UNKNOWN`, or '' without a host. */
  readonly hostStatus: string;
  readonly groupId: string | undefined;
}

/** Reads what belongs to servers: a fixed number of queries for any number of servers. */
export async function detailsOf(
  deps: NovaDeps,
  db: Db,
  rows: readonly ServerRow[],
  want: { readonly hostStatus: boolean; readonly groups: boolean },
): Promise<readonly ServerDetails[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const [tags, devices, order, ports, services, groups] = await Promise.all([
    tagsOfServers(db, ids),
    blockDevicesOfServers(db, ids),
    portsOfServers(db, ids),
    deps.faces.neutron.portsOfDevices(db, ids),
    want.hostStatus ? servicesOf(db, 'nova-compute') : undefined,
    want.groups ? groupIdsOfServers(db, ids) : undefined,
  ]);
  const nowMs = deps.env.clock.nowMs();
  return rows.map((row) => {
    const service = row.host === null ? undefined : services?.get(row.host);
    let hostStatus = '';
    if (service !== undefined) {
      if (service.forced_down === 1) hostStatus = 'DOWN';
      else if (service.disabled === 1) hostStatus = 'MAINTENANCE';
      else hostStatus = isUp(service, nowMs, deps.options.serviceDownMs) ? 'UP' : 'UNKNOWN';
    }
    const position = new Map((order.get(row.id) ?? []).map((port) => [port.port_id, port.position]));
    const last = position.size;
    return {
      row,
      tags: tags.get(row.id) ?? [],
      devices: devices.get(row.id) ?? [],
      ports: [...(ports.get(row.id) ?? [])].sort((a, b) => (position.get(a.id) ?? last) - (position.get(b.id) ?? last)),
      hostStatus,
      groupId: groups?.get(row.id),
    };
  });
}
