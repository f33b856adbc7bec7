import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Port } from '../networks/queries.ts';
import { addressChoices, pageOfUser, portLabel, userOf } from './model.ts';

const port = (id: string, device_owner: string, device_id: string, ...addresses: string[]): Port =>
  ({ id, name: '', device_owner, device_id, fixed_ips: addresses.map((ip_address) => ({ subnet_id: 's', ip_address })) }) as unknown as Port;

test('what uses a port is told by its owner, and has a page where it is a server or a router', () => {
  for (const [owner, device, user, page] of [
    ['compute:nova', 'vm', 'server', '/servers/vm'],
    ['network:router_interface', 'r', 'router', '/routers/r'],
    ['network:ha_router_replicated_interface', 'r', 'router', '/routers/r'],
    ['network:router_gateway', 'r', 'router', '/routers/r'],
    ['network:dhcp', 'dhcp', 'dhcp', undefined],
    ['network:floatingip', 'f', 'floating', undefined],
    ['', '', 'nobody', undefined],
    ['mine:own', 'x', 'other', undefined],
    ['compute:nova', '', 'server', undefined],
  ] as const)
    assert.deepEqual([userOf({ device_owner: owner, device_id: device }), pageOfUser({ device_owner: owner, device_id: device })], [user, page], owner);
});

test('a floating IP may lead to IPv4 addresses of servers and of free ports that no other has', () => {
  const ports = [
    port('p-free', '', '', '10.0.0.9'),
    port('p-vm', 'compute:nova', 'vm', '10.0.0.5', 'fd00::5'),
    port('p-taken', 'compute:nova', 'vm', '10.0.0.6'),
    port('p-router', 'network:router_interface', 'r', '10.0.0.1'),
  ];
  const choices = addressChoices(ports, [{ id: 'vm', name: 'web' }], [{ port_id: 'p-taken', fixed_ip_address: '10.0.0.6' }]);
  assert.deepEqual(choices, [
    { value: 'p-vm 10.0.0.5', label: 'web: 10.0.0.5', portId: 'p-vm', address: '10.0.0.5' },
    { value: 'p-free 10.0.0.9', label: '10.0.0.9 (p-free)', portId: 'p-free', address: '10.0.0.9' },
  ]);
});

test('a port in a line', () => {
  assert.equal(portLabel(port('p', 'compute:nova', 'vm', '10.0.0.5'), [{ id: 'vm', name: 'web' }]), 'web: 10.0.0.5');
  assert.equal(portLabel(port('p', 'compute:nova', 'vm'), [{ id: 'vm', name: 'web' }]), 'web: p');
  assert.equal(portLabel(port('p', '', '', '10.0.0.5', 'fd00::1'), []), 'p: 10.0.0.5, fd00::1');
});
