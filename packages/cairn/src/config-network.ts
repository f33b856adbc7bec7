import { createHash } from 'node:crypto';
import type { PhysicalNetwork } from '@cairn/host/fabric/plan/switch';
import type { NeutronOptions } from '@cairn/neutron/options';
import Type, { type Static } from 'typebox';

const closed = { additionalProperties: false };
const option = <T extends object>(rest: T, description: string) => ({ ...rest, description });
const link = (description: string) => Type.Optional(Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_.-]{0,14}$', description }));

const WIRE = {
  interface: link("A network card of the host's, which becomes the cloud's alone"),
  bridge: link("A bridge of the host's, which the cloud's networks become a part of"),
};

const PhysicalNetworkSchema = Type.Object(
  {
    ...WIRE,
    vlans: Type.Optional(
      Type.Object(
        { first: Type.Integer({ minimum: 1, maximum: 4094 }), last: Type.Integer({ minimum: 1, maximum: 4094 }) },
        { ...closed, description: 'VLANs that networks get without asking for one (`network_vlan_ranges`)' },
      ),
    ),
    hosts: Type.Optional(
      Type.Record(Type.String({ minLength: 1 }), Type.Object(WIRE, closed), { description: 'The hosts that have it, when not all do, each by its own' }),
    ),
  },
  closed,
);

/** What an operator says about networks. */
export const NetworkSchema = Type.Object(
  {
    publicCidr: Type.String(option({ default: '172.24.4.0/24', format: 'cidr' }, 'The public network: floating IPs come from here')),
    publicGateway: Type.String(option({ default: '172.24.4.1', format: 'ipv4' }, "This machine's address in the public network")),
    poolStart: Type.String(option({ default: '' }, 'First floating address; the first after the gateway when empty')),
    poolEnd: Type.String(option({ default: '' }, 'Last floating address; the last of the network when empty')),
    subnetPool: Type.String(
      option(
        { default: '10.192.0.0/10', pattern: '^([0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2})?$' },
        'What a new cloud gives networks that are made without being described (`networks: auto`), as the default subnet pool; none when empty',
      ),
    ),
    physicalNetworks: Type.Record(
      Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$' }),
      PhysicalNetworkSchema,
      option(
        { default: {} },
        "Networks of the hosts' surroundings, by the name that provider networks know them by (`bridge_mappings`): interface or bridge, vlans, hosts; see networking.md",
      ),
    ),
    tenantNetworkType: Type.Enum(
      ['geneve', 'vxlan', 'vlan', 'local'],
      option({ default: 'geneve' }, 'How networks of users are carried (`tenant_network_types`)'),
    ),
    bandwidths: Type.Record(
      Type.String({ maxLength: 64 }),
      Type.Object({ egressKbps: Type.Integer({ minimum: 0 }), ingressKbps: Type.Integer({ minimum: 0 }) }, closed),
      option(
        { default: {} },
        "What each host's cards carry, by physical network: egressKbps, ingressKbps; the name '' is for networks in tunnels. Ports with a minimum bandwidth are placed by it (`resource_provider_bandwidths`); in the file alone",
      ),
    ),
    packetRates: Type.Object(
      {
        any: Type.Integer(option({ default: 0, minimum: 0 }, 'Thousands of packets per second that each host forwards; 0 where they are not reckoned with')),
        egress: Type.Integer(option({ default: 0, minimum: 0 }, 'The same of what guests send, for hosts that tell directions apart')),
        ingress: Type.Integer(option({ default: 0, minimum: 0 }, 'The same of what guests receive')),
      },
      closed,
    ),
    availabilityZones: Type.Record(
      Type.String({ minLength: 1, maxLength: 255 }),
      Type.Array(Type.String({ minLength: 1 })),
      option(
        { default: {} },
        'Zones of routers and DHCP beside `nova`, each with its hosts; who asks for one (`availability_zone_hints`) gets a host of it; in the file alone',
      ),
    ),
    dhcpAgentsPerNetwork: Type.Integer(
      option({ default: 1, minimum: 1, maximum: 16 }, 'On how many hosts the DHCP of each new network is (`dhcp_agents_per_network`)'),
    ),
    l3AgentsPerRouter: Type.Integer(
      option(
        { default: 3, minimum: 0, maximum: 16 },
        'On how many hosts a highly available router is: it works on one, the others stand by; 0 for all (`max_l3_agents_per_router`)',
      ),
    ),
    ipv6PrefixDelegation: Type.Boolean(
      option({ default: false }, 'Do IPv6 subnets that ask for the default pool get a prefix that the provider delegates (`ipv6_pd_enabled`)'),
    ),
  },
  closed,
);

