import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { hostNotCompatible, segmentAssociationStays, segmentOfOtherNetwork, severalSegments, subnetsNotAllOnSegments } from '../errors.ts';
import { segmentAt } from '../fabric/segment-of-host.ts';
import { allocationsOfPorts, insertAllocations } from '../store/ipam.ts';
import { segmentsOfNetworks } from '../store/segments.ts';
import { subnetsByIds, subnetsOfNetwork } from '../store/subnets.ts';
import type { PortRow, SubnetRow } from '../store/tables.ts';
import { vifTypeOf } from './binding.ts';
import type { NeutronApp } from './deps.ts';
import { requireSegment } from './network-segments.ts';
import { takeAddresses } from './port-addresses.ts';
import { isTrusted } from './port-security.ts';

/** Networks whose segments are routed: each subnet is on one of them, and ports have addresses of the segment that their host is at. */

const isRouted = (subnet: Pick<SubnetRow, 'service_types_json'>): boolean => fromJson<string[]>(subnet.service_types_json).includes('network:routed');

/** The segment that a new subnet is to be on (ipam_backend_mixin._validate_segment). */
export async function segmentOfNewSubnet(
  tx: Tx,
  networkId: string,
  beside: readonly SubnetRow[],
  segmentId: string | null,
  serviceTypes: readonly string[],
): Promise<string | null> {
  const segment = segmentId === null ? undefined : await requireSegment(tx, segmentId);
  const others = beside.filter((subnet) => !isRouted(subnet)).map((subnet) => subnet.segment_id);
  requireAllOrNone(networkId, serviceTypes.includes('network:routed') ? others : [...others, segmentId]);
  if (segment && segment.network_id !== networkId) throw segmentOfOtherNetwork(networkId, segment.id);
  return segmentId;
}

function requireAllOrNone(networkId: string, segments: readonly (string | null)[]): void {
  if (segments.includes(null) && segments.some((id) => id !== null)) throw subnetsNotAllOnSegments(networkId);
}

/** May a subnet come to be on a segment? Only the one subnet of a network that has one segment may. */
export async function checkSegmentChange(tx: Tx, row: SubnetRow, segmentId: string | null): Promise<void> {
  const segment = segmentId === null ? undefined : await requireSegment(tx, segmentId);
  if (segmentId !== row.segment_id) {
    const held = (await subnetsOfNetwork(tx, row.network_id)).filter((subnet) => !isRouted(subnet)).map((subnet) => subnet.segment_id);
    requireAllOrNone(row.network_id, held);
    if (held.length > 1) throw subnetsNotAllOnSegments(row.network_id);
    if (!held.includes(null) && !held.includes(segmentId)) throw segmentAssociationStays();
    if ((await segmentsOfNetworks(tx, [row.network_id])).length > 1) throw severalSegments(row.network_id);
  }
  if (segment && segment.network_id !== row.network_id) throw segmentOfOtherNetwork(row.network_id, segment.id);
}

/** The segment of a network that a host sees. */
export const segmentIdAt = async (app: NeutronApp, db: Db, networkId: string, host: string): Promise<string | undefined> =>
  segmentAt(app.settings, await segmentsOfNetworks(db, [networkId]), host)?.id;

/** How a guest's port is plugged on a host: `binding_failed` too where the host reaches none of the network's segments. */
export async function vifTypeAt(app: NeutronApp, db: Db, port: Pick<PortRow, 'network_id' | 'device_owner'>, host: string): Promise<string> {
  const type = vifTypeOf(app, host);
  return type !== 'tap' || (await isReached(app, db, port, host)) ? type : 'binding_failed';
}

/** Does a host have one of the segments of a port's network? Ports of routers and DHCP are where their host is; a network without segments ends at each host. */
export async function isReached(app: NeutronApp, db: Db, port: Pick<PortRow, 'network_id' | 'device_owner'>, host: string): Promise<boolean> {
  if (isTrusted(port.device_owner) || !Object.values(app.settings.physicalNetworks).some(({ hosts }) => hosts)) return true;
  const segments = await segmentsOfNetworks(db, [port.network_id]);
  return segments.length === 0 || segmentAt(app.settings, segments, host) !== undefined;
}

/** A port that comes to a host gets the addresses that waited for it; those that it has must be of use there. */
export async function settleOnHost(app: NeutronApp, tx: Tx, row: PortRow, host: string): Promise<void> {
  const held = await allocationsOfPorts(tx, [row.id]);
  if (held.length === 0) {
    if (row.ip_allocation !== 'deferred') return;
    const owner = { portId: row.id, networkId: row.network_id, deviceOwner: row.device_owner, mac: row.mac_address };
    await insertAllocations(tx, row.id, await takeAddresses(tx, { ...owner, host, segment: () => segmentIdAt(app, tx, row.network_id, host) }, undefined));
    return;
  }
  const homes = (await subnetsByIds(tx, [...new Set(held.map((allocation) => allocation.subnet_id))])).flatMap((subnet) => subnet.segment_id ?? []);
  if (homes.length === 0) return;
  const here = await segmentIdAt(app, tx, row.network_id, host);
  if (homes.some((id) => id !== here)) throw hostNotCompatible(host, row.id);
}
