import { CairnError } from '@cairn/kit/errors/errors';

/**
 * The network of one host, declared: objects by kind and id. Neutron says what must be; the agent makes the host match it, by
 * difference, atomically per rule set, without a moment in which allowed traffic is dropped or forbidden traffic passes.
 */
export type FabricObject =
  | ({ readonly kind: 'network' } & NetworkSpec)
  | ({ readonly kind: 'port' } & PortSpec)
  | ({ readonly kind: 'router' } & RouterSpec)
  | ({ readonly kind: 'securityGroup' } & SecurityGroupSpec);

export interface NetworkSpec {
  readonly id: string;
  readonly mtu: number;
  readonly segment: { readonly type: 'flat' | 'vlan' | 'vxlan' | 'geneve' | 'local'; readonly id?: number; readonly physicalNetwork?: string };
  readonly dnsDomain?: string;
  readonly subnets: readonly SubnetSpec[];
  /** Carries the network to the other hosts that have it. Absent where it is on this host alone, or goes to others by its physical network. */
  readonly tunnel?: TunnelSpec;
}

/** One network's VXLAN. Its MTU is the network's; what is between the hosts takes 50 bytes more (70 over IPv6). */
export interface TunnelSpec {
  /** 1 to 16777215. */
  readonly vni: number;
  /** Tunnels of different ports are different networks, whatever their VNI. */
  readonly udpPort: number;
  /** The tunnel addresses of the other hosts that have the network. Sorted. */
  readonly peers: readonly string[];
}

export interface SubnetSpec {
  readonly id: string;
  readonly cidr: string;
  readonly ipVersion: 4 | 6;
  readonly gatewayIp?: string;
  readonly dnsServers: readonly string[];
  readonly hostRoutes: readonly { readonly destination: string; readonly nexthop: string }[];
  /** Set where DHCP is on: the DHCP port's address and MAC. */
  readonly dhcp?: { readonly ip: string; readonly mac: string };
  readonly ipv6AddressMode?: 'slaac' | 'dhcpv6-stateful' | 'dhcpv6-stateless';
  /** No router serves this subnet, so metadata is reached through the DHCP port. */
  readonly isolated: boolean;
}

export interface PortSpec {
  readonly id: string;
  readonly networkId: string;
  readonly mac: string;
  readonly adminUp: boolean;
  readonly fixedIps: readonly { readonly subnetId: string; readonly ip: string }[];
  /**
   * Where the port's traffic enters: a guest's tap on this host, a VLAN of the tap of another port (`tap` is then the name of the link that
   * the frames without their tag come by), or nothing here (another host, DHCP, router).
   */
  readonly attachment:
    | { readonly kind: 'guest'; readonly tap: string }
    | { readonly kind: 'subport'; readonly tap: string; readonly parentTap: string; readonly vlan: number }
    | { readonly kind: 'none' };
  readonly hostname?: string;
  readonly extraDhcpOptions: readonly { readonly name: string; readonly value: string; readonly ipVersion: 4 | 6 }[];
  /** False: neither anti-spoofing nor security groups. */
  readonly portSecurity: boolean;
  readonly securityGroups: readonly string[];
  readonly allowedAddressPairs: readonly { readonly mac: string; readonly cidr: string }[];
  /** Limits of what goes through the port, and the mark of what the guest sends. */
  readonly qos?: QosSpec;
  /** Who wants to know what the port's security groups let through and drop. */
  readonly logs?: readonly PortLogSpec[];
  /** It is at work on no host, so nobody answers by its MAC; its addresses may be others' (those of allowed pairs). */
  readonly isUnbound?: true;
  /** IPv4 addresses that others on the port's network and host are led to the port by. */
  readonly localIps?: readonly LocalIpSpec[];
}

export interface LocalIpSpec {
  readonly id: string;
  readonly ip: string;
  /** The port's own address that it leads to. */
  readonly fixedIp: string;
}

export interface PortLogSpec {
  readonly id: string;
  /** The log's owner. */
  readonly projectId: string;
  readonly event: 'ACCEPT' | 'DROP' | 'ALL';
  /** Of what is let through, only what this group allows. */
  readonly groupId?: string;
}

/** A packet that security groups have let through (the first of its connection) or dropped. */
export interface SecurityLogRecord {
  readonly atMs: number;
  readonly action: 'ACCEPT' | 'DROP';
  /** Seen from the port. */
  readonly direction: 'ingress' | 'egress';
  readonly portId: string;
  readonly projectId: string;
  readonly logIds: readonly string[];
  readonly packet: LoggedPacket;
}