export type NetworkConfig = Static<typeof NetworkSchema>;

type Wire = Pick<NetworkConfig['physicalNetworks'][string], 'interface' | 'bridge'>;

/** How a host has a physical network: undefined where it does not, and without a name of anything where it is on the host alone. */
function wireOf(network: NetworkConfig['physicalNetworks'][string], host: string): Wire | undefined {
  if (network.hosts === undefined) return network;
  const own = network.hosts[host];
  return own === undefined || isWire(own) ? own : network;
}

const isWire = (wire: Wire): boolean => wire.interface !== undefined || wire.bridge !== undefined;

/** The physical networks of a host in the kernel's terms. `instance` is unique among the hosts of this machine. */
export function physicalLinks(config: NetworkConfig, host: string, instance: string): Readonly<Record<string, PhysicalNetwork>> {
  const links: Record<string, PhysicalNetwork> = {};
  for (const [name, network] of Object.entries(config.physicalNetworks)) {
    const wire = wireOf(network, host);
    if (wire?.interface !== undefined) links[name] = { linkName: wire.interface, isCard: true, isInMachine: true };
    else if (wire?.bridge !== undefined) links[name] = { linkName: linkNameOf(instance, name), outerBridge: wire.bridge, isInMachine: true };
  }
  return links;
}

/** The cloud's end of what leads to a bridge: 15 characters, as long as the kernel allows. */
const linkNameOf = (instance: string, name: string): string => `cairn-${createHash('sha256').update(`${instance} ${name}`).digest('hex').slice(0, 9)}`;

/** Is the public network one of the hosts' surroundings, and not the machine's own to make? */
export const hasPublicWire = (config: NetworkConfig): boolean => {
  const network = config.physicalNetworks.public;
  return network !== undefined && [network, ...Object.values(network.hosts ?? {})].some(isWire);
};

/** The operator's words about networks as neutron's options. `hosts` are the real hosts of this machine. Throws an Error that names the option. */
export function networkOptions(config: NetworkConfig, hosts: readonly string[] = []): NeutronOptions {
  const cards = new Map<string, string>();
  for (const [name, network] of Object.entries(config.physicalNetworks)) {
    const at = `network.physicalNetworks.${name}`;
    const { vlans } = network;
    if (vlans && vlans.first > vlans.last) throw new Error(`${at}.vlans: the first, ${vlans.first}, is greater than the last, ${vlans.last}`);
    for (const wire of [network, ...Object.values(network.hosts ?? {})])
      if (wire.interface !== undefined && wire.bridge !== undefined) throw new Error(`${at} has an interface and a bridge; it is joined by one of them`);
    for (const host of hosts) {
      const card = wireOf(network, host)?.interface;
      if (card === undefined) continue;
      const other = cards.get(card);
      if (other !== undefined) throw new Error(`${at}: the interface ${card} is ${other}'s already; what several share is a bridge`);
      cards.set(card, `${at} on ${host}`);
    }
  }
  const named = Object.entries(config.physicalNetworks).map(([name, network]) => {
    const wired = [network, ...Object.values(network.hosts ?? {})].some(isWire);
    const { vlans } = network;
    return [
      name,
      {
        ...(vlans && { vlans: [vlans.first, vlans.last] as const }),
        ...(network.hosts && { hosts: Object.keys(network.hosts) }),
        ...(wired && { isWired: true }),
      },
    ] as const;
  });
  return {
    physicalNetworks: { public: {}, ...Object.fromEntries(named) },
    tenantNetworkType: config.tenantNetworkType,
    bandwidths: config.bandwidths,
    packetRates: config.packetRates,
    availabilityZones: config.availabilityZones,
    dhcpAgentsPerNetwork: config.dhcpAgentsPerNetwork,
    l3AgentsPerRouter: config.l3AgentsPerRouter,
    ipv6PrefixDelegation: config.ipv6PrefixDelegation,
  };
}
