import { changesOf, type Pool, poolsIn, poolsText, type Route, routesIn, routesText, wordsIn } from './lines.ts';
import type { Subnet } from './queries.ts';

/** What the form of a subnet asks for, as it is typed. */
export interface SubnetForm {
  readonly version: 4 | 6;
  /** Its own range, or a part of a pool. */
  readonly source: 'range' | 'pool';
  readonly cidr: string;
  readonly poolId: string;
  /** Of a pool's part; empty for the pool's default. */
  readonly prefixLength: string;
  readonly gateway: 'auto' | 'none' | 'address';
  readonly gatewayIp: string;
  readonly dhcp: boolean;
  /** How ports get their IPv6 addresses; empty where that is not the cloud's business. */
  readonly ipv6Mode: '' | 'slaac' | 'dhcpv6-stateful' | 'dhcpv6-stateless';
  readonly dns: string;
  readonly pools: string;
  readonly routes: string;
}

export const NEW_SUBNET: SubnetForm = {
  version: 4,
  source: 'range',
  cidr: '10.0.0.0/24',
  poolId: '',
  prefixLength: '',
  gateway: 'auto',
  gatewayIp: '',
  dhcp: true,
  ipv6Mode: '',
  dns: '',
  pools: '',
  routes: '',
};

/** The form as a subnet fills it, to be changed. */
export const formOf = (subnet: Subnet): SubnetForm => ({
  ...NEW_SUBNET,
  version: subnet.ip_version,
  cidr: subnet.cidr,
  gateway: subnet.gateway_ip === null ? 'none' : 'address',
  gatewayIp: subnet.gateway_ip ?? '',
  dhcp: subnet.enable_dhcp,
  dns: subnet.dns_nameservers.join('\n'),
  pools: poolsText(subnet.allocation_pools),
  routes: routesText(subnet.host_routes),
});

/** The fields in which something is that cannot be read, or nothing that is needed. */
export function faultsOf(form: SubnetForm): ReadonlySet<'cidr' | 'pool' | 'gateway' | 'pools' | 'routes'> {
  const faults = new Set<'cidr' | 'pool' | 'gateway' | 'pools' | 'routes'>();
  if (form.source === 'range' && !/^[\da-f.:]+\/\d+$/i.test(form.cidr.trim())) faults.add('cidr');
  if (form.source === 'pool' && form.poolId === '') faults.add('pool');
  if (form.gateway === 'address' && form.gatewayIp.trim() === '') faults.add('gateway');
  if (poolsIn(form.pools) === undefined) faults.add('pools');
  if (routesIn(form.routes) === undefined) faults.add('routes');
  return faults;
}

/** The values of POST /subnets, of a form without faults; the version is that of the range, where there is one. */
export function subnetBody(form: SubnetForm): Readonly<Record<string, unknown>> {
  const version = form.source === 'range' ? (form.cidr.includes(':') ? 6 : 4) : form.version;
  const pools = poolsIn(form.pools) ?? [];
  const routes = routesIn(form.routes) ?? [];
  const dns = wordsIn(form.dns);
  return {
    ip_version: version,
    ...(form.source === 'range'
      ? { cidr: form.cidr.trim() }
      : { subnetpool_id: form.poolId, ...(form.prefixLength.trim() !== '' && { prefixlen: Number(form.prefixLength) }) }),
    ...(form.gateway !== 'auto' && { gateway_ip: form.gateway === 'none' ? null : form.gatewayIp.trim() }),
    ...(!form.dhcp && { enable_dhcp: false }),
    ...(version === 6 && form.ipv6Mode !== '' && { ipv6_ra_mode: form.ipv6Mode, ipv6_address_mode: form.ipv6Mode }),
    ...(dns.length > 0 && { dns_nameservers: dns }),
    ...(pools.length > 0 && { allocation_pools: pools }),
    ...(routes.length > 0 && { host_routes: routes }),
  };
}

/** What the form and the names make of a subnet that is there: what is other alone. */
export function subnetChanges(
  subnet: Subnet,
  form: SubnetForm,
  names: { readonly name: string; readonly description: string },
): Readonly<Record<string, unknown>> {
  return changesOf<{
    name: string;
    description: string;
    gateway_ip: string | null;
    enable_dhcp: boolean;
    dns_nameservers: readonly string[];
    allocation_pools: readonly Pool[];
    host_routes: readonly Route[];
  }>(subnet, {
    ...names,
    gateway_ip: form.gateway === 'none' ? null : form.gatewayIp.trim(),
    enable_dhcp: form.dhcp,
    dns_nameservers: wordsIn(form.dns),
    allocation_pools: poolsIn(form.pools),
    host_routes: routesIn(form.routes),
  });
}
