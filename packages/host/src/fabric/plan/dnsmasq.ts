import type { NetworkSpec, PortSpec, SubnetSpec } from '../../interface/fabric.ts';
import { canonicalIp, canonicalMac, type Cidr, formatIp, METADATA_IP, netmask4, parseCidr } from './address.ts';

/** What one dnsmasq is to be: its arguments, its files, and what it has promised to whom. */
export interface DnsmasqPlan {
  /** Without the paths of its own files, which the process's keeper adds. A change means a new process. */
  readonly args: readonly string[];
  /** Read again on SIGHUP. */
  readonly files: Readonly<Record<'hosts' | 'opts' | 'addn', string>>;
  /** Address -> MAC of the reservations. */
  readonly reservations: ReadonlyMap<string, string>;
}

/** Of upstream's DHCP agent (`dns_domain`, `dhcp_lease_duration`). */
export const DEFAULT_DOMAIN = 'openstacklocal';
const LEASE_SECONDS = 86_400;
const MAX_LEASES = 16_777_216;

export const domainOf = (network: NetworkSpec): string => (network.dnsDomain ?? DEFAULT_DOMAIN).replace(/\.$/, '');

/** Whether clients of the subnet ask this server for something. Addresses of SLAAC are the clients' own making. */
export const isServed = (subnet: SubnetSpec): boolean =>
  subnet.dhcp !== undefined && subnet.ipv6AddressMode !== 'slaac' && (subnet.ipVersion === 4 || (parseCidr(subnet.cidr)?.prefixLength ?? 0) >= 64);

const cidrOf = (subnet: SubnetSpec): Cidr => {
  const cidr = parseCidr(subnet.cidr);
  if (!cidr) throw new Error(`not a network: ${JSON.stringify(subnet.cidr)}`);
  return cidr;
};

/**
 * The DHCP server of a network, by reservations alone, with the options that upstream's agent gives: router, name servers, static
 * routes (121 and Microsoft's 249) with the way to the metadata service, MTU, domain, and each port's own. Undefined where no subnet has DHCP.
 */
export function planDhcpServer(network: NetworkSpec, ports: Iterable<PortSpec>, link: string): DnsmasqPlan | undefined {
  // Sorted, so that the order in which a database gives subnets and ports changes nothing.
  const subnets = network.subnets.filter(isServed).toSorted(byIdOf);
  if (subnets.length === 0) return undefined;
  const ranges = subnets.map((subnet) => {
    const cidr = cidrOf(subnet);
    const size = cidr.version === 4 ? netmask4(cidr.prefixLength) : String(cidr.prefixLength);
    return `--dhcp-range=set:subnet-${subnet.id},${formatIp(cidr)},static,${size},${LEASE_SECONDS}s`;
  });
  const leases = subnets.reduce((sum, subnet) => sum + 2 ** Math.min(24, (subnet.ipVersion === 4 ? 32 : 128) - cidrOf(subnet).prefixLength), 0);
  const args = [
    ...COMMON,
    `--interface=${link}`,
    '--dhcp-authoritative',
    '--dhcp-match=set:ipxe,175',
    '--dhcp-userclass=set:ipxe6,iPXE',
    ...ranges,
    `--dhcp-option-force=option:mtu,${network.mtu}`,
    `--dhcp-lease-max=${Math.min(MAX_LEASES, leases)}`,
    `--domain=${domainOf(network)}`,
  ];
  const hosts: string[] = [];
  const addn: string[] = [];
  const opts = subnets.flatMap((subnet) => subnetOptions(network, subnet));
  const reservations = new Map<string, string>();
  const byId = new Map(network.subnets.map((subnet) => [subnet.id, subnet]));
  for (const port of [...ports].toSorted(byIdOf)) {
    const lines = linesOf(port, network, byId);
    hosts.push(...lines.hosts);
    addn.push(...lines.addn);
    opts.push(...lines.opts);
    for (const [ip, mac] of lines.reservations) reservations.set(ip, mac);
  }
  return { args, files: { hosts: text(hosts), opts: text(opts), addn: text(addn) }, reservations };
}

