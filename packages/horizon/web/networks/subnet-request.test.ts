import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Subnet } from './queries.ts';
import { faultsOf, formOf, NEW_SUBNET, subnetBody, subnetChanges } from './subnet-request.ts';

test('a subnet is asked for with what was said, and nothing else', () => {
  assert.deepEqual(subnetBody(NEW_SUBNET), { ip_version: 4, cidr: '10.0.0.0/24' });
  assert.deepEqual(
    subnetBody({
      ...NEW_SUBNET,
      cidr: ' fd00::/64 ',
      ipv6Mode: 'slaac',
      gateway: 'none',
      dhcp: false,
      dns: 'fd00::53, fd00::54',
      pools: 'fd00::2-fd00::99',
      routes: 'fd01::/64, fd00::1',
    }),
    {
      ip_version: 6,
      cidr: 'fd00::/64',
      gateway_ip: null,
      enable_dhcp: false,
      ipv6_ra_mode: 'slaac',
      ipv6_address_mode: 'slaac',
      dns_nameservers: ['fd00::53', 'fd00::54'],
      allocation_pools: [{ start: 'fd00::2', end: 'fd00::99' }],
      host_routes: [{ destination: 'fd01::/64', nexthop: 'fd00::1' }],
    },
  );
  assert.deepEqual(subnetBody({ ...NEW_SUBNET, source: 'pool', poolId: 'p', prefixLength: '28', gateway: 'address', gatewayIp: '10.0.0.9' }), {
    ip_version: 4,
    subnetpool_id: 'p',
    prefixlen: 28,
    gateway_ip: '10.0.0.9',
  });
});

test('what cannot be read or is missing is named', () => {
  assert.deepEqual([...faultsOf(NEW_SUBNET)], []);
  assert.deepEqual([...faultsOf({ ...NEW_SUBNET, cidr: '10.0.0.0', gateway: 'address', pools: 'x', routes: 'y' })], ['cidr', 'gateway', 'pools', 'routes']);
  assert.deepEqual([...faultsOf({ ...NEW_SUBNET, source: 'pool' })], ['pool']);
});

test('of a subnet that is there only what is other is changed', () => {
  const subnet = {
    name: 'a',
    description: '',
    ip_version: 4,
    cidr: '10.0.0.0/24',
    gateway_ip: '10.0.0.1',
    enable_dhcp: true,
    dns_nameservers: ['9.9.9.9'],
    allocation_pools: [{ start: '10.0.0.2', end: '10.0.0.254' }],
    host_routes: [],
  } as unknown as Subnet;
  const names = { name: 'a', description: '' };
  const form = formOf(subnet);
  assert.deepEqual(subnetChanges(subnet, form, names), {});
  assert.deepEqual(subnetChanges(subnet, { ...form, gateway: 'none', dns: '' }, { ...names, name: 'b' }), { name: 'b', gateway_ip: null, dns_nameservers: [] });
});
