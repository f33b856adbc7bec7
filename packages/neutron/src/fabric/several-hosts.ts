import type { FabricObject, NetworkSpec, TunnelSpec } from '@cairn/host/interface/fabric';
import type { Db } from '@cairn/kit/store/store';
import type { Settings } from '../options.ts';
import type { LoadedNetwork } from './load.ts';
import { hostsOfNetworks } from '../store/ports.ts';
import type { SegmentRow } from '../store/tables.ts';
import { segmentSpec } from './objects.ts';
import { segmentAt } from './segment-of-host.ts';

/** What a network is on one of several hosts; see docs/design/0012-several-hosts.md. Nothing here but reading rows. */

/** Tunnel addresses by host, of hosts that ever had one. */
export type TunnelEnds = ReadonlyMap<string, string>;

/** The UDP ports of VXLAN. Ids of VXLAN and Geneve networks are counted apart, so they need tunnels apart. */
const UDP_PORTS: Partial<Record<NetworkSpec['segment']['type'], number>> = { vxlan: 4789, geneve: 6081, vlan: 4790 };

/** The host that is asked about, and those that serve the network's DHCP. */
export interface Place {
  readonly host: string;
  readonly dhcpHosts: ReadonlySet<string>;
}

/**
 * A network as a host is to have it. DHCP is of the hosts that serve it alone, except on networks that end at their host. `members` are the
 * hosts that have the network.
 */
export function networkAt(object: FabricObject, place: Place, members: ReadonlySet<string>, ends: TunnelEnds): FabricObject {
  if (object.kind !== 'network' || place.dhcpHosts.has(place.host) || object.segment.type === 'local') return withTunnel(object, place, members, ends);
  const subnets = object.subnets.map(({ dhcp: _dhcp, ...subnet }) => subnet);
  return withTunnel({ ...object, subnets }, place, members, ends);
}

function withTunnel(object: FabricObject, { host }: Place, members: ReadonlySet<string>, ends: TunnelEnds): FabricObject {
  if (object.kind !== 'network' || !ends.has(host)) return object;
  const udpPort = UDP_PORTS[object.segment.type];
  if (udpPort === undefined) return object;
  const peers = [...members].flatMap((other) => (other === host ? [] : (ends.get(other) ?? []))).toSorted();
  const tunnel: TunnelSpec = { vni: vniOf(object.segment), udpPort, peers };
  return { ...object, tunnel };
}

/** A network of several segments, and which of them its subnets are on. */
export interface Segmented {
  readonly segments: readonly SegmentRow[];
  readonly homeOf: ReadonlyMap<string, string | null>;
}

/** What a host sees of a network of several segments: the segment that it reaches, with that one's subnets served, and who else is on it. */
function onSegment(
  settings: Settings,
  object: FabricObject,
  { segments, homeOf }: Segmented,
  place: Place,
  members: ReadonlySet<string>,
): { readonly object: FabricObject; readonly place: Place; readonly members: ReadonlySet<string> } {
  const own = segmentAt(settings, segments, place.host);
  if (object.kind !== 'network') return { object, place, members };
  const shares = (host: string): boolean => segmentAt(settings, segments, host)?.id === own?.id;
  const others = new Set([...members].filter(shares));
  const near = [...place.dhcpHosts].filter(shares);
  const served = near.length > 0 ? near : [...others, place.host].toSorted().slice(0, 1);
  // addresses are handed out on each segment by a host that is there
  const subnets = object.subnets.map(({ dhcp, ...subnet }) => ({ ...subnet, ...(dhcp && [null, own?.id].includes(homeOf.get(subnet.id)) && { dhcp }) }));
  const segment = own ? segmentSpec(own) : ({ type: 'local' } as const);
  return { object: { ...object, segment, subnets }, place: { host: place.host, dhcpHosts: new Set(own ? served : []) }, members: own ? others : new Set() };
}

/** A network as a host is to have it, however many segments it has. */
export function networkOn(
  settings: Settings,
  { dhcpHosts, standbys, objectFor }: Pick<LoadedNetwork, 'dhcpHosts' | 'standbys' | 'objectFor'>,
  segmented: Segmented | undefined,
  host: string,
  bound: ReadonlySet<string>,
  ends: TunnelEnds,
): FabricObject {
  const [object, place, members] = [objectFor(host), { host, dhcpHosts }, bound.union(standbys)];
  if (!segmented) return networkAt(object, place, members, tunnelsOf(settings, object, ends));
  const seen = onSegment(settings, object, segmented, place, members);
  return networkAt(seen.object, seen.place, seen.members, tunnelsOf(settings, seen.object, ends));
}

/** What is on the hosts' own wires is in no tunnel. */
function tunnelsOf(settings: Settings, object: FabricObject, ends: TunnelEnds): TunnelEnds {
  const physicalNetwork = object.kind === 'network' ? object.segment.physicalNetwork : undefined;
  return physicalNetwork !== undefined && settings.physicalNetworks[physicalNetwork]?.isWired ? NO_TUNNELS : ends;
}

const NO_TUNNELS: TunnelEnds = new Map();

/** A tunnelled network has an id of its own. A VLAN's is told apart by its physical network as well. */
function vniOf({ id = 0, physicalNetwork }: NetworkSpec['segment']): number {
  if (physicalNetwork === undefined) return id;
  let sum = 0;
  for (const character of physicalNetwork) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 0xfff;
  return (sum + 1) * 4096 + id;
}

/** The hosts that have these networks; read only where hosts are joined by tunnels. */
export const membersOf = async (db: Db, networkIds: readonly string[], ends: TunnelEnds): Promise<ReadonlyMap<string, ReadonlySet<string>>> =>
  ends.size === 0 ? new Map() : hostsOfNetworks(db, networkIds);

/** The groups whose members a group's rules ask for. */
export const remotesOf = (object: FabricObject): readonly string[] =>
  object.kind === 'securityGroup' ? [...new Set(object.rules.flatMap((rule) => rule.remoteGroupId ?? []))] : [];