const byIdOf = (a: { readonly id: string }, b: { readonly id: string }): number => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

const text = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

const COMMON = [
  '--conf-file=/dev/null',
  '--no-hosts',
  '--no-resolv',
  '--bind-dynamic',
  '--except-interface=lo',
  // Reservations are the truth, so leases need no file, and no address is tried out before it is given.
  '--leasefile-ro',
  '--no-ping',
  '--quiet-dhcp',
  '--quiet-dhcp6',
  '--quiet-ra',
];

const literal = (ip: string): string => (ip.includes(':') ? `[${canonicalIp(ip)}]` : canonicalIp(ip));

function option(version: 4 | 6, tag: string, name: string, ...values: readonly string[]): string {
  const [, tags = '', bare = name] = /^((?:tag:[^,]+,)*)(.*)$/.exec(name) ?? [];
  const prefix = version === 6 ? 'option6:' : /^\d+$/.test(bare) ? '' : 'option:';
  return [`tag:${tag}`, ...(tags ? [tags.slice(0, -1)] : []), `${prefix}${bare}`, ...values].join(',');
}

/**
 * What a guest of an IPv4 subnet is told about ways: its router, and `NETWORK/LENGTH,NEXTHOP` for all else, where 0.0.0.0 as next hop is the
 * wire itself.
 */
export function guestRoutes(network: NetworkSpec, subnet: SubnetSpec): { readonly gateway: string | undefined; readonly routes: string[] } {
  let gateway = subnet.gatewayIp === undefined ? undefined : canonicalIp(subnet.gatewayIp);
  const routes: string[] = [];
  for (const { destination, nexthop } of subnet.hostRoutes) {
    const cidr = parseCidr(destination);
    if (!cidr) continue;
    if (cidr.prefixLength === 0) gateway ??= canonicalIp(nexthop);
    else routes.push(`${formatIp(cidr)}/${cidr.prefixLength},${canonicalIp(nexthop)}`);
  }
  const metadataBy = subnet.isolated ? subnet.dhcp && canonicalIp(subnet.dhcp.ip) : gateway;
  if (metadataBy !== undefined) routes.push(`${METADATA_IP}/32,${metadataBy}`);
  // Other subnets of the same network are on the same wire.
  for (const other of [...network.subnets].toSorted(byIdOf))
    if (other.ipVersion === 4 && other.id !== subnet.id) routes.unshift(`${formatIp(cidrOf(other))}/${cidrOf(other).prefixLength},0.0.0.0`);
  return { gateway, routes };
}

function subnetOptions(network: NetworkSpec, subnet: SubnetSpec): readonly string[] {
  const tag = `subnet-${subnet.id}`;
  const version = subnet.ipVersion;
  const out: string[] = [];
  // The unspecified address as only name server means: announce none. Without name servers dnsmasq announces itself.
  const silent = subnet.dnsServers.length === 1 && ['0.0.0.0', '::'].includes(canonicalIp(subnet.dnsServers[0] ?? ''));
  if (subnet.dnsServers.length) out.push(option(version, tag, 'dns-server', ...(silent ? [] : subnet.dnsServers.map(literal))));
  if (version === 6) return [...out, option(6, tag, 'domain-search', domainOf(network))];

  const { gateway, routes } = guestRoutes(network, subnet);
  if (routes.length) {
    // Clients that take option 121 ignore option 3, so the default route is there as well.
    if (gateway !== undefined) routes.push(`0.0.0.0/0,${gateway}`);
    out.push(option(4, tag, 'classless-static-route', ...routes), option(4, tag, '249', ...routes));
  }
  out.push(gateway === undefined ? option(4, tag, 'router') : option(4, tag, 'router', gateway));
  return out;
}

interface PortLines {
  readonly hosts: readonly string[];
  readonly addn: readonly string[];
  readonly opts: readonly string[];
  readonly reservations: readonly (readonly [string, string])[];
}

const memo = new WeakMap<PortSpec, { readonly network: NetworkSpec; readonly lines: PortLines }>();

