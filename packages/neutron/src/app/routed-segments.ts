import type { Db } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import type { NeutronFace, RoutedSegment } from '../face.ts';
import { hostsOfSegment } from '../fabric/segment-of-host.ts';
import { ipVersionOf, keyOfIp } from '../net/ip.ts';
import { portsByIds } from '../store/ports.ts';
import { allocationsOfPorts } from '../store/ipam.ts';
import { portsOnSegments, segmentsByIds, segmentsOfNetworks, subnetsOnSegments } from '../store/segments.ts';
import { subnetsByIds, fullSubnetsOfNetworks } from '../store/subnets.ts';
import type { SubnetRow } from '../store/tables.ts';
import type { NeutronApp } from './deps.ts';

/** What nova and placement have to know of networks whose subnets are on segments (neutron/services/segments/plugin.py). */
export const routedSegments = (app: NeutronApp): Pick<NeutronFace, 'routedSegments' | 'segmentsAsked' | 'hostsReaching'> => ({
  async routedSegments(db) {
    const subnets = Map.groupBy(await subnetsOnSegments(db, 4), (subnet) => subnet.segment_id as string);
    const ids = [...subnets].filter(([, on]) => on.some((subnet) => poolSize(subnet) > 0n)).map(([id]) => id);
    const held = await heldOn(db, ids);
    return (await segmentsByIds(db, ids)).map((segment): RoutedSegment => {
      const room = (subnets.get(segment.id) ?? []).map(roomOf);
      const total = room.reduce((sum, each) => sum + each.total, 0);
      const reserved = room.reduce((sum, each) => sum + each.reserved, held.get(segment.id) ?? 0);
      return { id: segment.id, hosts: hostsOfSegment(app.settings, segment), total: Math.min(total, MOST), reserved: Math.min(reserved, total, MOST) };
    });
  },

  async segmentsAsked(db, nics) {
    const portIds = nics.flatMap(({ portId }) => portId ?? []);
    const addresses = Map.groupBy(await allocationsOfPorts(db, portIds), (allocation) => allocation.port_id);
    const firstSubnet = new Map([...addresses].map(([portId, all]) => [portId, all[0]?.subnet_id ?? '']));
    const held = new Map((await subnetsByIds(db, [...firstSubnet.values()])).map((subnet) => [subnet.id, subnet.segment_id]));
    const networkIds = [...new Set(nics.map(({ networkId }) => networkId))];
    const subnets = Map.groupBy(await fullSubnetsOfNetworks(db, networkIds), (subnet) => subnet.network_id);
    return nics.map(({ portId, networkId }) => {
      const home = portId === undefined ? undefined : firstSubnet.get(portId);
      const candidates = home === undefined ? (subnets.get(networkId) ?? []).map((subnet) => subnet.segment_id) : [held.get(home) ?? null];
      return [...new Set(candidates.filter((id) => id !== null))];
    });
  },

  async hostsReaching(db, networkIds) {
    if (!Object.values(app.settings.physicalNetworks).some(({ hosts }) => hosts)) return undefined;
    let all: Set<string> | undefined;
    for (const segments of Map.groupBy(await segmentsOfNetworks(db, networkIds), (segment) => segment.network_id).values()) {
      const reaches = segments.map((segment) => hostsOfSegment(app.settings, segment));
      if (reaches.includes(undefined)) continue;
      const some = new Set(reaches.flatMap((hosts) => hosts ?? []));
      all = all === undefined ? some : all.intersection(some);
    }
    return all && [...all];
  },
});

/** Placement's greatest amount. */
const MOST = 2 ** 31 - 1;

const poolSize = (subnet: SubnetRow): bigint =>
  fromJson<{ start: string; end: string }[]>(subnet.allocation_pools_json).reduce(
    (sum, { start, end }) => sum + BigInt(`0x${keyOfIp(end)}`) - BigInt(`0x${keyOfIp(start)}`) + 1n,
    0n,
  );

/** Gateway and DHCP server have addresses that guests do not get; the gateway's is beside the pools. */
function roomOf(subnet: SubnetRow): { readonly total: number; readonly reserved: number } {
  const size = Number(poolSize(subnet));
  if (size === 0) return { total: 0, reserved: 0 };
  const gateway = subnet.gateway_ip === null ? 0 : 1;
  return { total: size + gateway, reserved: gateway + subnet.enable_dhcp };
}

/** IPv4 addresses on segments of what is neither a server's nor the DHCP server's: they are kept from servers. A port counts where its first one is. */
async function heldOn(db: Db, segmentIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const held = new Map<string, number>();
  const ids = (await portsByIds(db, await portsOnSegments(db, segmentIds)))
    .filter(({ device_owner: owner }) => !owner.startsWith('compute:') && owner !== 'network:dhcp')
    .map((port) => port.id);
  const allocations = (await allocationsOfPorts(db, ids)).filter(({ ip_address: ip }) => ipVersionOf(ip) === 4);
  const homes = new Map((await subnetsByIds(db, [...new Set(allocations.map(({ subnet_id }) => subnet_id))])).map((subnet) => [subnet.id, subnet.segment_id]));
  for (const own of Map.groupBy(allocations, (allocation) => allocation.port_id).values()) {
    const home = homes.get(own[0]?.subnet_id ?? '');
    if (home) held.set(home, (held.get(home) ?? 0) + own.length);
  }
  return held;
}
