import type { Db } from '@cairn/kit/store/store';
import type { NovaDeps } from '../app/deps.ts';
import { tpmOf } from '../app/tpm-secrets.ts';
import { blockDevicesOf } from '../store/block-device.ts';
import { findServer, flavorOf, imageOf, type ServerRow } from '../store/server.ts';
import { topologyOfServer } from '../topology/host.ts';
import { topologyWish } from '../topology/wish.ts';
import { portsOf } from '../store/server-port.ts';
import { type GuestParts, guestSpec } from './guest-spec.ts';
import type { DiskLocation } from '@cairn/host/interface/disks';
import type { DiskLimits, GuestSpec } from '@cairn/host/interface/guests';
import { diskLimits } from './disk-limits.ts';
import { tpmWish } from './hardware.ts';

/** A server's row with everything that its guest is made of; undefined when there is no such server. */
export async function guestParts(deps: NovaDeps, db: Db, serverId: string, comesTo?: string): Promise<(GuestParts & { readonly row: ServerRow }) | undefined> {
  const row = await findServer(db, serverId);
  if (row === undefined) return undefined;
  const wantsTpm = tpmWish(flavorOf(row), imageOf(row).properties) !== undefined;
  const [devices, order, ports, topology, tpm] = await Promise.all([
    blockDevicesOf(db, serverId),
    portsOf(db, serverId),
    deps.faces.neutron.portsOfDevice(db, serverId),
    topologyWish(flavorOf(row), imageOf(row).properties) === undefined
      ? undefined
      : topologyOfServer(db, comesTo === undefined ? row : { ...row, host: comesTo }),
    wantsTpm ? tpmOf(deps, db, serverId) : undefined,
  ]);
  const shared = new Set<string>();
  const readOnly = new Set<string>();
  const limits = new Map<string, DiskLimits>();
  const locations = new Map<string, DiskLocation>();
  const host = comesTo ?? row.host;
  if (host !== null) {
    // what a volume allows is cinder's to say; asking again finds the connection that is there
    for (const device of devices) {
      if (device.attachment_id === null || device.disk_id === null) continue;
      const facts = await deps.faces.cinder.connect(device.attachment_id, host, { comes: comesTo !== undefined });
      if (facts.location) locations.set(device.attachment_id, facts.location);
      if (facts.multiattach) shared.add(device.attachment_id);
      if (facts.readOnly) readOnly.add(device.attachment_id);
      const limited = diskLimits(facts.qosSpecs, facts.sizeGb);
      if (limited) limits.set(device.attachment_id, limited);
    }
  }
  const position = new Map(order.map((port) => [port.port_id, port.position]));
  return {
    row,
    devices,
    ports: ports.filter((port) => position.has(port.id)).sort((a, b) => (position.get(a.id) as number) - (position.get(b.id) as number)),
    shared,
    readOnly,
    limits,
    locations,
    ...(topology && { topology }),
    ...(tpm && { tpm }),
  };
}

/** What to start a server's guest from; with `comesTo` what it is on the host that it comes to by live migration. */
export async function specOf(
  deps: NovaDeps,
  db: Db,
  serverId: string,
  comesTo?: string,
): Promise<{ readonly row: ServerRow; readonly spec: GuestSpec; readonly portIds: readonly string[] } | undefined> {
  const parts = await guestParts(deps, db, serverId, comesTo);
  return parts === undefined ? undefined : { row: parts.row, spec: guestSpec(parts), portIds: parts.ports.map((port) => port.id) };
}