function linesOf(port: PortSpec, network: NetworkSpec, subnets: ReadonlyMap<string, SubnetSpec>): PortLines {
  let known = memo.get(port);
  if (known?.network !== network) memo.set(port, (known = { network, lines: portLines(port, subnets, domainOf(network)) }));
  return known.lines;
}

const CLIENT_ID_OPTIONS = new Set(['client-id', '61']);

function portLines(port: PortSpec, subnets: ReadonlyMap<string, SubnetSpec>, domain: string): PortLines {
  const hosts: string[] = [];
  const addn: string[] = [];
  const reservations: [string, string][] = [];
  const mac = canonicalMac(port.mac) ?? port.mac;
  const clientId = port.extraDhcpOptions.find(({ name }) => CLIENT_ID_OPTIONS.has(name))?.value;
  const own = port.extraDhcpOptions.filter(({ name }) => !CLIENT_ID_OPTIONS.has(name));
  const versions = new Set<4 | 6>();
  for (const fixed of port.fixedIps) {
    const subnet = subnets.get(fixed.subnetId);
    if (!subnet) continue;
    const ip = canonicalIp(fixed.ip);
    versions.add(subnet.ipVersion);
    const label = port.hostname === undefined ? `host-${ip.replaceAll(/[.:]/g, '-')}` : (port.hostname.split('.')[0] ?? '');
    addn.push(`${ip}\t${label}.${domain} ${label}`);
    const tag = own.length ? [`set:port-${port.id}`] : [];
    if (!isServed(subnet)) continue;
    // A stateless client makes its own address and asks for the rest.
    if (subnet.ipv6AddressMode === 'dhcpv6-stateless') {
      if (tag.length) hosts.push([mac, 'tag:dhcpv6', ...tag].join(','));
      continue;
    }
    const id = clientId !== undefined && /^[A-Za-z0-9:*._-]+$/.test(clientId) ? [`id:${clientId}`] : [];
    hosts.push([mac, ...(subnet.ipVersion === 6 ? ['tag:dhcpv6'] : []), ...id, `${label}.${domain}`, literal(ip), ...tag].join(','));
    reservations.push([ip, mac]);
  }
  // As upstream, an option is for clients of its IP version only.
  const opts = own.filter(({ ipVersion }) => versions.has(ipVersion)).map(({ name, value, ipVersion }) => option(ipVersion, `port-${port.id}`, name, value));
  return { hosts, addn, opts, reservations };
}

/** A subnet that a router is on. `replaced`: prefixes that its guests are not to use any longer. */
export interface AdvertisedSubnet {
  readonly link: string;
  readonly subnet: SubnetSpec;
  readonly replaced?: readonly Cidr[];
}

/** Router advertisements of a router, for its interfaces with IPv6 subnets that have an address mode. Undefined when there is none. */
export function planAdvertiser(links: readonly AdvertisedSubnet[]): DnsmasqPlan | undefined {
  const served = links.filter(({ subnet }) => subnet.ipVersion === 6 && subnet.ipv6AddressMode !== undefined).toSorted((a, b) => byIdOf(a.subnet, b.subnet));
  if (served.length === 0) return undefined;
  const modes = { slaac: 'ra-only', 'dhcpv6-stateless': 'ra-stateless', 'dhcpv6-stateful': 'static' } as const;
  const args = [...COMMON, '--port=0', '--enable-ra'];
  for (const link of new Set(served.map(({ link }) => link))) args.push(`--interface=${link}`);
  const opts: string[] = [];
  for (const { subnet, replaced = [] } of served) {
    const cidr = cidrOf(subnet);
    args.push(`--dhcp-range=set:subnet-${subnet.id},${formatIp(cidr)},${modes[subnet.ipv6AddressMode ?? 'slaac']},${cidr.prefixLength}`);
    // how long it is valid is what the link's address says
    for (const before of replaced) args.push(`--dhcp-range=${formatIp(before)},ra-only,64,deprecated`);
    if (subnet.dnsServers.length) opts.push(option(6, `subnet-${subnet.id}`, 'dns-server', ...subnet.dnsServers.map(literal)));
  }
  return { args, files: { hosts: '', opts: text(opts), addn: '' }, reservations: new Map() };
}
