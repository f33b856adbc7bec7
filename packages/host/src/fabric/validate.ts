import { CairnError, invalidInput } from '@cairn/kit/errors/errors';
import type { FabricObject, NetworkSpec, PortSpec, QosSpec, RouterSpec, SecurityGroupSpec, SubnetSpec } from '../interface/fabric.ts';
import { canonicalMac, parseCidr, parseIp } from './plan/address.ts';
import { protocolNumber } from './plan/security-group.ts';

/**
 * Checks everything that will be part of a command, a rule or a config file. The services above have checked for their users
 * already; this is the last gate, so it is strict: what passes here can be written anywhere without quoting.
 * Throws InvalidInput naming object and field.
 */
export function validate(object: FabricObject): void {
  try {
    if (typeof object !== 'object' || object === null) throw new Flaw('object', 'is no object');
    id(object.id, 'id');
    if (object.kind === 'network') network(object);
    else if (object.kind === 'port') port(object);
    else if (object.kind === 'router') router(object);
    else if (object.kind === 'securityGroup') securityGroup(object);
    else throw new Flaw('kind', 'is unknown');
  } catch (error) {
    if (error instanceof CairnError) throw error;
    if (error instanceof Flaw || error instanceof TypeError) {
      const field = error instanceof Flaw ? error.field : 'object';
      throw invalidInput(
        `The ${String(object?.kind)} ${JSON.stringify(String(object?.id)).slice(0, 80)} cannot be built on this host: ${field} ${error instanceof Flaw ? error.message : 'is malformed'}.`,
        { field, cause: error },
      );
    }
    throw error;
  }
}

