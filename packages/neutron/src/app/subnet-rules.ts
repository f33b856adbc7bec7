import { isSet, type NotSpecified } from '../attributes/attribute.ts';
import {
  dnsServersExhausted,
  gatewayConflictsWithPool,
  hostRoutesExhausted,
  invalidAllocationPool,
  invalidInput,
  outOfBoundsPool,
  overlappingPools,
} from '../errors.ts';
import { type Cidr, contains, type IpRange, isLoopback, isMulticast, mustCidr, networkText, rangeText, subtractRanges } from '../net/cidr.ts';
import { formatIp, type IpVersion, ipVersionOf, mustIp } from '../net/ip.ts';
import { pyRepr } from '../net/python-text.ts';
import { MAX_DNS_SERVERS, MAX_HOST_ROUTES } from '../options.ts';

/** What of a subnet the rules look at; an update shows only what it changes, with the rest from the row. */
export interface SubnetFacts {
  readonly id?: string;
  readonly ipVersion: IpVersion;
  /** It waits for the prefix that the provider delegates. */
  readonly isProvisional?: boolean;
  /** Undefined until a pool gives one. */
  readonly cidr: Cidr | undefined;
  readonly enableDhcp: boolean | undefined;
  readonly dhcpWasOn: boolean;
  readonly gatewayIp: string | null | NotSpecified;
  readonly dnsServers: readonly string[] | NotSpecified;
  readonly hostRoutes: readonly { readonly destination: string; readonly nexthop: string }[] | NotSpecified;
  readonly raMode: string | null | NotSpecified;
  readonly addressMode: string | null | NotSpecified;
}

function requireVersion(version: IpVersion, address: string, name: string): void {
  if (ipVersionOf(address) !== version) throw invalidInput(`${name} '${address}' does not match the ip_version '${version}'`);
}

/** The rules of db_base_plugin_v2._validate_subnet, without those of IPv6 modes that only hold for a new subnet. */
export function checkSubnet(subnet: SubnetFacts): void {
  const { cidr, ipVersion } = subnet;
  if (cidr && cidr.version !== ipVersion) throw invalidInput(`cidr '${networkText(cidr)}' does not match the ip_version '${ipVersion}'`);
  if (cidr && ipVersion === 6 && cidr.first === 0n && !subnet.isProvisional) throw invalidInput("IPv6 subnet '::' is not supported");
  if (cidr && subnet.enableDhcp && !subnet.dhcpWasOn) checkDhcp(cidr);
  if (isSet(subnet.gatewayIp) && subnet.gatewayIp !== '') {
    requireVersion(ipVersion, subnet.gatewayIp, 'gateway_ip');
    if (cidr && gatewayIsNoHost(cidr, subnet.gatewayIp)) throw invalidInput('Gateway is not valid on subnet');
  }
  const who = subnet.id ?? 'new subnet';
  if (isSet(subnet.dnsServers)) {
    if (subnet.dnsServers.length > MAX_DNS_SERVERS) throw dnsServersExhausted(who, MAX_DNS_SERVERS);
    for (const server of subnet.dnsServers) requireVersion(ipVersion, server, 'dns_nameserver');
  }
  if (isSet(subnet.hostRoutes)) {
    if (subnet.hostRoutes.length > MAX_HOST_ROUTES) throw hostRoutesExhausted(who, MAX_HOST_ROUTES);
    for (const route of subnet.hostRoutes) {
      requireVersion(ipVersion, route.nexthop, 'nexthop');
      requireVersion(ipVersion, route.destination, 'destination');
    }
  }
  if (ipVersion === 4) {
    if (isSet(subnet.raMode)) throw invalidInput('ipv6_ra_mode is not valid when ip_version is 4');
    if (isSet(subnet.addressMode)) throw invalidInput('ipv6_address_mode is not valid when ip_version is 4');
  }
}

function checkDhcp(cidr: Cidr): void {
  if (cidr.prefixLength > (cidr.version === 4 ? 30 : 126)) throw invalidInput('Subnet has a prefix length that is incompatible with DHCP service enabled');
  if (isMulticast(cidr)) throw invalidInput('Multicast IP subnet is not supported if enable_dhcp is True');
  if (isLoopback(cidr)) throw invalidInput('Loopback IP subnet is not supported if enable_dhcp is True');
  if (cidr.version === 4 && cidr.first === 0n) throw invalidInput("First IP '0.0.0.0' of network is not supported if enable_dhcp is True.");
}

