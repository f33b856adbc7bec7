/** What an operator may say of the network service. All of it has defaults. */
export interface NeutronOptions {
  /** Policy rule → check string, in place of the default. */
  readonly policyOverrides?: Readonly<Record<string, string>>;
  /** The type of networks whose creator says none. Default `geneve`. */
  readonly tenantNetworkType?: 'geneve' | 'vxlan' | 'vlan' | 'local';
  /** The greatest packet of the physical networks in bytes. Default 1500. */
  readonly physicalMtu?: number;
  /** Default `public` without VLANs. */
  readonly physicalNetworks?: Readonly<Record<string, PhysicalNetworkOptions>>;
  /**
   * What each host's network cards carry in kilobits per second, by physical network; '' is for networks that are carried in tunnels. Offered in
   * placement (`resource_provider_bandwidths`, `rp_tunnelled`). Default: nothing is said.
   */
  readonly bandwidths?: Readonly<Record<string, { readonly egressKbps: number; readonly ingressKbps: number }>>;
  /** Thousands of packets per second that each host forwards: in all, or by direction (`resource_provider_packet_processing_*`). Default: nothing is said. */
  readonly packetRates?: { readonly any?: number; readonly egress?: number; readonly ingress?: number };
  /** Resource → limit per project, in place of the default. -1 for none. */
  readonly quotas?: Readonly<Record<string, number>>;
  /** The availability zone of networks and routers, and of all hosts that are in no other. Default `nova`. */
  readonly availabilityZone?: string;
  /** Further zones, each with its hosts. Routers and DHCP whose zones are asked for (`availability_zone_hints`) are put on hosts of those. Default none. */
  readonly availabilityZones?: Readonly<Record<string, readonly string[]>>;
  /** On how many hosts each network's DHCP is (upstream's `dhcp_agents_per_network`). Default 1. */
  readonly dhcpAgentsPerNetwork?: number;
  /** On how many hosts a highly available router is: on one it works, the others stand by (upstream's `max_l3_agents_per_router`; 0 for all). Default 3. */
  readonly l3AgentsPerRouter?: number;
  /** Do IPv6 subnets that ask for the default pool get a prefix that the provider delegates (upstream's `ipv6_pd_enabled`)? Default false. */
  readonly ipv6PrefixDelegation?: boolean;
  /** What DHCP tells guests as their domain where the network has none. Default `openstacklocal.`. */
  readonly dnsDomain?: string;
  /** Milliseconds between two comparisons of each host's whole network with the truth. Default 300 000. */
  readonly reconcileEveryMs?: number;
}

export interface PhysicalNetworkOptions {
  /** VLANs that may be given out. */
  readonly vlans?: readonly [first: number, last: number];
  /** The hosts that it is at; all without. */
  readonly hosts?: readonly string[];
  /** Hosts have it by a card or bridge of their own. The VLANs of others go from host to host in tunnels. */
  readonly isWired?: boolean;
}

export type Settings = Required<Omit<NeutronOptions, 'policyOverrides'>> & { readonly hasPolicyOverrides: boolean };

/** Upstream's defaults (neutron/conf/quota.py). */
export const DEFAULT_QUOTAS: Readonly<Record<string, number>> = {
  network: 100,
  subnet: 100,
  subnetpool: -1,
  port: 500,
  router: 10,
  floatingip: 50,
  security_group: 10,
  security_group_rule: 100,
  rbac_policy: 10,
  trunk: -1,
};

/** Routes of one router (quota_router_route). */
export const MAX_ROUTES = 30;
/** neutron.conf: max_dns_nameservers, max_subnet_host_routes, max_allowed_address_pair. */
export const MAX_DNS_SERVERS = 5;
export const MAX_HOST_ROUTES = 20;
export const MAX_ADDRESS_PAIRS = 10;

export function settingsOf(options: NeutronOptions): Settings {
  return {
    tenantNetworkType: options.tenantNetworkType ?? 'geneve',
    physicalMtu: options.physicalMtu ?? 1500,
    physicalNetworks: options.physicalNetworks ?? { public: {} },
    bandwidths: options.bandwidths ?? {},
    packetRates: options.packetRates ?? {},
    quotas: { ...DEFAULT_QUOTAS, ...options.quotas },
    availabilityZone: options.availabilityZone ?? 'nova',
    availabilityZones: options.availabilityZones ?? {},
    dhcpAgentsPerNetwork: options.dhcpAgentsPerNetwork ?? 1,
    l3AgentsPerRouter: options.l3AgentsPerRouter ?? 3,
    ipv6PrefixDelegation: options.ipv6PrefixDelegation ?? false,
    dnsDomain: options.dnsDomain ?? 'openstacklocal.',
    reconcileEveryMs: options.reconcileEveryMs ?? 300_000,
    hasPolicyOverrides: Object.keys(options.policyOverrides ?? {}).length > 0,
  };
}