class Flaw extends Error {
  readonly field: string;
  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

function need(ok: boolean, field: string, message: string): asserts ok {
  if (!ok) throw new Flaw(field, message);
}

const id = (text: string, field: string): void =>
  need(typeof text === 'string' && /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/.test(text), field, 'is not an id of letters, digits and hyphens');
const mac = (text: string, field: string): void => need(typeof text === 'string' && canonicalMac(text) !== undefined, field, 'is not a MAC address');
const whole = (value: number, from: number, to: number, field: string): void =>
  need(Number.isInteger(value) && value >= from && value <= to, field, `is not a whole number from ${from} to ${to}`);
const flag = (value: boolean, field: string): void => need(typeof value === 'boolean', field, 'is neither true nor false');

function ip(text: string, field: string, version?: 4 | 6): void {
  const parsed = typeof text === 'string' ? parseIp(text) : undefined;
  need(
    parsed !== undefined && (version === undefined || parsed.version === version),
    field,
    `is not an IP${version === undefined ? '' : `v${version}`} address`,
  );
}

function cidr(text: string, field: string, version?: 4 | 6): void {
  const parsed = typeof text === 'string' ? parseCidr(text) : undefined;
  need(
    parsed !== undefined && (version === undefined || parsed.version === version),
    field,
    `is not an IP${version === undefined ? '' : `v${version}`} network`,
  );
}

const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const DOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*\\.?$`);
const domain = (text: string, field: string): void => need(typeof text === 'string' && text.length <= 255 && DOMAIN.test(text), field, 'is not a domain name');

function network(spec: NetworkSpec): void {
  // 68 is the least that IPv4 allows (RFC 791).
  whole(spec.mtu, 68, 65535, 'mtu');
  if (spec.dnsDomain !== undefined) domain(spec.dnsDomain, 'dnsDomain');
  need(['flat', 'vlan', 'vxlan', 'geneve', 'local'].includes(spec.segment.type), 'segment.type', 'is unknown');
  if (spec.segment.type === 'vlan' && spec.segment.id !== undefined) whole(spec.segment.id, 1, 4094, 'segment.id');
  if (spec.tunnel !== undefined) {
    whole(spec.tunnel.vni, 1, 0xffffff, 'tunnel.vni');
    whole(spec.tunnel.udpPort, 1, 65535, 'tunnel.udpPort');
    spec.tunnel.peers.forEach((peer, i) => ip(peer, `tunnel.peers[${i}]`));
  }
  spec.subnets.forEach((subnet, i) => subnetOf(subnet, `subnets[${i}]`));
}

function subnetOf(spec: SubnetSpec, at: string): void {
  id(spec.id, `${at}.id`);
  need(spec.ipVersion === 4 || spec.ipVersion === 6, `${at}.ipVersion`, 'is neither 4 nor 6');
  cidr(spec.cidr, `${at}.cidr`, spec.ipVersion);
  if (spec.gatewayIp !== undefined) ip(spec.gatewayIp, `${at}.gatewayIp`, spec.ipVersion);
  for (const server of spec.dnsServers) ip(server, `${at}.dnsServers`, spec.ipVersion);
  for (const route of spec.hostRoutes) {
    cidr(route.destination, `${at}.hostRoutes.destination`, spec.ipVersion);
    ip(route.nexthop, `${at}.hostRoutes.nexthop`, spec.ipVersion);
  }
  if (spec.dhcp) {
    ip(spec.dhcp.ip, `${at}.dhcp.ip`, spec.ipVersion);
    mac(spec.dhcp.mac, `${at}.dhcp.mac`);
  }
  if (spec.ipv6AddressMode !== undefined)
    need(['slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'].includes(spec.ipv6AddressMode), `${at}.ipv6AddressMode`, 'is unknown');
}

function port(spec: PortSpec): void {
  id(spec.networkId, 'networkId');
  mac(spec.mac, 'mac');
  flag(spec.adminUp, 'adminUp');
  flag(spec.portSecurity, 'portSecurity');
  for (const fixed of spec.fixedIps) {
    id(fixed.subnetId, 'fixedIps.subnetId');
    ip(fixed.ip, 'fixedIps.ip');
  }
  const tap = (name: string, field: string): void => need(/^tap[A-Za-z0-9][A-Za-z0-9-]{0,11}$/.test(name), field, "is not a tap's name");
  if (spec.attachment.kind === 'guest') tap(spec.attachment.tap, 'attachment.tap');
  else if (spec.attachment.kind === 'subport') {
    tap(spec.attachment.tap, 'attachment.tap');
    tap(spec.attachment.parentTap, 'attachment.parentTap');
    need(spec.attachment.tap !== spec.attachment.parentTap, 'attachment.parentTap', 'is the tap itself');
    whole(spec.attachment.vlan, 1, 4094, 'attachment.vlan');
  } else need(spec.attachment.kind === 'none', 'attachment.kind', 'is unknown');
  if (spec.hostname !== undefined) domain(spec.hostname, 'hostname');
  for (const option of spec.extraDhcpOptions) {
    need(
      /^(?:tag:!?[A-Za-z0-9_-]{1,64},)*[A-Za-z0-9][A-Za-z0-9-]{0,63}$/.test(option.name),
      'extraDhcpOptions.name',
      'is not the name or number of a DHCP option',
    );
    // Printable, and no line break: each option is one line of a file.
    need(/^[\x20-\x7e]{0,255}$/.test(option.value), 'extraDhcpOptions.value', 'has characters other than printable ASCII, or is too long');
    need(option.ipVersion === 4 || option.ipVersion === 6, 'extraDhcpOptions.ipVersion', 'is neither 4 nor 6');
  }
  for (const group of spec.securityGroups) id(group, 'securityGroups');
  for (const pair of spec.allowedAddressPairs) {
    mac(pair.mac, 'allowedAddressPairs.mac');
    cidr(pair.cidr, 'allowedAddressPairs.cidr');
  }
  qos(spec.qos, 'qos');
  for (const local of spec.localIps ?? []) {
    id(local.id, 'localIps.id');
    ip(local.ip, 'localIps.ip', 4);
    ip(local.fixedIp, 'localIps.fixedIp', 4);
  }
  for (const log of spec.logs ?? []) {
    id(log.id, 'logs.id');
    need(typeof log.projectId === 'string' && /^[A-Za-z0-9_.-]{0,255}$/.test(log.projectId), 'logs.projectId', 'is not the id of a project');
    need(['ACCEPT', 'DROP', 'ALL'].includes(log.event), 'logs.event', 'is unknown');
    if (log.groupId !== undefined) id(log.groupId, 'logs.groupId');
  }
}

/** The services' greatest number. */
const MAX_RATE = 2_147_483_647;

function qos(spec: QosSpec | undefined, at: string): void {
  if (spec === undefined) return;
  for (const direction of ['egress', 'ingress'] as const) {
    for (const field of ['kilobitsPerSecond', 'burstKilobits', 'kilopacketsPerSecond', 'burstKilopackets'] as const) {
      const value = spec[direction]?.[field];
      if (value !== undefined) whole(value, 0, MAX_RATE, `${at}.${direction}.${field}`);
    }
  }
  if (spec.dscp !== undefined) whole(spec.dscp, 0, 63, `${at}.dscp`);
}

function router(spec: RouterSpec): void {
  flag(spec.adminUp, 'adminUp');
  const addresses = (list: readonly { readonly ip: string; readonly prefixLength: number; readonly nexthop?: string }[], at: string): void => {
    for (const address of list) {
      ip(address.ip, `${at}.ip`);
      whole(address.prefixLength, 0, address.ip.includes(':') ? 128 : 32, `${at}.prefixLength`);
      if (address.nexthop !== undefined) ip(address.nexthop, `${at}.nexthop`, address.ip.includes(':') ? 6 : 4);
    }
  };
  if (spec.gateway) {
    id(spec.gateway.networkId, 'gateway.networkId');
    mac(spec.gateway.mac, 'gateway.mac');
    flag(spec.gateway.snat, 'gateway.snat');
    addresses(spec.gateway.addresses, 'gateway.addresses');
    qos(spec.gateway.qos, 'gateway.qos');
    for (const near of spec.gateway.onLink ?? []) {
      cidr(near.cidr, 'gateway.onLink.cidr', 4);
      if (near.nexthop !== undefined) ip(near.nexthop, 'gateway.onLink.nexthop', 4);
    }
  }
  if (spec.isPart !== undefined) flag(spec.isPart, 'isPart');
  for (const further of spec.extraGateways ?? []) {
    need(spec.gateway !== undefined, 'extraGateways', 'has no gateway to be beside');
    id(further.portId, 'extraGateways.portId');
    id(further.networkId, 'extraGateways.networkId');
    mac(further.mac, 'extraGateways.mac');
    addresses(further.addresses, 'extraGateways.addresses');
  }
  if (spec.defaultRouteEcmp !== undefined) flag(spec.defaultRouteEcmp, 'defaultRouteEcmp');
  for (const link of spec.interfaces) {
    id(link.portId, 'interfaces.portId');
    id(link.networkId, 'interfaces.networkId');
    mac(link.mac, 'interfaces.mac');
    if (link.sharedMac !== undefined) mac(link.sharedMac, 'interfaces.sharedMac');
    addresses(link.addresses, 'interfaces.addresses');
  }
  for (const route of spec.routes) {
    cidr(route.destination, 'routes.destination');
    ip(route.nexthop, 'routes.nexthop', route.destination.includes(':') ? 6 : 4);
  }
  for (const floating of spec.floatingIps) {
    id(floating.id, 'floatingIps.id');
    ip(floating.floatingIp, 'floatingIps.floatingIp', 4);
    ip(floating.fixedIp, 'floatingIps.fixedIp', 4);
    if (floating.networkId !== undefined) id(floating.networkId, 'floatingIps.networkId');
    qos(floating.qos, 'floatingIps.qos');
  }
  for (const fixedIp of spec.floatingElsewhere ?? []) ip(fixedIp, 'floatingElsewhere', 4);
  for (const forwarding of spec.portForwardings ?? []) {
    id(forwarding.id, 'portForwardings.id');
    ip(forwarding.floatingIp, 'portForwardings.floatingIp', 4);
    ip(forwarding.internalIp, 'portForwardings.internalIp', 4);
    if (forwarding.networkId !== undefined) id(forwarding.networkId, 'portForwardings.networkId');
    need(['tcp', 'udp', 'sctp', 'dccp'].includes(forwarding.protocol), 'portForwardings.protocol', 'is none that has ports');
    for (const field of ['externalFirst', 'externalLast', 'internalFirst', 'internalLast'] as const)
      whole(forwarding[field], 1, 65_535, `portForwardings.${field}`);
    need(forwarding.externalFirst <= forwarding.externalLast, 'portForwardings.externalFirst', 'is greater than externalLast');
  }
  for (const helper of spec.conntrackHelpers ?? []) {
    id(helper.id, 'conntrackHelpers.id');
    need(typeof helper.helper === 'string' && /^[A-Za-z][A-Za-z0-9.-]{0,14}$/.test(helper.helper), 'conntrackHelpers.helper', 'is no name of a helper');
    need(helper.protocol === 'tcp' || helper.protocol === 'udp', 'conntrackHelpers.protocol', 'is neither tcp nor udp');
    whole(helper.port, 1, 65_535, 'conntrackHelpers.port');
  }
  if (spec.ndpProxy) {
    for (const address of spec.ndpProxy.addresses) ip(address, 'ndpProxy.addresses', 6);
    for (const text of spec.ndpProxy.cidrs) cidr(text, 'ndpProxy.cidrs', 6);
  }
  for (const delegation of spec.prefixDelegation ?? []) {
    need(spec.gateway !== undefined, 'prefixDelegation', 'has no gateway to ask by');
    need(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(delegation.subnetId), 'prefixDelegation.subnetId', 'is not a UUID in small letters');
    for (const [name, prefix] of [
      ['prefix', delegation.prefix],
      ['before', delegation.before],
    ] as const) {
      if (prefix === undefined) continue;
      cidr(prefix, `prefixDelegation.${name}`, 6);
      need(prefix.endsWith('/64'), `prefixDelegation.${name}`, 'is not a network of 64 bits');
    }
    if (delegation.validUntilMs !== undefined) whole(delegation.validUntilMs, 0, Number.MAX_SAFE_INTEGER, 'prefixDelegation.validUntilMs');
  }
  for (const meter of spec.meters ?? []) {
    id(meter.id, 'meters.id');
    for (const rule of meter.rules) {
      need(rule.direction === 'ingress' || rule.direction === 'egress', 'meters.direction', 'is neither ingress nor egress');
      flag(rule.excluded, 'meters.excluded');
      if (rule.source !== undefined) cidr(rule.source, 'meters.source', 4);
      if (rule.destination !== undefined) cidr(rule.destination, 'meters.destination', 4);
    }
  }
}

function securityGroup(spec: SecurityGroupSpec): void {
  flag(spec.stateful, 'stateful');
  for (const rule of spec.rules) {
    id(rule.id, 'rules.id');
    need(rule.direction === 'ingress' || rule.direction === 'egress', 'rules.direction', 'is neither ingress nor egress');
    need(rule.ethertype === 'IPv4' || rule.ethertype === 'IPv6', 'rules.ethertype', 'is neither IPv4 nor IPv6');
    if (rule.protocol !== undefined)
      need(protocolNumber(rule.protocol, rule.ethertype) !== undefined, 'rules.protocol', 'is not a known protocol or a number from 0 to 255');
    if (rule.portMin !== undefined) whole(rule.portMin, 0, 65535, 'rules.portMin');
    if (rule.portMax !== undefined) whole(rule.portMax, 0, 65535, 'rules.portMax');
    // In a rule of ICMP they are type and code, which may be in any order.
    const isIcmp = rule.protocol !== undefined && [1, 58].includes(protocolNumber(rule.protocol, rule.ethertype) ?? 0);
    if (isIcmp) need(Math.max(rule.portMin ?? 0, rule.portMax ?? 0) <= 255, 'rules.portMin', 'is not an ICMP type or code from 0 to 255');
    else if (rule.portMin !== undefined && rule.portMax !== undefined) need(rule.portMin <= rule.portMax, 'rules.portMin', 'is greater than portMax');
    if (rule.remoteCidr !== undefined) cidr(rule.remoteCidr, 'rules.remoteCidr', rule.ethertype === 'IPv4' ? 4 : 6);
    if (rule.remoteGroupId !== undefined) id(rule.remoteGroupId, 'rules.remoteGroupId');
    if (rule.remoteAddresses !== undefined) {
      id(rule.remoteAddresses.groupId, 'rules.remoteAddresses.groupId');
      for (const text of rule.remoteAddresses.cidrs) cidr(text, 'rules.remoteAddresses.cidrs', rule.ethertype === 'IPv4' ? 4 : 6);
    }
  }
}
