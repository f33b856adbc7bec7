import {
  type FabricObject,
  type NetworkSpec,
  type PortSpec,
  type PrefixDelegationSpec,
  type RouterSpec,
  type SecurityGroupRuleSpec,
  type SecurityGroupSpec,
  type SubnetSpec,
  tapName,
} from '@cairn/host/interface/fabric';
import { fromJson } from '@cairn/kit/store/values';
import { isDelegated, isPlaceholder, isProvisional } from '../net/delegated.ts';
import { mustCidr } from '../net/cidr.ts';
import { ipVersionOf } from '../net/ip.ts';
import { effectivePolicy, gatewayPolicy } from '../store/qos.ts';
import type { RouterParts } from './router-parts.ts';
import { type QosByPolicy, qosOf } from './qos.ts';
import type {
  FloatingIpRow,
  IpAllocationRow,
  PortForwardingRow,
  NetworkRow,
  PortRow,
  RouterRow,
  SecurityGroupRow,
  SecurityGroupRuleRow,
  SubportRow,
  SubnetRow,
} from '../store/tables.ts';
import type { DelegatedPrefixRow } from '../store/tables-data-plane.ts';

/** The pure part: rows in, what a host must have out. One function per kind of object; nothing here reads or waits. */

/** What a network's object is made of. */
export interface NetworkRows {
  readonly network: NetworkRow;
  readonly subnets: readonly SubnetRow[];
  /** The DHCP port that is served by, and the addresses of all. */
  readonly dhcpPort: PortRow | undefined;
  readonly dhcpAddresses: readonly IpAllocationRow[];
  /** Subnets that a router is on. */
  readonly routedSubnetIds: ReadonlySet<string>;
}

export function networkObject(rows: NetworkRows): FabricObject {
  const { network } = rows;
  const spec: NetworkSpec = {
    id: network.id,
    mtu: network.mtu,
    segment: segmentSpec(network),
    ...(network.dns_domain !== '' && { dnsDomain: network.dns_domain }),
    subnets: rows.subnets.filter((subnet) => !isProvisional(subnet)).map((subnet) => subnetSpec(subnet, rows)),
  };
  return { kind: 'network', ...spec };
}

/** What carries a network, or a segment of it. One that lost its segments ends at its host. */
export const segmentSpec = (row: Pick<NetworkRow, 'network_type' | 'physical_network' | 'segmentation_id'>): NetworkSpec['segment'] => ({
  type: (row.network_type || 'local') as NetworkSpec['segment']['type'],
  ...(row.segmentation_id !== 0 && { id: row.segmentation_id }),
  ...(row.physical_network !== '' && { physicalNetwork: row.physical_network }),
});

function subnetSpec(subnet: SubnetRow, rows: NetworkRows): SubnetSpec {
  const dhcpIp = rows.dhcpAddresses.find((address) => address.subnet_id === subnet.id && address.port_id === rows.dhcpPort?.id)?.ip_address;
  return {
    id: subnet.id,
    cidr: subnet.cidr,
    ipVersion: subnet.ip_version as 4 | 6,
    ...(subnet.gateway_ip !== null && { gatewayIp: subnet.gateway_ip }),
    dnsServers: fromJson(subnet.dns_nameservers_json),
    hostRoutes: fromJson(subnet.host_routes_json),
    ...(subnet.enable_dhcp === 1 &&
      rows.network.admin_state_up === 1 &&
      rows.network.dhcp_away === 0 &&
      rows.dhcpPort &&
      dhcpIp !== undefined && { dhcp: { ip: dhcpIp, mac: rows.dhcpPort.mac_address } }),
    ...(subnet.ipv6_address_mode !== null && { ipv6AddressMode: subnet.ipv6_address_mode as NonNullable<SubnetSpec['ipv6AddressMode']> }),
    isolated: !rows.routedSubnetIds.has(subnet.id),
  };
}

const NO_QOS: QosByPolicy = new Map();

