import { queryOptions } from '@tanstack/react-query';
import { allOf, api } from '../api/client.ts';
import type { AddressPair, Pool, Route } from './lines.ts';

/** What every object of the network service has. */
interface NetworkObject {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly project_id: string;
  readonly tags: readonly string[];
  readonly created_at: string;
  readonly updated_at: string;
}

export interface Network extends NetworkObject {
  readonly status: string;
  readonly admin_state_up: boolean;
  readonly shared: boolean;
  readonly mtu: number;
  readonly subnets: readonly string[];
  readonly port_security_enabled: boolean;
  readonly dns_domain: string;
  readonly qos_policy_id: string | null;
  readonly availability_zones: readonly string[];
  readonly 'router:external': boolean;
  /** For admins. */
  readonly 'provider:network_type'?: string | null;
  readonly 'provider:physical_network'?: string | null;
  readonly 'provider:segmentation_id'?: number | null;
}

export interface Subnet extends NetworkObject {
  readonly network_id: string;
  readonly cidr: string;
  readonly ip_version: 4 | 6;
  readonly gateway_ip: string | null;
  readonly enable_dhcp: boolean;
  readonly allocation_pools: readonly Pool[];
  readonly dns_nameservers: readonly string[];
  readonly host_routes: readonly Route[];
  readonly subnetpool_id: string | null;
  readonly ipv6_ra_mode: string | null;
  readonly ipv6_address_mode: string | null;
}

export interface FixedIp {
  readonly subnet_id: string;
  readonly ip_address: string;
}

export interface Port extends NetworkObject {
  readonly network_id: string;
  readonly status: string;
  readonly admin_state_up: boolean;
  readonly device_id: string;
  readonly device_owner: string;
  readonly mac_address: string;
  readonly fixed_ips: readonly FixedIp[];
  readonly security_groups: readonly string[];
  readonly port_security_enabled: boolean;
  readonly allowed_address_pairs: readonly AddressPair[];
  readonly qos_policy_id: string | null;
  readonly dns_name?: string;
  readonly trunk_details?: { readonly trunk_id: string };
  readonly 'binding:vnic_type': string;
  /** For admins. */
  readonly 'binding:host_id'?: string;
}

export interface ExternalGateway {
  readonly network_id: string;
  readonly external_fixed_ips: readonly FixedIp[];
}

export interface Router extends NetworkObject {
  readonly status: string;
  readonly admin_state_up: boolean;
  /** The first of the gateways. */
  readonly external_gateway_info: (ExternalGateway & { readonly enable_snat: boolean }) | null;
  /** All of them, where the cloud lets a router have several. */
  readonly external_gateways?: readonly ExternalGateway[];
  readonly routes: readonly Route[];
}

export interface PortForwarding {
  readonly id: string;
  readonly protocol: string;
  readonly external_port?: number | null;
  readonly external_port_range?: string | null;
  readonly internal_port?: number | null;
  readonly internal_port_range?: string | null;
  readonly internal_ip_address: string;
  readonly internal_port_id: string;
  readonly description: string;
}

export interface FloatingIp extends Omit<NetworkObject, 'name'> {
  readonly floating_ip_address: string;
  readonly floating_network_id: string;
  readonly fixed_ip_address: string | null;
  readonly port_id: string | null;
  readonly router_id: string | null;
  readonly status: string;
  readonly qos_policy_id: string | null;
  readonly dns_name: string;
  readonly dns_domain: string;
}

export interface RbacPolicy {
  readonly id: string;
  readonly object_type: string;
  readonly object_id: string;
  readonly action: 'access_as_shared' | 'access_as_external';
  readonly target_tenant: string;
  readonly project_id: string;
}

/** Ranges that subnets are cut from. */
export interface SubnetPool extends NetworkObject {
  readonly ip_version: 4 | 6;
  readonly prefixes: readonly string[];
  readonly default_prefixlen: string | number;
  readonly min_prefixlen: string | number;
  readonly max_prefixlen: string | number;
  readonly address_scope_id: string | null;
  readonly is_default: boolean;
  readonly shared: boolean;
}

