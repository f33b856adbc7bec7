import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Port } from '../networks/queries.ts';
import { faultsOfPort, formOfPort, NEW_PORT, portBody, portChanges } from './request.ts';

test('a port is asked for with what was said, and nothing else', () => {
  assert.deepEqual(portBody('n', NEW_PORT), { network_id: 'n', name: '' });
  assert.deepEqual(
    portBody('n', {
      ...NEW_PORT,
      name: 'p',
      addresses: '10.0.0.9, fd00::9',
      pairs: '10.0.0.20',
      groups: ['g'],
      up: false,
      vnic: 'direct',
      qos: 'q',
      mac: ' fa:16:3e:00:00:01 ',
    }),
    {
      network_id: 'n',
      name: 'p',
      fixed_ips: [{ ip_address: '10.0.0.9' }, { ip_address: 'fd00::9' }],
      mac_address: 'fa:16:3e:00:00:01',
      admin_state_up: false,
      security_groups: ['g'],
      allowed_address_pairs: [{ ip_address: '10.0.0.20' }],
      'binding:vnic_type': 'direct',
      qos_policy_id: 'q',
    },
  );
  assert.deepEqual(portBody('n', { ...NEW_PORT, security: false, groups: ['g'], pairs: '10.0.0.20' }), {
    network_id: 'n',
    name: '',
    port_security_enabled: false,
    security_groups: [],
  });
});

test('what cannot be read is named', () => {
  assert.deepEqual([...faultsOfPort(NEW_PORT)], []);
  assert.deepEqual([...faultsOfPort({ ...NEW_PORT, addresses: 'here', pairs: '10.0.0.1 x' })], ['addresses', 'pairs']);
});

const PORT = {
  name: 'p',
  description: '',
  network_id: 'n',
  mac_address: 'fa:16:3e:00:00:01',
  fixed_ips: [{ subnet_id: 's', ip_address: '10.0.0.9' }],
  admin_state_up: true,
  port_security_enabled: true,
  security_groups: ['b', 'a'],
  allowed_address_pairs: [{ ip_address: '10.0.0.20', mac_address: 'fa:16:3e:00:00:01' }],
  'binding:vnic_type': 'normal',
  qos_policy_id: null,
} as unknown as Port;

test('of a port that is there only what is other is changed', () => {
  const form = formOfPort(PORT);
  assert.equal(form.pairs, '10.0.0.20', 'its own MAC is not written');
  assert.deepEqual(portChanges(PORT, form), {});
  assert.deepEqual(portChanges(PORT, { ...form, groups: ['a', 'b'] }), {}, 'groups have no order');
  assert.deepEqual(portChanges(PORT, { ...form, addresses: '10.0.0.9\n10.0.0.10', groups: ['a'] }), {
    fixed_ips: [{ subnet_id: 's', ip_address: '10.0.0.9' }, { ip_address: '10.0.0.10' }],
    security_groups: ['a'],
  });
  assert.deepEqual(portChanges(PORT, { ...form, security: false }), { port_security_enabled: false, security_groups: [], allowed_address_pairs: [] });
});
