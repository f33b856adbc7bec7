import { queryOptions } from '@tanstack/react-query';
import type { Answers } from '../api/answers.ts';
import { allOf, api, type Row, type Shown } from '../api/client.ts';

/** Whoever asks for an object of the network service has its whole answer: `fields` is not asked for. */
export type Network = Row<'neutron.network.list'>;
export type Subnet = Row<'neutron.subnet.list'>;
export type Port = Row<'neutron.port.list'>;
export type FixedIp = Port['fixed_ips'][number];
export type Router = Row<'neutron.router.list'>;
/** A way by which a router leads outside; the first is the one of floating IPs that ask for none. */
export type ExternalGateway = NonNullable<Router['external_gateways']>[number];
export type PortForwarding = Row<'neutron.floatingip-port-forwarding.list'>;
export type FloatingIp = Row<'neutron.floatingip.list'>;
export type RbacPolicy = Row<'neutron.rbac-policy.list'>;
/** Ranges that subnets are cut from. */
export type SubnetPool = Row<'neutron.subnetpool.list'>;
export type AddressScope = Row<'neutron.address-scope.list'>;
export type QosPolicy = Row<'neutron.policy.list'>;
/** A rule of a QoS policy: its type, and what it says by the type. */
export type QosRule = QosPolicy['rules'][number];
export type Trunk = Row<'neutron.trunk.list'>;
export type Subport = Trunk['sub_ports'][number];

/** Lists of the network service, by the names that its API gives them. */
const list = <T extends keyof Answers>(key: string, path = key, queryKey = key) =>
  queryOptions({ queryKey: [queryKey], queryFn: ({ signal }) => allOf<T>('network', `/v2.0/${path}`, key, signal) });
/** One of a list, behind the key of the list, so that what touches the list touches it too. */
const one =
  <T extends keyof Answers>(listKey: string, key: string, path = listKey) =>
  (id: string) =>
    queryOptions({
      queryKey: [listKey, id],
      queryFn: async ({ signal }) => (await api<Record<string, Shown<T>>>('network', `/v2.0/${path}/${encodeURIComponent(id)}`, { signal }))[key] as Shown<T>,
    });

export const networksQuery = list<'neutron.network.list'>('networks');
export const networkQuery = one<'neutron.network.show'>('networks', 'network');
export const subnetsQuery = list<'neutron.subnet.list'>('subnets');
export const portsQuery = list<'neutron.port.list'>('ports');
export const portQuery = one<'neutron.port.show'>('ports', 'port');
export const routersQuery = list<'neutron.router.list'>('routers');
export const routerQuery = one<'neutron.router.show'>('routers', 'router');
export const floatingIpsQuery = list<'neutron.floatingip.list'>('floatingips');
export const ndpProxiesQuery = list<'neutron.ndp-proxy.list'>('ndp_proxies', 'ndp-proxies');
export const floatingIpQuery = one<'neutron.floatingip.show'>('floatingips', 'floatingip');

// these are often another project's, of which no event tells: whoever opens a page asks anew
export const subnetPoolsQuery = { ...list<'neutron.subnetpool.list'>('subnetpools'), staleTime: 0 };
export const addressScopesQuery = { ...list<'neutron.address-scope.list'>('address_scopes', 'address-scopes'), staleTime: 0 };
export const qosPoliciesQuery = { ...list<'neutron.policy.list'>('policies', 'qos/policies', 'qos-policies'), staleTime: 0 };
export const qosPolicyQuery = one<'neutron.policy.show'>('qos-policies', 'policy', 'qos/policies');
export const trunksQuery = list<'neutron.trunk.list'>('trunks');
export const trunkQuery = one<'neutron.trunk.show'>('trunks', 'trunk');

/** The ports of a network or of a device alone. */
export const portsOfQuery = (by: 'network_id' | 'device_id', id: string) =>
  queryOptions({
    queryKey: ['ports', by, id],
    queryFn: ({ signal }) => allOf<'neutron.port.list'>('network', `/v2.0/ports?${by}=${encodeURIComponent(id)}`, 'ports', signal),
  });
export const subnetsOfQuery = (networkId: string) =>
  queryOptions({
    queryKey: ['subnets', 'network_id', networkId],
    queryFn: ({ signal }) => allOf<'neutron.subnet.list'>('network', `/v2.0/subnets?network_id=${encodeURIComponent(networkId)}`, 'subnets', signal),
  });
export const portForwardingsQuery = (floatingIpId: string) =>
  queryOptions({
    queryKey: ['floatingips', floatingIpId, 'port_forwardings'],
    queryFn: ({ signal }) =>
      allOf<'neutron.floatingip-port-forwarding.list'>(
        'network',
        `/v2.0/floatingips/${encodeURIComponent(floatingIpId)}/port_forwardings`,
        'port_forwardings',
        signal,
      ),
  });
export const sharingQuery = (type: string, objectId: string) =>
  queryOptions({
    queryKey: ['rbac_policies', objectId],
    queryFn: ({ signal }) =>
      allOf<'neutron.rbac-policy.list'>(
        'network',
        `/v2.0/rbac-policies?object_type=${type}&object_id=${encodeURIComponent(objectId)}`,
        'rbac_policies',
        signal,
      ),
  });

/** What an object is called: its name, or its id where it has none. */
export const called = ({ id, name }: { readonly id: string; readonly name?: string }): string => name || id;