export interface AddressScope {
  readonly id: string;
  readonly name: string;
  readonly ip_version: 4 | 6;
  readonly shared: boolean;
  readonly project_id: string;
}

/** A rule of a QoS policy: its type, and what it says by the type. */
export interface QosRule {
  readonly id: string;
  readonly type: string;
  readonly [key: string]: unknown;
}
export interface QosPolicy extends NetworkObject {
  readonly shared: boolean;
  readonly is_default: boolean;
  readonly rules: readonly QosRule[];
}

export interface Subport {
  readonly port_id: string;
  readonly segmentation_type: string;
  readonly segmentation_id: number;
}
export interface Trunk extends NetworkObject {
  readonly port_id: string;
  readonly status: string;
  readonly admin_state_up: boolean;
  readonly sub_ports: readonly Subport[];
}

/** Lists of the network service, by the names that its API gives them. */
const list = <T extends { readonly id: string }>(key: string, path = key, queryKey = key) =>
  queryOptions({ queryKey: [queryKey], queryFn: ({ signal }) => allOf<T>('network', `/v2.0/${path}`, key, signal) });
/** One of a list, behind the key of the list, so that what touches the list touches it too. */
const one =
  <T>(listKey: string, key: string, path = listKey) =>
  (id: string) =>
    queryOptions({
      queryKey: [listKey, id],
      queryFn: async ({ signal }): Promise<T> => (await api<Record<string, T>>('network', `/v2.0/${path}/${encodeURIComponent(id)}`, { signal }))[key] as T,
    });

export const networksQuery = list<Network>('networks');
export const networkQuery = one<Network>('networks', 'network');
export const subnetsQuery = list<Subnet>('subnets');
export const portsQuery = list<Port>('ports');
export const portQuery = one<Port>('ports', 'port');
export const routersQuery = list<Router>('routers');
export const routerQuery = one<Router>('routers', 'router');
export const floatingIpsQuery = list<FloatingIp>('floatingips');
export const floatingIpQuery = one<FloatingIp>('floatingips', 'floatingip');

// these are often another project's, of which no event tells: whoever opens a page asks anew
export const subnetPoolsQuery = { ...list<SubnetPool>('subnetpools'), staleTime: 0 };
export const addressScopesQuery = { ...list<AddressScope>('address_scopes', 'address-scopes'), staleTime: 0 };
export const qosPoliciesQuery = { ...list<QosPolicy>('policies', 'qos/policies', 'qos-policies'), staleTime: 0 };
export const qosPolicyQuery = one<QosPolicy>('qos-policies', 'policy', 'qos/policies');
export const trunksQuery = list<Trunk>('trunks');
export const trunkQuery = one<Trunk>('trunks', 'trunk');

/** The ports of a network or of a device alone. */
export const portsOfQuery = (by: 'network_id' | 'device_id', id: string) =>
  queryOptions({
    queryKey: ['ports', by, id],
    queryFn: ({ signal }) => allOf<Port>('network', `/v2.0/ports?${by}=${encodeURIComponent(id)}`, 'ports', signal),
  });
export const subnetsOfQuery = (networkId: string) =>
  queryOptions({
    queryKey: ['subnets', 'network_id', networkId],
    queryFn: ({ signal }) => allOf<Subnet>('network', `/v2.0/subnets?network_id=${encodeURIComponent(networkId)}`, 'subnets', signal),
  });
export const portForwardingsQuery = (floatingIpId: string) =>
  queryOptions({
    queryKey: ['floatingips', floatingIpId, 'port_forwardings'],
    queryFn: ({ signal }) =>
      allOf<PortForwarding>('network', `/v2.0/floatingips/${encodeURIComponent(floatingIpId)}/port_forwardings`, 'port_forwardings', signal),
  });
export const sharingQuery = (type: string, objectId: string) =>
  queryOptions({
    queryKey: ['rbac_policies', objectId],
    queryFn: ({ signal }) =>
      allOf<RbacPolicy>('network', `/v2.0/rbac-policies?object_type=${type}&object_id=${encodeURIComponent(objectId)}`, 'rbac_policies', signal),
  });

/** What an object is called: its name, or its id where it has none. */
export const called = ({ id, name }: { readonly id: string; readonly name?: string }): string => name || id;
