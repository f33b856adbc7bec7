import type { Tx } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import {
  hostOnNoSegment,
  invalidInput,
  invalidInputText,
  invalidIpForNetwork,
  invalidIpForSubnet,
  ipAlreadyAllocated,
  noMoreAddresses,
  noServiceSubnet,
  subnetNotFound,
} from '../errors.ts';
import { isDelegated, keyOnSubnet } from '../net/delegated.ts';
import { bitsOf, canonicalIp, ipVersionOf, mustIp, stepKey } from '../net/ip.ts';
import { contains, type IpRange, mustCidr } from '../net/cidr.ts';
import { eui64Address, isEui64 } from '../net/mac.ts';
import { addressOfKey, type Allocation, findAllocation, setNextKey, takeKey, takeNext } from '../store/ipam.ts';
import { findSubnet, subnetsOfNetwork } from '../store/subnets.ts';
import type { IpAllocationRow, SubnetRow } from '../store/tables.ts';
import { ROUTER_INTERFACE_OWNERS } from '../store/ports.ts';

/** One entry of a port's `fixed_ips` as a client gives it. */
export interface FixedIpRequest {
  readonly ip_address?: string;
  readonly subnet_id?: string;
}

const ROUTER_OWNERS = [...ROUTER_INTERFACE_OWNERS, 'network:router_centralized_snat'];
const ROUTER_PORT_OWNERS = [...ROUTER_OWNERS, 'network:router_gateway', ''];

/** Addresses are made from MACs by the port's own system: SLAAC and stateless DHCPv6 (ipv6_utils.is_auto_address_subnet). */
export const isAutoAddress = (subnet: Pick<SubnetRow, 'ipv6_address_mode' | 'ipv6_ra_mode'>): boolean => {
  const modes = ['slaac', 'dhcpv6-stateless'];
  return modes.includes(subnet.ipv6_address_mode ?? '') || modes.includes(subnet.ipv6_ra_mode ?? '');
};

/** May an address of this subnet be a port's? (neutron/ipam/utils.py check_subnet_ip) */
export function fitsSubnet(cidrText: string, address: string, deviceOwner: string): boolean {
  const cidr = mustCidr(cidrText);
  const ip = mustIp(address);
  if (!contains(cidr, ip)) return false;
  if (cidr.version === 6) return ip.value !== cidr.first || ROUTER_PORT_OWNERS.includes(deviceOwner);
  return ip.value !== cidr.first && (cidr.prefixLength >= bitsOf(4) - 1 || ip.value !== cidr.last);
}

export const poolsOf = (subnet: Pick<SubnetRow, 'allocation_pools_json' | 'ip_version'>): IpRange[] =>
  fromJson<{ start: string; end: string }[]>(subnet.allocation_pools_json).map((pool) => ({
    version: subnet.ip_version as 4 | 6,
    first: mustIp(pool.start).value,
    last: mustIp(pool.end).value,
  }));

/** The subnets that a port of this owner may have addresses of; those that are meant for its kind come first. */
export async function candidateSubnets(tx: Tx, owner: AddressOwner, named = false): Promise<SubnetRow[]> {
  const { networkId, deviceOwner } = owner;
  const all = await subnetsOfNetwork(tx, networkId);
  const rank = (subnet: SubnetRow): number => {
    const types = fromJson<string[]>(subnet.service_types_json);
    if (types.includes(deviceOwner)) return 0;
    return types.length === 0 || (deviceOwner === 'network:dhcp' && subnet.enable_dhcp === 1) ? 1 : 2;
  };
  const ranked = all.map((subnet) => ({ subnet, rank: rank(subnet) })).filter((candidate) => candidate.rank < 2);
  if (all.length > 0 && ranked.length === 0) throw noServiceSubnet(networkId, deviceOwner);
  const sorted = ranked.sort((a, b) => a.rank - b.rank).map((candidate) => candidate.subnet);
  return onSegment(sorted, owner, named);
}

/** Of a network whose segments are routed, the subnets of the owner's host; the cloud's own ports are on all of them. */
async function onSegment(subnets: SubnetRow[], owner: AddressOwner, named: boolean): Promise<SubnetRow[]> {
  if (!owner.segment || owner.deviceOwner.startsWith('network:') || subnets.every((subnet) => subnet.segment_id === null)) return subnets;
  // without a host there is no saying: those that are not named have to wait
  if (!owner.host) return named ? subnets : subnets.filter((subnet) => subnet.segment_id === null);
  const here = await owner.segment();
  const there = subnets.filter((subnet) => subnet.segment_id === null || subnet.segment_id === here);
  if (there.length === 0) throw hostOnNoSegment(owner.host, owner.networkId);
  return there;
}