/** A packet by what rules look at. Addresses in canonical text; ports of protocols that have them. */
export interface LoggedPacket {
  readonly version: 4 | 6;
  /** By number. */
  readonly protocol: number;
  readonly source: string;
  readonly destination: string;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly icmpType?: number;
  readonly icmpCode?: number;
}

/** Seen from the guest (or from inside): egress is what it sends. */
export interface QosSpec {
  readonly egress?: LimitSpec;
  readonly ingress?: LimitSpec;
  /** The DSCP mark of egress packets, 0 to 63. */
  readonly dscp?: number;
}

/** What goes beyond is dropped. Absent or 0: no limit. */
export interface LimitSpec {
  readonly kilobitsPerSecond?: number;
  /** What may come at once, beside a second's worth. */
  readonly burstKilobits?: number;
  readonly kilopacketsPerSecond?: number;
  readonly burstKilopackets?: number;
}

export interface RouterSpec {
  readonly id: string;
  readonly adminUp: boolean;
  /**
   * Set where the host has a part of a distributed router, and another host has it whole. A part routes, for the guests of its host, what goes to
   * ports that the host knows, and what comes from and goes to its `floatingIps`; all else goes to the whole router as ever. Guests know the router by
   * the MACs of the whole one (`interfaces.sharedMac`); a part has MACs of its own, and asks and answers nobody inside. IPv4 addresses alone lead outside.
   */
  readonly isPart?: true;
  readonly gateway?: {
    readonly networkId: string;
    readonly mac: string;
    readonly addresses: readonly { readonly ip: string; readonly prefixLength: number; readonly nexthop?: string }[];
    readonly snat: boolean;
    /** Of what goes by the gateway's own addresses. */
    readonly qos?: QosSpec;
    /** IPv4 networks on the gateway's link in which it has no address of its own (a part's). */
    readonly onLink?: readonly { readonly cidr: string; readonly nexthop?: string }[];
  };
  /** Further ways out, which hide what is inside as `gateway` does; only beside it. */
  readonly extraGateways?: readonly {
    readonly portId: string;
    readonly networkId: string;
    readonly mac: string;
    readonly addresses: readonly { readonly ip: string; readonly prefixLength: number; readonly nexthop?: string }[];
  }[];
  /** Do the next hops of all gateways share what has no better route? Without it that goes by `gateway` alone. */
  readonly defaultRouteEcmp?: boolean;
  readonly interfaces: readonly {
    readonly portId: string;
    readonly networkId: string;
    readonly mac: string;
    /** Of a part: the MAC that guests know the router by. */
    readonly sharedMac?: string;
    readonly addresses: readonly { readonly ip: string; readonly prefixLength: number }[];
  }[];
  readonly routes: readonly { readonly destination: string; readonly nexthop: string }[];
  /** `networkId`: the external network, where it is not that of `gateway`. */
  readonly floatingIps: readonly {
    readonly id: string;
    readonly floatingIp: string;
    readonly fixedIp: string;
    readonly networkId?: string;
    readonly qos?: QosSpec;
  }[];
  /** Fixed addresses whose floating ones are answered for by parts on other hosts. What they send outside never leaves here, behind another address. */
  readonly floatingElsewhere?: readonly string[];
  readonly portForwardings?: readonly PortForwardingSpec[];
  readonly conntrackHelpers?: readonly ConntrackHelperSpec[];
  readonly meters?: readonly MeterSpec[];
  readonly ndpProxy?: NdpProxySpec;
  /** Subnets inside whose prefix is asked of the provider beyond `gateway` (DHCPv6 prefix delegation, RFC 8415). Only beside it. Sorted by subnet. */
  readonly prefixDelegation?: readonly PrefixDelegationSpec[];
}

/** A subnet that gets its /64 from the provider: the host tells by `prefix` events which. */
export interface PrefixDelegationSpec {
  readonly subnetId: string;
  /** What it was given last, by this host or another one: `2001:db8:1:2::/64`. The host asks to keep it. */
  readonly prefix?: string;
  /** Until when that may be used, as far as was known when it was put down; renewals go on without a word. */
  readonly validUntilMs?: number;
  /** What it had before that: guests are told to use it no longer (RFC 9096). */
  readonly before?: string;
}

/** The router answers outside for IPv6 addresses that are inside. */
export interface NdpProxySpec {
  readonly addresses: readonly string[];
  /** Networks inside of which nothing but those addresses is reached from outside. */
  readonly cidrs: readonly string[];
}

