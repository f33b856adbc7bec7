import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topologyOf } from './topology-model.ts';

const network = (id: string, external = false) => ({ id, name: id, status: 'ACTIVE', 'router:external': external });
const port = (id: string, network_id: string, device_id: string, device_owner: string, status = 'ACTIVE') => ({
  id,
  network_id,
  device_id,
  device_owner,
  status,
  fixed_ips: [{ subnet_id: 's', ip_address: `10.0.0.${id.length}` }],
});

test('outer networks, routers, networks and servers stand in columns, and each port is a line', () => {
  const { nodes, edges } = topologyOf({
    networks: [network('inner'), network('outer', true)],
    routers: [{ id: 'r', name: '', status: 'ACTIVE', external_gateway_info: { network_id: 'outer' } }],
    servers: [{ id: 'vm', name: 'vm', status: 'ACTIVE' }],
    ports: [
      port('a', 'inner', 'r', 'network:router_interface'),
      port('bb', 'inner', 'vm', 'compute:nova', 'DOWN'),
      port('c', 'outer', 'r', 'network:router_gateway'),
      port('d', 'inner', 'inner-dhcp', 'network:dhcp'),
      port('e', 'somewhere', 'vm', 'compute:nova'),
    ],
  });
  assert.deepEqual(
    nodes.map(({ id, x }) => [id, x]),
    [
      ['outer', 0],
      ['r', 260],
      ['inner', 520],
      ['vm', 780],
    ],
  );
  assert.equal(nodes[1]?.name, 'r', 'what has no name is called by its id');
  assert.deepEqual(
    edges.map(({ from, to, label, up }) => [from, to, label, up]),
    [
      ['outer', 'r', '', true],
      ['r', 'inner', '10.0.0.1', true],
      ['inner', 'vm', '10.0.0.2', false],
    ],
  );
});