/** Who wants addresses. */
export interface AddressOwner {
  readonly portId: string;
  readonly networkId: string;
  readonly deviceOwner: string;
  readonly mac: string;
  readonly host?: string;
  /** The segment of the network that the host sees. Asked only where subnets are on segments. */
  readonly segment?: () => Promise<string | undefined>;
}

/** Takes the addresses of a new port. `requested` undefined: one of each kind that the network has. */
export async function takeAddresses(tx: Tx, owner: AddressOwner, requested: readonly FixedIpRequest[] | undefined): Promise<Allocation[]> {
  const subnets = await candidateSubnets(tx, owner, requested !== undefined);
  const plan = requested === undefined ? defaultPlan(subnets) : await requestedPlan(tx, owner, subnets, requested);
  return take(tx, owner, [...plan, ...autoPlan(owner, subnets, plan)]);
}

/** One address to be taken: a given one, or any of the first of these subnets that has one. */
export type Wanted = { readonly subnet: SubnetRow; readonly ip: string } | { readonly anyOf: readonly SubnetRow[] };

function defaultPlan(subnets: readonly SubnetRow[]): Wanted[] {
  const v4 = subnets.filter((subnet) => subnet.ip_version === 4);
  const stateful = subnets.filter((subnet) => subnet.ip_version === 6 && !isAutoAddress(subnet));
  return [v4, stateful].filter((group) => group.length > 0).map((anyOf) => ({ anyOf }));
}

/** Every subnet with automatic addresses gives one to every port but routers'. */
function autoPlan(owner: AddressOwner, subnets: readonly SubnetRow[], planned: readonly Wanted[], except: ReadonlySet<string> = new Set()): Wanted[] {
  if (ROUTER_OWNERS.includes(owner.deviceOwner)) return [];
  return subnets
    .filter((subnet) => subnet.ip_version === 6 && isAutoAddress(subnet) && !except.has(subnet.id))
    .map((subnet) => ({ subnet, ip: eui64Address(mustCidr(subnet.cidr), owner.mac) }))
    .filter((auto) => !planned.some((other) => 'ip' in other && other.ip === auto.ip && other.subnet.id === auto.subnet.id));
}

async function requestedPlan(tx: Tx, owner: AddressOwner, subnets: readonly SubnetRow[], requested: readonly FixedIpRequest[]): Promise<Wanted[]> {
  const plan: Wanted[] = [];
  for (const fixed of requested) {
    const ip = fixed.ip_address === undefined ? undefined : canonicalIp(fixed.ip_address);
    const subnet = await subnetFor(tx, owner, subnets, fixed, ip);
    const auto = isAutoAddress(subnet);
    if (ip !== undefined) {
      if (auto && !ROUTER_INTERFACE_OWNERS.includes(owner.deviceOwner) && ip !== eui64Address(mustCidr(subnet.cidr), owner.mac)) {
        throw invalidInputText(
          'AllocationOnAutoAddressSubnet',
          `IPv6 address ${ip} cannot be directly assigned to a port on subnet ${subnet.id} as the subnet is configured for automatic addresses`,
        );
      }
      plan.push({ subnet, ip });
    } else if (!auto || ROUTER_OWNERS.includes(owner.deviceOwner)) plan.push({ anyOf: [subnet] });
  }
  return plan;
}

async function subnetFor(tx: Tx, owner: AddressOwner, subnets: readonly SubnetRow[], fixed: FixedIpRequest, ip: string | undefined): Promise<SubnetRow> {
  if (subnets.length === 0) throw invalidInput('IP allocation requires subnets for network');
  if (fixed.subnet_id !== undefined) {
    const subnet = subnets.find((candidate) => candidate.id === fixed.subnet_id);
    if (!subnet) {
      if (!(await findSubnet(tx, fixed.subnet_id))) throw subnetNotFound(fixed.subnet_id);
      throw invalidInput(`Failed to create port on network ${owner.networkId}, because fixed_ips included invalid subnet ${fixed.subnet_id}`);
    }
    if (ip !== undefined && !fitsSubnet(subnet.cidr, ip, owner.deviceOwner)) throw invalidIpForSubnet(ip);
    return subnet;
  }
  if (ip === undefined) throw invalidInput('IP allocation requires subnet_id or ip_address');
  const subnet = subnets.find((candidate) => candidate.ip_version === ipVersionOf(ip) && fitsSubnet(candidate.cidr, ip, owner.deviceOwner));
  if (!subnet) throw invalidIpForNetwork(ip);
  return subnet;
}

/** Takes what is planned, given addresses first so that nobody gets them by chance. Answers in the order of the plan. */
async function take(tx: Tx, owner: AddressOwner, plan: readonly Wanted[]): Promise<Allocation[]> {
  const taken = new Map<Wanted, Allocation>();
  for (const wanted of plan) if ('ip' in wanted) taken.set(wanted, await takeGiven(tx, owner, wanted.subnet, wanted.ip, [...taken.values()]));
  for (const wanted of plan) if ('anyOf' in wanted) taken.set(wanted, await takeAny(tx, owner, wanted.anyOf));
  return plan.map((wanted) => taken.get(wanted) as Allocation);
}

