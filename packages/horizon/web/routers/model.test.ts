import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Network, Port, Subnet } from '../networks/queries.ts';
import { interfacesOf, nameOfGateway, subnetChoices } from './model.ts';

test('a router is put on subnets of inner networks that it is not on yet', () => {
  const networks = [
    { id: 'in', name: 'inner', 'router:external': false },
    { id: 'out', name: 'outer', 'router:external': true },
  ] as Network[];
  const subnets = [
    { id: 's1', name: '', network_id: 'in', cidr: '10.0.0.0/24' },
    { id: 's2', name: 'six', network_id: 'in', cidr: 'fd00::/64' },
    { id: 's3', name: '', network_id: 'out', cidr: '172.24.4.0/24' },
  ] as Subnet[];
  const ports = [
    { id: 'p1', device_owner: 'network:router_interface', fixed_ips: [{ subnet_id: 's1', ip_address: '10.0.0.1' }] },
    { id: 'p2', device_owner: 'network:router_gateway', fixed_ips: [{ subnet_id: 's3', ip_address: '172.24.4.3' }] },
  ] as unknown as Port[];
  assert.deepEqual(
    interfacesOf(ports).map(({ id }) => id),
    ['p1'],
  );
  assert.deepEqual(subnetChoices(networks, subnets, interfacesOf(ports)), [{ value: 's2', label: 'inner: fd00::/64', description: 'six' }]);
});

test('a gateway is named by its network and its addresses', () => {
  const one = { network_id: 'out', external_fixed_ips: [{ subnet_id: 's3', ip_address: '172.24.4.3' }] };
  const two = { network_id: 'out', external_fixed_ips: [] };
  assert.deepEqual([one, two].map(nameOfGateway), [{ network_id: 'out', external_fixed_ips: [{ ip_address: '172.24.4.3' }] }, { network_id: 'out' }]);
});