/** A port as one host sees it: a guest's tap where the guest runs there, else just addresses that others may ask about. */
export function portObject(
  port: PortRow,
  addresses: readonly IpAllocationRow[],
  groupIds: readonly string[],
  host: string,
  qos: QosByPolicy = NO_QOS,
  subport?: SubportRow,
): FabricObject {
  const isHere = port.binding_host === host || port.coming_host === host;
  const isPlugged = isHere && port.binding_vif_type === 'tap';
  const guest = isPlugged && port.device_owner.startsWith('compute:');
  const spec: PortSpec = {
    id: port.id,
    networkId: port.network_id,
    mac: port.mac_address,
    adminUp: port.admin_state_up === 1,
    fixedIps: addresses.flatMap(({ subnet_id: subnetId, ip_address: ip }) => (isPlaceholder(ip) ? [] : [{ subnetId, ip }])),
    attachment: subport && isPlugged ? subportAttachment(port.id, subport) : guest ? { kind: 'guest', tap: tapName(port.id) } : { kind: 'none' },
    ...(port.dns_name !== '' && { hostname: port.dns_name }),
    extraDhcpOptions: fromJson<{ opt_name: string; opt_value: string; ip_version: 4 | 6 }[]>(port.extra_dhcp_opts_json).map((option) => ({
      name: option.opt_name,
      value: option.opt_value,
      ipVersion: option.ip_version,
    })),
    portSecurity: port.port_security_enabled === 1,
    securityGroups: groupIds,
    allowedAddressPairs: fromJson<{ mac_address: string; ip_address: string }[]>(port.allowed_address_pairs_json).map((pair) => ({
      mac: pair.mac_address,
      cidr: pair.ip_address.includes('/') ? pair.ip_address : `${pair.ip_address}/${ipVersionOf(pair.ip_address) === 4 ? 32 : 128}`,
    })),
    ...qosOf(qos, effectivePolicy(port)),
    ...(port.binding_host === '' && { isUnbound: true }),
  };
  return { kind: 'port', ...spec };
}

/** A sub-port comes by a VLAN of its parent's tap. */
const subportAttachment = (portId: string, subport: SubportRow): PortSpec['attachment'] => ({
  kind: 'subport',
  tap: tapName(portId),
  parentTap: tapName(subport.parent_port_id),
  vlan: subport.segmentation_id,
});

/** What a router's object is made of. */
export interface RouterRows {
  readonly router: RouterRow;
  readonly ports: readonly PortRow[];
  readonly addresses: readonly IpAllocationRow[];
  /** The subnets of those addresses. */
  readonly subnets: ReadonlyMap<string, SubnetRow>;
  readonly floatingIps: readonly FloatingIpRow[];
  readonly qos: QosByPolicy;
  readonly forwardings: readonly PortForwardingRow[];
  readonly parts: RouterParts;
  /** By subnet. */
  readonly delegations: ReadonlyMap<string, DelegatedPrefixRow>;
}

export function routerObject(rows: RouterRows): FabricObject {
  const { router } = rows;
  const addressesOf = (port: PortRow) =>
    rows.addresses
      .filter((address) => address.port_id === port.id)
      .flatMap((address) => {
        const subnet = rows.subnets.get(address.subnet_id);
        return subnet && !isProvisional(subnet) ? [{ address, subnet }] : [];
      });
  const gateway = rows.ports.find((port) => port.id === router.gw_port_id);
  const further = gateway ? rows.ports.filter((port) => port.device_owner === GATEWAY_OWNER && port !== gateway) : [];
  const waysOf = (port: PortRow) =>
    addressesOf(port).map(({ address, subnet }) => ({
      ip: address.ip_address,
      prefixLength: mustCidr(subnet.cidr).prefixLength,
      ...(subnet.gateway_ip !== null && { nexthop: subnet.gateway_ip }),
    }));
  const spec: RouterSpec = {
    id: router.id,
    adminUp: router.admin_state_up === 1,
    ...(gateway && {
      gateway: {
        networkId: gateway.network_id,
        mac: gateway.mac_address,
        addresses: waysOf(gateway),
        snat: router.enable_snat === 1,
        ...qosOf(rows.qos, gatewayPolicy(router, gateway)),
      },
    }),
    ...(further.length > 0 && {
      extraGateways: further.map((port) => ({ portId: port.id, networkId: port.network_id, mac: port.mac_address, addresses: waysOf(port) })),
      ...(router.default_route_ecmp === 1 && { defaultRouteEcmp: true }),
    }),
    interfaces: rows.ports
      .filter((port) => port.device_owner !== GATEWAY_OWNER)
      .map((port) => ({
        portId: port.id,
        networkId: port.network_id,
        mac: port.mac_address,
        addresses: addressesOf(port).map(({ address, subnet }) => ({ ip: address.ip_address, prefixLength: mustCidr(subnet.cidr).prefixLength })),
      })),
    routes: fromJson(router.routes_json),
    floatingIps: rows.floatingIps.flatMap((row) =>
      row.fixed_ip_address === null
        ? []
        : [
            {
              id: row.id,
              floatingIp: row.floating_ip_address,
              fixedIp: row.fixed_ip_address,
              ...homeOf(row, router),
              ...qosOf(rows.qos, effectivePolicy(row)),
            },
          ],
    ),
  };
  const prefixDelegation = gateway ? delegationSpecs(rows) : [];
  return {
    kind: 'router',
    ...spec,
    ...(prefixDelegation.length > 0 && { prefixDelegation }),
    ...(rows.forwardings.length > 0 && { portForwardings: forwardingSpecs(rows) }),
    ...rows.parts,
  };
}