async function takeGiven(tx: Tx, owner: AddressOwner, subnet: SubnetRow, ip: string, sofar: readonly Allocation[]): Promise<Allocation> {
  const key = keyOnSubnet(subnet, ip);
  if (sofar.some((other) => other.ipKey === key) || (await findAllocation(tx, owner.networkId, key))) throw ipAlreadyAllocated(ip, subnet.id);
  await takeKey(tx, subnet.id, key);
  return { subnetId: subnet.id, networkId: owner.networkId, ipKey: key, ipAddress: ip };
}

async function takeAny(tx: Tx, owner: AddressOwner, subnets: readonly SubnetRow[]): Promise<Allocation> {
  // upstream's agents take the lowest address for DHCP
  const lowest = owner.deviceOwner === 'network:dhcp' || owner.deviceOwner === 'network:distributed';
  for (const subnet of subnets) {
    const key = await takeNext(tx, subnet, lowest);
    if (key === undefined) continue;
    if (!lowest) {
      const next = stepKey(key, 1);
      await setNextKey(tx, subnet.id, next);
      subnet.next_key = next;
    }
    const ipAddress = addressOfKey(subnet.ip_version as 4 | 6, key);
    return { subnetId: subnet.id, networkId: owner.networkId, ipKey: keyOnSubnet(subnet, ipAddress), ipAddress };
  }
  throw noMoreAddresses(owner.networkId);
}

/** What an update does to a port's addresses. */
export interface AddressChange {
  readonly add: readonly Wanted[];
  readonly keep: readonly IpAllocationRow[];
  readonly remove: readonly IpAllocationRow[];
}

/**
 * Compares a port's addresses with the wanted ones (ipam_backend_mixin._get_changed_ips_for_port): one that is named stays, an entry
 * that names just a subnet keeps an address of it, automatic addresses stay as long as the MAC does.
 */
export async function planAddressChange(
  tx: Tx,
  owner: AddressOwner,
  current: readonly IpAllocationRow[],
  requested: readonly FixedIpRequest[],
  macChanges: boolean,
): Promise<AddressChange> {
  const all = await subnetsOfNetwork(tx, owner.networkId);
  const byId = new Map(all.map((subnet) => [subnet.id, subnet]));
  const candidates = await candidateSubnets(tx, owner, true);
  const left = new Map(current.map((row) => [row.ip_address, row]));
  // addresses made from the old MAC go with it; their subnets give new ones
  const stale = macChanges ? current.filter((row) => isEui64(BigInt(`0x${row.ip_key}`)) && row.ip_key.length === 32) : [];
  const staleSubnets = new Set(stale.map((row) => row.subnet_id));
  const keep: IpAllocationRow[] = [];
  const wanted: FixedIpRequest[] = [];
  const useful = requested.filter((fixed) => fixed.subnet_id === undefined || !staleSubnets.has(fixed.subnet_id));
  for (const fixed of useful) {
    const found = fixed.ip_address === undefined ? undefined : left.get(canonicalIp(fixed.ip_address));
    if (found && !stale.includes(found)) {
      keep.push(found);
      left.delete(found.ip_address);
    } else if (fixed.ip_address !== undefined && !(found && stale.includes(found))) wanted.push(fixed);
  }
  for (const fixed of useful) {
    if (fixed.ip_address !== undefined) continue;
    const found = [...left.values()].find((row) => row.subnet_id === fixed.subnet_id && !isEui64(BigInt(`0x${row.ip_key}`)));
    if (found) {
      keep.push(found);
      left.delete(found.ip_address);
    } else wanted.push(fixed);
  }
  const remove: IpAllocationRow[] = [];
  for (const row of left.values()) {
    const subnet = byId.get(row.subnet_id);
    // a delegated subnet may be left; others that make addresses of MACs may not (ipam_backend_mixin._is_ip_required_by_subnet)
    const isAsked = subnet && (!isDelegated(subnet) || useful.some((fixed) => fixed.subnet_id === subnet.id));
    const stays = isAsked && isAutoAddress(subnet) && !ROUTER_OWNERS.includes(owner.deviceOwner) && !stale.includes(row);
    if (stays) keep.push(row);
    else remove.push(row);
  }
  const plan = wanted.length === 0 ? [] : await requestedPlan(tx, owner, candidates, wanted);
  const handled = new Set([...keep, ...remove].map((row) => row.subnet_id).filter((id) => !staleSubnets.has(id)));
  return { add: [...plan, ...autoPlan(owner, candidates, plan, handled)], keep, remove };
}

export const takePlanned = take;
