import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COLUMN, ROW, type TopologyFacts, topologyOf } from './topology-model.ts';

const network = (id: string, external = false) => ({ id, name: id, status: 'ACTIVE', 'router:external': external });
const port = (id: string, network_id: string, device_id: string, device_owner: string, status = 'ACTIVE') => ({
  id,
  network_id,
  device_id,
  device_owner,
  status,
  fixed_ips: [{ subnet_id: 's', ip_address: `10.0.0.${id.length}` }],
});
const gateway = { network_id: 'outer', external_fixed_ips: [{ subnet_id: 's', ip_address: '172.24.4.2' }] };

const FACTS: TopologyFacts = {
  networks: [network('inner'), network('outer', true), network('apart')],
  subnets: [{ network_id: 'inner', cidr: '10.0.0.0/24' }],
  routers: [{ id: 'r', name: '', status: 'ACTIVE', external_gateways: [gateway] }],
  servers: [
    { id: 'vm', name: 'vm', status: 'ACTIVE' },
    { id: 'lone', name: 'lone', status: 'ACTIVE' },
  ],
  ports: [
    port('a', 'inner', 'r', 'network:router_interface'),
    { ...port('bb', 'inner', 'vm', 'compute:nova', 'DOWN'), fixed_ips: ['fd00::2', '10.0.0.2'].map((ip_address) => ({ subnet_id: 's', ip_address })) },
    port('c', 'outer', 'r', 'network:router_gateway'),
    port('d', 'inner', 'inner-dhcp', 'network:dhcp'),
    port('e', 'somewhere', 'vm', 'compute:nova'),
  ],
  floatingIps: [{ id: 'f', floating_ip_address: '172.24.4.9', port_id: 'bb' }],
};

test('outer networks, routers, networks and servers stand in columns, and each port is a line', () => {
  const { nodes, edges } = topologyOf(FACTS);
  assert.deepEqual(
    nodes.map(({ id, x }) => [id, x / COLUMN]),
    [
      ['outer', 0],
      ['r', 1],
      ['inner', 2],
      ['apart', 2],
      ['vm', 3],
      ['lone', 3],
    ],
  );
  assert.equal(nodes[1]?.name, 'r', 'what has no name is called by its id');
  assert.deepEqual(nodes.map(({ facts }) => facts).flat(), ['172.24.4.2', '10.0.0.0/24']);
  assert.deepEqual(nodes.find(({ id }) => id === 'vm')?.floating, [{ id: 'f', address: '172.24.4.9' }]);
  assert.deepEqual(
    edges.map(({ from, to, label, up }) => [from, to, label, up]),
    [
      ['outer', 'r', '', true],
      ['r', 'inner', '10.0.0.1', true],
      ['inner', 'vm', '10.0.0.2 +1', false],
    ],
  );
});

test('around one network are its servers and routers, and where they lead', () => {
  const { nodes, edges } = topologyOf(FACTS, 'inner');
  assert.deepEqual(
    nodes.map(({ id }) => id),
    ['outer', 'r', 'inner', 'vm'],
  );
  assert.equal(edges.length, 3);
  assert.deepEqual(
    topologyOf(FACTS, 'apart').nodes.map(({ id }) => id),
    ['apart'],
  );
});

test('hundreds of things lie on nobody, and in a picture that is not much longer than wide', () => {
  const networks = [network('outer', true), ...Array.from({ length: 40 }, (_, i) => network(`n${i}`))];
  const routers = Array.from({ length: 10 }, (_, i) => ({ id: `r${i}`, name: '', status: 'ACTIVE', external_gateways: [gateway] }));
  const servers = Array.from({ length: 200 }, (_, i) => ({ id: `vm${i}`, name: '', status: 'ACTIVE' }));
  const ports = [
    ...servers.map(({ id }, i) => port(`p${i}`, `n${i % 3}`, id, 'compute:nova')),
    ...routers.map(({ id }, i) => port(`q${i}`, `n${i}`, id, 'network:router_interface')),
  ];
  const { nodes } = topologyOf({ networks, subnets: [], routers, servers, ports, floatingIps: [] });
  assert.equal(nodes.length, 251);
  for (const [i, a] of nodes.entries())
    for (const b of nodes.slice(i + 1)) assert.ok(Math.abs(a.x - b.x) >= COLUMN || Math.abs(a.y - b.y) >= ROW, `${a.id} and ${b.id}`);
  const [width, height] = [Math.max(...nodes.map(({ x }) => x)), Math.max(...nodes.map(({ y }) => y))];
  assert.ok(height < 2 * width, `${width} x ${height}`);
});
