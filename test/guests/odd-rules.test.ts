import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cannotRun } from '@cairn/host/fabric/testing/machine';
import { NetworkGround, type Probe } from '../support/network-walk/ground.ts';

const PROTOCOLS = [
  null,
  'any',
  'tcp',
  'udp',
  'icmp',
  'ipv6-icmp',
  'icmpv6',
  'sctp',
  'dccp',
  'udplite',
  'vrrp',
  'esp',
  'gre',
  'ah',
  'ipip',
  'ipv6-frag',
  '0',
  '1',
  '6',
  '17',
  '58',
  '112',
  '132',
  '136',
  '255',
  '256',
  '-1',
  'tcp\n',
  'drop',
];
const PORTS = [[], [0, 0], [22, 22], [1, 65_535], [80, null], [null, 80], [80, 22], [8, 0], [255, 255], [65_535, 65_536], [40_000, 40_001]];
const PREFIXES = {
  IPv4: [null, '0.0.0.0/0', '10.0.0.0/8', '10.77.1.9/8', '10.0.0.5/32', '10.0.0.5', '300.0.0.0/8', '10.0.0.0/33', '::/0'],
  IPv6: [null, '::/0', 'fe80::/10', 'fd00::1/0', 'fd00::5', '::ffff:10.0.0.1/128', 'fd00::/129', '10.0.0.0/8'],
} as const;

/** Classes of faults that upstream had: one project's rule that the firewall does not take keeps the rules of all others from being there. */
test('OSSA-2019-001, OSSA-2019-002: whatever rules one project makes, all that are accepted are in the kernel, and those of others too', {
  skip: cannotRun,
  timeout: 300_000,
}, async (t) => {
  const ground = await NetworkGround.start(1);
  const { world } = ground;
  try {
    const port = async (who: string, networkId: string, groupId: string): Promise<string> => {
      const project_id = (await world.show('admin', 'network', networkId)).project_id;
      const values = {
        network_id: networkId,
        project_id,
        security_groups: [groupId],
        device_owner: 'compute:nova',
        device_id: who,
        'binding:host_id': 'host-1',
      };
      return (await world.create('admin', 'port', values)).id;
    };
    const odd = await world.create('member', 'security_group', { name: 'odd' });
    const theirs = await world.network('member', '10.0.0.0/24');
    const oddPort = await port('odd', theirs.network.id, odd.id);
    const good = await world.create('other', 'security_group', { name: 'good' });
    const mine = await world.network('other', '10.1.0.0/24');
    const pair = [await port('one', mine.network.id, good.id), await port('two', mine.network.id, good.id)];

    let accepted = 0;
    let refused = 0;
    for (const protocol of PROTOCOLS) {
      for (const [n, [port_range_min = null, port_range_max = null]] of PORTS.entries()) {
        for (const ethertype of ['IPv4', 'IPv6'] as const) {
          const remote_ip_prefix = PREFIXES[ethertype][(accepted + refused + n) % PREFIXES[ethertype].length] ?? null;
          const rule = {
            security_group_id: odd.id,
            direction: n % 2 ? 'ingress' : 'egress',
            ethertype,
            protocol,
            port_range_min,
            port_range_max,
            remote_ip_prefix,
          };
          const { status, body } = await world.call('member', 'POST', '/security-group-rules', { security_group_rule: rule });
          assert.ok([201, 400, 409].includes(status), `${status} ${JSON.stringify([rule, body])}`);
          if (status === 201) accepted++;
          else refused++;
        }
      }
    }
    t.diagnostic(`${accepted} rules accepted, ${refused} refused`);
    assert.ok(accepted > 100 && refused > 100, `${accepted} ${refused}`);
    await ground.settle();
    assert.deepEqual(await ground.unlike('host-1'), []);
    assert.equal((await world.show('admin', 'port', oddPort)).status, 'ACTIVE');

    // those of another project go on as before, and so do changes of them
    await ground.seat(await ground.views());
    const [from = '', to = ''] = pair;
    const ip = async (id: string): Promise<string> => (await world.show('admin', 'port', id)).fixed_ips[0].ip_address;
    const probe: Probe = { from, source: await ip(from), destination: await ip(to), protocol: 'tcp', sourcePort: 40_000, destinationPort: 22 };
    assert.equal(await ground.isAnswered(probe, false), false);
    await world.create('other', 'security_group_rule', {
      security_group_id: good.id,
      direction: 'ingress',
      protocol: 'tcp',
      port_range_min: 22,
      port_range_max: 22,
    });
    await ground.settle();
    assert.equal(await ground.isAnswered({ ...probe, sourcePort: 40_001 }, true), true);
  } finally {
    await ground.stop();
  }
});
