import type {
  FabricChange,
  FabricObject,
  NetworkSpec,
  PortSpec,
  RouterSpec,
  SecurityGroupRuleSpec,
  SecurityGroupSpec,
  SubnetSpec,
} from '../../interface/fabric.ts';
import { tapName } from '../../interface/fabric.ts';

/** Objects for tests, with all that a test does not care for filled in. Ids are short words; MACs and taps follow from them. */

export const put = (object: FabricObject): FabricChange => ({ op: 'put', object });
export const remove = (kind: FabricObject['kind'], id: string): FabricChange => ({ op: 'remove', kind, id });

export const subnet = (id: string, cidr: string, more: Partial<SubnetSpec> = {}): SubnetSpec => ({
  id,
  cidr,
  ipVersion: cidr.includes(':') ? 6 : 4,
  dnsServers: [],
  hostRoutes: [],
  isolated: false,
  ...more,
});

export const network = (id: string, subnets: readonly SubnetSpec[], more: Partial<NetworkSpec> = {}): { readonly kind: 'network' } & NetworkSpec => ({
  kind: 'network',
  id,
  mtu: 1450,
  segment: { type: 'local' },
  subnets,
  ...more,
});

export const macOf = (n: number): string => `fa:16:3e:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`;

export function port(
  id: string,
  networkId: string,
  n: number,
  fixedIps: readonly (readonly [subnetId: string, ip: string])[],
  more: Partial<PortSpec> = {},
): { readonly kind: 'port' } & PortSpec {
  return {
    kind: 'port',
    id,
    networkId,
    mac: macOf(n),
    adminUp: true,
    fixedIps: fixedIps.map(([subnetId, ip]) => ({ subnetId, ip })),
    attachment: { kind: 'guest', tap: tapName(id) },
    extraDhcpOptions: [],
    portSecurity: true,
    securityGroups: [],
    allowedAddressPairs: [],
    ...more,
  };
}

export const router = (id: string, more: Partial<RouterSpec> = {}): { readonly kind: 'router' } & RouterSpec => ({
  kind: 'router',
  id,
  adminUp: true,
  interfaces: [],
  routes: [],
  floatingIps: [],
  ...more,
});

/** What is outside of routers. */
export const publicNetwork = network('public-net', [subnet('pub-sub', '172.24.4.0/24')], { mtu: 1500, segment: { type: 'flat', physicalNetwork: 'public' } });
/** What is inside of `insideRouter`. */
export const insideNetwork = network('in-net', [subnet('in-sub', '10.8.0.0/24', { gatewayIp: '10.8.0.1' })]);
/** A router from the inside to the public network, which it shows itself in as 172.24.4.10. */
export const insideRouter = (id: string, more: Partial<RouterSpec> = {}) =>
  router(id, {
    gateway: { networkId: 'public-net', mac: macOf(20), addresses: [{ ip: '172.24.4.10', prefixLength: 24, nexthop: '172.24.4.1' }], snat: true },
    interfaces: [{ portId: 'r-port', networkId: 'in-net', mac: macOf(21), addresses: [{ ip: '10.8.0.1', prefixLength: 24 }] }],
    ...more,
  });

export const rule = (direction: 'ingress' | 'egress', more: Partial<SecurityGroupRuleSpec> = {}): SecurityGroupRuleSpec => ({
  id: `r-${JSON.stringify([direction, more])
    .replace(/[^A-Za-z0-9]+/g, '-')
    .slice(0, 50)}0`,
  direction,
  ethertype: 'IPv4',
  ...more,
});

export const group = (
  id: string,
  rules: readonly SecurityGroupRuleSpec[],
  more: Partial<SecurityGroupSpec> = {},
): { readonly kind: 'securityGroup' } & SecurityGroupSpec => ({ kind: 'securityGroup', id, stateful: true, rules, ...more });

/** What neutron's default rules let out: everything. */
export const egressAll: readonly SecurityGroupRuleSpec[] = [rule('egress'), rule('egress', { ethertype: 'IPv6' })];
