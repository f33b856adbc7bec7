import type { Context } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';

/** One entry of a server's `networks`. */
export interface RequestedNetwork {
  readonly networkId?: string;
  readonly portId?: string;
  readonly fixedIp?: string;
  readonly tag?: string;
}

/** What a request came down to after validation. */
export interface PlannedPort {
  /** The existing port's id, or one minted for a port that is to be made. */
  readonly portId: string;
  readonly networkId: string;
  readonly existing: boolean;
  readonly fixedIp?: string;
  readonly tag?: string;
}

export interface PortFacts {
  readonly id: string;
  readonly name: string;
  readonly networkId: string;
  readonly networkName: string;
  readonly networkMtu: number;
  readonly projectId: string;
  readonly mac: string;
  readonly adminUp: boolean;
  readonly status: string;
  readonly deviceId: string;
  readonly deviceOwner: string;
  readonly host: string;
  readonly fixedIps: readonly {
    readonly ip: string;
    readonly subnetId: string;
    readonly cidr: string;
    readonly ipVersion: 4 | 6;
    readonly gatewayIp: string | null;
    /** The subnet has DHCP on. */
    readonly dhcp: boolean;
    readonly ipv6AddressMode: string | null;
    readonly dnsServers: readonly string[];
    readonly hostRoutes: readonly { readonly destination: string; readonly nexthop: string }[];
    readonly floatingIps: readonly string[];
  }[];
  readonly securityGroups: readonly { readonly id: string; readonly name: string }[];
}

/** A security group with its rules, for nova's old form of them. */
export interface SecurityGroupFacts {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly projectId: string;
  readonly rules: readonly {
    readonly id: string;
    readonly direction: 'ingress' | 'egress';
    readonly ethertype: 'IPv4' | 'IPv6';
    readonly protocol: string | null;
    readonly portMin: number | null;
    readonly portMax: number | null;
    readonly remoteCidr: string | null;
    readonly remoteGroup: { readonly id: string; readonly name: string; readonly projectId: string } | null;
  }[];
}

/** What a port asks of placement, as the API says it (port-resource-request-groups). */
export interface ResourceRequest {
  readonly request_groups: readonly { readonly id: string; readonly required: readonly string[]; readonly resources: Readonly<Record<string, number>> }[];
  readonly same_subtree: readonly string[];
}

/** A provider of network resources below a host's own. */
export interface NetworkProvider {
  readonly id: string;
  /** `h1:Open vSwitch agent:public`. */
  readonly name: string;
  /** Undefined: the host's own provider. */
  readonly parentId: string | undefined;
  readonly inventories: Readonly<Record<string, { readonly total: number }>>;
  readonly traits: readonly string[];
}

/** A segment with IPv4 subnets of its own, as placement knows it. */
export interface RoutedSegment {
  readonly id: string;
  /** Those that reach it; undefined: all. */
  readonly hosts: readonly string[] | undefined;
  /** Addresses in all, and those of them that servers do not get. */
  readonly total: number;
  readonly reserved: number;
}

