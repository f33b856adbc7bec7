import type { NetworkWorld } from '@cairn/neutron/testing/network-world';

/** The API's own words, as far as the walk looks at them. */
export interface PortView {
  readonly id: string;
  readonly network_id: string;
  readonly mac_address: string;
  readonly admin_state_up: boolean;
  readonly status: string;
  readonly device_owner: string;
  readonly device_id: string;
  readonly 'binding:host_id': string;
  readonly port_security_enabled: boolean;
  readonly security_groups: readonly string[];
  readonly fixed_ips: readonly { readonly subnet_id: string; readonly ip_address: string }[];
  readonly allowed_address_pairs: readonly { readonly ip_address: string; readonly mac_address: string }[];
}

/** Is it how a router is on a network? Its kind shows in the owner. */
export const isInterface = (port: PortView): boolean =>
  ['network:router_interface', 'network:ha_router_replicated_interface', 'network:router_interface_distributed'].includes(port.device_owner);

export interface SubnetView {
  readonly id: string;
  readonly network_id: string;
  readonly ip_version: 4 | 6;
  readonly cidr: string;
  readonly gateway_ip: string | null;
  readonly subnetpool_id: string | null;
}
export interface RouterView {
  readonly id: string;
  readonly admin_state_up: boolean;
  readonly external_gateway_info: {
    readonly network_id: string;
    readonly enable_snat: boolean;
    readonly external_fixed_ips: readonly { readonly ip_address: string }[];
  } | null;
}
export interface RuleView {
  readonly id: string;
  readonly direction: 'ingress' | 'egress';
  readonly ethertype: 'IPv4' | 'IPv6';
  readonly protocol: string | null;
  readonly port_range_min: number | null;
  readonly port_range_max: number | null;
  readonly remote_ip_prefix: string | null;
  readonly remote_group_id: string | null;
  readonly remote_address_group_id: string | null;
}
export interface GroupView {
  readonly id: string;
  readonly name: string;
  readonly stateful: boolean;
  readonly security_group_rules: readonly RuleView[];
}
export interface FloatingView {
  readonly id: string;
  readonly floating_ip_address: string;
  readonly router_id: string | null;
  readonly port_id: string | null;
  readonly fixed_ip_address: string | null;
  readonly port_forwardings: readonly {
    readonly id: string;
    readonly protocol: string;
    readonly internal_ip_address: string;
    readonly internal_port: number;
    readonly external_port: number;
  }[];
}
export interface AddressGroupView {
  readonly id: string;
  readonly addresses: readonly string[];
}
interface NetworkView {
  readonly id: string;
  readonly 'router:external': boolean;
}

/** What a port has of a subnet that waits for its prefix is nobody's address yet. */
const withoutPlaceholders = (port: PortView): PortView => ({ ...port, fixed_ips: port.fixed_ips.filter(({ ip_address: ip }) => !ip.startsWith('::')) });

/** Everything, read from the lists of the API. */
export class Views {
  readonly networks: readonly NetworkView[];
  readonly subnets: readonly SubnetView[];
  readonly ports: readonly PortView[];
  readonly routers: readonly RouterView[];
  readonly groups: readonly GroupView[];
  readonly floatingIps: readonly FloatingView[];
  readonly addressGroups: readonly AddressGroupView[];

  constructor(lists: Readonly<Record<string, readonly unknown[]>>) {
    this.networks = lists.networks as readonly NetworkView[];
    this.subnets = lists.subnets as readonly SubnetView[];
    this.ports = (lists.ports as readonly PortView[]).map((port) => (isInterface(port) ? port : withoutPlaceholders(port)));
    this.routers = lists.routers as readonly RouterView[];
    this.groups = lists.security_groups as readonly GroupView[];
    this.floatingIps = lists.floatingips as readonly FloatingView[];
    this.addressGroups = lists.address_groups as readonly AddressGroupView[];
  }

  external = (): NetworkView | undefined => this.networks.find((network) => network['router:external']);
  tenants = (): readonly NetworkView[] => this.networks.filter((network) => !network['router:external']);
  /** Ports that a guest sits at. */
  guestPorts = (): readonly PortView[] => this.ports.filter((port) => port.device_owner === 'compute:nova' && port['binding:host_id'] !== '');
  /** Subnets whose prefix the provider delegates. */
  delegated = (): readonly SubnetView[] => this.subnets.filter((subnet) => subnet.subnetpool_id === 'prefix_delegation');
  subnet = (id: string): SubnetView | undefined => this.subnets.find((subnet) => subnet.id === id);
  port = (id: string): PortView | undefined => this.ports.find((port) => port.id === id);
}

export async function viewsOf(world: NetworkWorld): Promise<Views> {
  const lists: Record<string, readonly unknown[]> = {};
  await Promise.all(
    ['networks', 'subnets', 'ports', 'routers', 'security_groups', 'floatingips', 'address_groups'].map(async (name) => {
      lists[name] = (await world.expect(200, 'admin', 'GET', `/${name.replace('_', '-')}`))[name];
    }),
  );
  return new Views(lists);
}

export interface GuestSetup {
  /** With prefix lengths. */
  readonly addresses: readonly string[];
  readonly routes: readonly string[];
}

/**
 * How a guest is set up: with what DHCP or an advertisement would tell, and with one more IPv4 address, which it has whether or not its port
 * allows that.
 */
export function setupOf(views: Views, port: PortView): GuestSetup {
  const addresses: string[] = [];
  const routes: string[] = [];
  for (const { subnet_id, ip_address } of port.fixed_ips) {
    const subnet = views.subnet(subnet_id);
    if (!subnet) continue;
    const length = subnet.cidr.split('/')[1];
    addresses.push(`${ip_address}/${length}`);
    if (subnet.ip_version === 4) addresses.push(`${secondAddress(ip_address)}/${length}`);
    if (subnet.gateway_ip !== null) routes.push(`default via ${subnet.gateway_ip}`);
  }
  return { addresses, routes };
}

/** 10.1.0.7 -> 10.1.0.207. */
export const secondAddress = (ip: string): string => ip.replace(/\d+$/, (last) => String(200 + (Number(last) % 50)));