/** The subnets for which the router asks the provider: those whose gateway it is, and those for which it has been given something. */
function delegationSpecs(rows: RouterRows): PrefixDelegationSpec[] {
  const isHeld = (subnetId: string): boolean => rows.delegations.get(subnetId)?.router_id === rows.router.id;
  const own = new Set(rows.ports.flatMap((port) => (port.device_owner === GATEWAY_OWNER ? [] : [port.id])));
  const ids = rows.addresses.flatMap((address) => {
    const subnet = own.has(address.port_id) ? rows.subnets.get(address.subnet_id) : undefined;
    return subnet && isDelegated(subnet) && (subnet.gateway_ip === address.ip_address || isHeld(subnet.id)) ? [subnet.id] : [];
  });
  return [...new Set(ids)].toSorted().map((subnetId) => {
    const known = rows.delegations.get(subnetId);
    if (!known || !isHeld(subnetId)) return { subnetId };
    const before = known.before_prefix === '' ? {} : { before: known.before_prefix };
    return { subnetId, prefix: known.prefix, validUntilMs: Number(known.valid_until_ms), ...before };
  });
}

const GATEWAY_OWNER = 'network:router_gateway';

/** The network of a floating address, where that is not the first gateway's. */
const homeOf = (row: FloatingIpRow | undefined, router: RouterRow): { networkId?: string } =>
  row && row.floating_network_id !== router.gw_network_id ? { networkId: row.floating_network_id } : {};

function forwardingSpecs(rows: RouterRows): NonNullable<RouterSpec['portForwardings']> {
  const floatingOf = new Map(rows.floatingIps.map((row) => [row.id, row]));
  return rows.forwardings.flatMap((row) => {
    const floating = floatingOf.get(row.floatingip_id);
    const floatingIp = floating?.floating_ip_address;
    const protocol = FORWARDED.find((known) => known === row.protocol);
    if (floatingIp === undefined || protocol === undefined) return [];
    const { external_first: externalFirst, external_last: externalLast, internal_first: internalFirst, internal_last: internalLast } = row;
    return [
      {
        id: row.id,
        floatingIp,
        ...homeOf(floating, rows.router),
        protocol,
        externalFirst,
        externalLast,
        internalIp: row.internal_ip_address,
        internalFirst,
        internalLast,
      },
    ];
  });
}

/** Protocols that have ports; a forwarding of another one is kept and does nothing. */
const FORWARDED = ['tcp', 'udp', 'sctp', 'dccp'] as const;

/** `addresses`: of each address group that a rule names. */
export function securityGroupObject(
  group: SecurityGroupRow,
  rules: readonly SecurityGroupRuleRow[],
  addresses: ReadonlyMap<string, readonly string[]>,
): FabricObject {
  const spec: SecurityGroupSpec = { id: group.id, stateful: group.stateful === 1, rules: rules.flatMap((rule) => ruleSpecs(rule, addresses)) };
  return { kind: 'securityGroup', ...spec };
}

/** A rule for an address group has the group's addresses of the rule's IP version. */
function ruleSpecs(rule: SecurityGroupRuleRow, addresses: ReadonlyMap<string, readonly string[]>): SecurityGroupRuleSpec[] {
  const spec = ruleSpec(rule);
  if (rule.remote_address_group_id === null) return [spec];
  const fitting = (addresses.get(rule.remote_address_group_id) ?? []).filter((address) => `IPv${mustCidr(address).version}` === rule.ethertype);
  return [{ ...spec, remoteAddresses: { groupId: rule.remote_address_group_id, cidrs: fitting } }];
}

function ruleSpec(rule: SecurityGroupRuleRow): SecurityGroupRuleSpec {
  return {
    id: rule.id,
    direction: rule.direction as 'ingress' | 'egress',
    ethertype: rule.ethertype as 'IPv4' | 'IPv6',
    ...(rule.protocol !== null && { protocol: rule.protocol }),
    ...(rule.port_range_min !== null && { portMin: rule.port_range_min }),
    ...(rule.port_range_max !== null && { portMax: rule.port_range_max }),
    ...(rule.remote_ip_prefix !== null && { remoteCidr: rule.remote_ip_prefix }),
    ...(rule.remote_group_id !== null && { remoteGroupId: rule.remote_group_id }),
  };
}