/** A gateway may lie outside of the subnet, but not be its network or broadcast address. */
function gatewayIsNoHost(cidr: Cidr, gateway: string): boolean {
  const ip = mustIp(gateway);
  return cidr.version === 4 && contains(cidr, ip) && (ip.value === cidr.first || ip.value === cidr.last);
}

/** IPv6 modes of a new subnet. */
export function checkIpv6Modes(subnet: SubnetFacts): void {
  if (subnet.ipVersion !== 6) return;
  const { raMode, addressMode, cidr } = subnet;
  if ((isSet(raMode) || isSet(addressMode)) && !subnet.enableDhcp)
    throw invalidInput('ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False');
  if (isSet(raMode) && isSet(addressMode) && raMode !== addressMode) {
    throw invalidInput(
      `ipv6_ra_mode set to '${raMode}' with ipv6_address_mode set to '${addressMode}' is not valid. If both attributes are set, they must be the same value`,
    );
  }
  const auto = [raMode, addressMode].some((mode) => mode === 'slaac' || mode === 'dhcpv6-stateless');
  if (cidr && auto && cidr.prefixLength !== 64) {
    throw invalidInput(
      `Invalid CIDR ${networkText(cidr)} for IPv6 address mode. OpenStack uses the EUI-64 address format, which requires the prefix to be /64`,
    );
  }
}

/** The gateway that a subnet has when nothing is said: the first address (of IPv6: the network's own). */
export const defaultGateway = (cidr: Cidr): string => formatIp(cidr.version, cidr.version === 6 ? cidr.first : cidr.first + 1n);

/** All of a subnet but its network and broadcast addresses and its gateway (ipam/utils.py generate_pools). */
export function defaultPools(cidr: Cidr, gatewayIp: string | null): IpRange[] {
  const { version } = cidr;
  if (cidr.first === cidr.last) return [{ version, first: cidr.first, last: cidr.last }];
  const narrow = version === 4 && cidr.prefixLength > 30;
  const whole: IpRange = { version, first: narrow ? cidr.first : cidr.first + 1n, last: narrow || version === 6 ? cidr.last : cidr.last - 1n };
  if (gatewayIp === null) return [whole];
  const gateway = mustIp(gatewayIp).value;
  return subtractRanges([whole], [{ version, first: gateway, last: gateway }]);
}

/** Reads pools as given. */
export function toRanges(pools: readonly { readonly start: string; readonly end: string }[]): IpRange[] {
  return pools.map((pool) => {
    const [start, end] = [mustIp(pool.start), mustIp(pool.end)];
    if (start.version !== end.version || start.value > end.value) throw invalidAllocationPool(pyRepr({ start: pool.start, end: pool.end }));
    return { version: start.version, first: start.value, last: end.value };
  });
}

export const poolTexts = (ranges: readonly IpRange[]): { start: string; end: string }[] =>
  ranges.map((range) => ({ start: formatIp(range.version, range.first), end: formatIp(range.version, range.last) }));

/** Pools must lie within the subnet's host addresses and not overlap. */
export function checkPools(ranges: readonly IpRange[], cidrText: string): void {
  const cidr = mustCidr(cidrText);
  const edges = cidr.version === 4 && cidr.prefixLength <= 30 ? 1n : 0n;
  const first = cidr.version === 6 ? cidr.first + 1n : cidr.first + edges;
  const last = cidr.last - edges;
  for (const range of ranges) {
    if (range.version !== cidr.version) throw invalidAllocationPool(rangeText(range));
    if (range.first < first || range.last > last) throw outOfBoundsPool(rangeText(range), cidrText);
  }
  for (const [i, a] of ranges.entries()) {
    for (const b of ranges.slice(i + 1)) if (a.first <= b.last && b.first <= a.last) throw overlappingPools(rangeText(a), rangeText(b), cidrText);
  }
}

export function requireGatewayOutside(gatewayIp: string, ranges: readonly IpRange[]): void {
  const { version, value } = mustIp(gatewayIp);
  const hit = ranges.find((range) => range.version === version && range.first <= value && value <= range.last);
  if (hit) throw gatewayConflictsWithPool(gatewayIp, rangeText(hit));
}