/** Connections to this port are read by one of the kernel's helpers, which lets through and translates the further connections that they agree on. */
export interface ConntrackHelperSpec {
  readonly id: string;
  /** As the kernel calls it: `ftp`, `tftp`, `sip` ... */
  readonly helper: string;
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

/** Counts the IPv4 traffic that passes the gateway and that a rule names; a packet counts once, and not at all where an excluding rule names it. */
export interface MeterSpec {
  readonly id: string;
  readonly rules: readonly MeterRuleSpec[];
}

export interface MeterRuleSpec {
  /** Seen from inside: egress leaves by the gateway. */
  readonly direction: 'ingress' | 'egress';
  readonly excluded: boolean;
  /** IPv4 networks, with the addresses as they are inside. */
  readonly source?: string;
  readonly destination?: string;
}

/** What a meter has counted since it is there. It begins anew where the router was made anew, by a restart of the machine say. */
export interface MeterReading {
  readonly routerId: string;
  readonly meterId: string;
  readonly packets: number;
  readonly bytes: number;
}

/** Ports of an outside address that lead to ports of an inside one: each to its own, or all to the one that is there. */
export interface PortForwardingSpec {
  readonly id: string;
  readonly floatingIp: string;
  /** The external network, where it is not that of the router's `gateway`. */
  readonly networkId?: string;
  readonly protocol: 'tcp' | 'udp' | 'sctp' | 'dccp';
  readonly externalFirst: number;
  readonly externalLast: number;
  readonly internalIp: string;
  readonly internalFirst: number;
  readonly internalLast: number;
}

export interface SecurityGroupSpec {
  readonly id: string;
  readonly stateful: boolean;
  /** Empty rules deny; a rule only ever allows. Members are the fixed IPs of ports that list the group. */
  readonly rules: readonly SecurityGroupRuleSpec[];
}

export interface SecurityGroupRuleSpec {
  readonly id: string;
  readonly direction: 'ingress' | 'egress';
  readonly ethertype: 'IPv4' | 'IPv6';
  /** `tcp`, `udp`, `icmp`, `ipv6-icmp`, `sctp` ... or a number as text; absent for any. */
  readonly protocol?: string;
  /** Ports, or ICMP type and code. */
  readonly portMin?: number;
  readonly portMax?: number;
  readonly remoteCidr?: string;
  readonly remoteGroupId?: string;
  /** The addresses of an address group, of the rule's IP version; all rules that name the group have the same. Empty: nobody. */
  readonly remoteAddresses?: { readonly groupId: string; readonly cidrs: readonly string[] };
}

export type FabricChange =
  | { readonly op: 'put'; readonly object: FabricObject }
  /** `isGone`: it is no more, rather than elsewhere. What was got from others for it (delegated prefixes) is given back. */
  | { readonly op: 'remove'; readonly kind: FabricObject['kind']; readonly id: string; readonly isGone?: true };

/** An object that a host cannot have as it is wanted. */
export interface FabricFlaw {
  readonly kind: FabricObject['kind'];
  readonly id: string;
  /** For the user: what cannot be, and why. */
  readonly message: string;
  /** A part of the object is missing; all else of it is live. */
  readonly isPartial?: true;
}

/** Some objects could not be made as they are wanted. All else that was asked for in the same call is live. */
export class FabricFlaws extends CairnError {
  readonly flaws: readonly FabricFlaw[];

  constructor(flaws: readonly FabricFlaw[]) {
    super('InvalidInput', flaws.map((flaw) => flaw.message).join(' '));
    this.flaws = flaws;
  }
}

export interface Fabric {
  /** The whole desired state: what is not in it goes. Used at start and by the reconciler. Throws FabricFlaws when single objects could not be had. */
  apply(objects: readonly FabricObject[]): Promise<void>;
  /** A change of the desired state. Resolves when it is live in the kernel. Concurrent patches are merged into one pass. Throws FabricFlaws as `apply`. */
  patch(changes: readonly FabricChange[]): Promise<void>;
  /** What the meters of all routers have counted. */
  meters(): Promise<readonly MeterReading[]>;
  /** Link and address facts for `cairn doctor` and tests. */
  status(): Promise<FabricStatus>;
}

export interface FabricStatus {
  readonly namespaces: readonly string[];
  readonly networks: number;
  readonly ports: number;
  readonly routers: number;
}

/** The tap's link name of a port, as nova and neutron both know it (upstream: `tap` + 11 characters of the port id). */
export const tapName = (portId: string): string => `tap${portId.slice(0, 11)}`;