/** What other services may ask of neutron. */
export interface NeutronFace {
  /**
   * Checks a server's network request as `ctx` and plans its ports: `undefined` or 'auto' picks the project's only network (none:
   * no port; several: Conflict NetworkAmbiguous), 'none' gives none. Throws InvalidInput/NotFound with upstream nova's meaning. `portIds` are minted by the caller.
   */
  planPorts(db: Db, ctx: Context, requested: readonly RequestedNetwork[] | 'auto' | 'none' | undefined, mintId: () => string): Promise<readonly PlannedPort[]>;
  /** How many new ports the project may still have; -1 unlimited. */
  portsLeft(db: Db, projectId: string): Promise<number>;
  /** Ids for group names or ids of the context's project; throws InvalidInput for unknown, Conflict for an ambiguous name. */
  resolveSecurityGroups(db: Db, ctx: Context, namesOrIds: readonly string[]): Promise<readonly { readonly id: string; readonly name: string }[]>;
  /** Makes the planned ports that do not exist yet (owner `compute:<az>`), finds those of an earlier try. */
  createPorts(
    tx: Tx,
    ctx: Context,
    ports: readonly {
      readonly plan: PlannedPort;
      readonly deviceId: string;
      readonly deviceOwner: string;
      readonly securityGroupIds: readonly string[] | undefined;
      readonly hostname: string;
    }[],
  ): Promise<void>;
  /** What these ports ask of placement; only those that ask for something. */
  resourceRequests(db: Db, portIds: readonly string[]): Promise<ReadonlyMap<string, ResourceRequest>>;
  /** All segments of routed networks with addresses for servers. */
  routedSegments(db: Db): Promise<readonly RoutedSegment[]>;
  /**
   * For each interface that a server asks for, the segments that will do: those of the network's subnets, or of the port's first address. None where the
   * network is not routed.
   */
  segmentsAsked(db: Db, nics: readonly { readonly networkId: string; readonly portId?: string }[]): Promise<readonly (readonly string[])[]>;
  /** The hosts that have all of these networks; undefined: all. */
  hostsReaching(db: Db, networkIds: readonly string[]): Promise<readonly string[] | undefined>;
  /** What a host's network offers in placement, parents first. */
  networkProviders(host: string): readonly NetworkProvider[];
  /**
   * Binds ports to a host (device set for existing ports too), which gives those of routed networks their addresses. Rows only; `makeLive` does the rest.
   * Throws Conflict (PortBindingFailed, HostNotCompatibleWithFixedIps) where the host has not what the port is on. `allocations`: per port, the provider of each
   * group of its request, for its binding profile.
   */
  bindPorts(
    tx: Tx,
    portIds: readonly string[],
    binding: {
      readonly host: string;
      readonly deviceId: string;
      readonly deviceOwner: string;
      readonly allocations?: ReadonlyMap<string, Readonly<Record<string, string>>>;
    },
  ): Promise<void>;
  /** Pushes the ports to their host's fabric and resolves when they are live: tap there, rules in, DHCP knows them. */
  makeLive(portIds: readonly string[], signal?: AbortSignal): Promise<void>;
  /**
   * Takes ports off their host: those that the server made are deleted, those that it was given are unbound. Tolerates absence. With
   * `deviceId` only ports of that device are touched: one that meanwhile is another's stays.
   */
  releasePorts(tx: Tx, portIds: readonly string[], options: { readonly delete: boolean; readonly deviceId?: string }): Promise<void>;
  /** Takes ports off their host and leaves them their device: a shelved server keeps its addresses. Tolerates absence. */
  unbindPorts(tx: Tx, portIds: readonly string[]): Promise<void>;
  /**
   * Has ports plugged on a second host as well, where their server is about to come while it runs; '' takes that back. The bound host stays
   * theirs until `bindPorts`.
   */
  announcePorts(tx: Tx, portIds: readonly string[], host: string): Promise<void>;
  /** Pushes released ports' removal to the hosts. */
  makeGone(portIds: readonly string[]): Promise<void>;
  portsOfDevice(db: Db, deviceId: string): Promise<readonly PortFacts[]>;
  portsOfDevices(db: Db, deviceIds: readonly string[]): Promise<ReadonlyMap<string, readonly PortFacts[]>>;
  port(db: Db, portId: string): Promise<PortFacts | undefined>;
  /** Ids of devices with a fixed IP that has `part` in its text (nova's `ip` and `ip6` filters); of one project when given. */
  devicesByAddress(db: Db, part: string, projectId: string | undefined): Promise<readonly string[]>;
  /** Security group handling of `addSecurityGroup`/`removeSecurityGroup`: changes the device's ports. */
  changeDeviceSecurityGroup(tx: Tx, ctx: Context, deviceId: string, group: string, change: 'add' | 'remove'): Promise<readonly string[]>;
  /** The groups of a device's ports, each once (nova's `os-security-groups` of a server). */
  securityGroupsOfDevice(db: Db, deviceId: string): Promise<readonly SecurityGroupFacts[]>;
}
