import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { cannotRun } from '@cairn/host/fabric/testing/machine';
import { NetworkGround, type Surroundings } from '../support/network-walk/ground.ts';

/** Two racks, each a network of its own, with a host in each; a router stands between them, outside of the cloud. */
const racks: Surroundings = {
  commands: [
    'link add rack1 type bridge',
    'addr add 10.91.0.1/24 dev rack1',
    'link set rack1 up',
    'link add rack2 type bridge',
    'addr add 10.92.0.1/24 dev rack2',
    'link set rack2 up',
  ],
  physicalNetworks: { public: {}, rack1: { hosts: ['host-1'], isWired: true }, rack2: { hosts: ['host-2'], isWired: true } },
  links: (host) => (host === 'host-1' ? { rack1: { linkName: 'r1', outerBridge: 'rack1' } } : { rack2: { linkName: 'r2', outerBridge: 'rack2' } }),
};

describe('a routed provider network on two hosts, with packets', { skip: cannotRun, timeout: 300_000 }, () => {
  let ground: NetworkGround;
  const ports: { id: string; fixed_ips: { ip_address: string }[] }[] = [];

  before(async () => {
    ground = await NetworkGround.start(2, racks);
    await ground.outside('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  });
  after(async () => await ground?.stop());

  test('a port has an address of the segment that its host is at', async () => {
    const { world } = ground;
    const flat = (name: string) => ({ 'provider:network_type': 'flat', 'provider:physical_network': name });
    const network = await world.create('admin', 'network', { segments: [flat('rack1'), flat('rack2')] });
    const { segments } = await world.expect(200, 'admin', 'GET', `/segments?network_id=${network.id}&sort_key=physical_network&sort_dir=asc`);
    for (const [i, segment] of segments.entries())
      await world.create('admin', 'subnet', { network_id: network.id, ip_version: 4, cidr: `10.9${i + 1}.0.0/24`, segment_id: segment.id });
    const group = await world.create('admin', 'security_group', { name: 'open' });
    await world.create('admin', 'security_group_rule', { security_group_id: group.id, direction: 'ingress', ethertype: 'IPv4' });
    for (const host of ['host-1', 'host-2', 'host-2'])
      ports.push(
        await world.create('admin', 'port', { network_id: network.id, device_owner: 'compute:nova', 'binding:host_id': host, security_groups: [group.id] }),
      );
    assert.deepEqual(
      ports.map((port) => port.fixed_ips[0]?.ip_address.slice(0, 6)),
      ['10.91.', '10.92.', '10.92.'],
    );
    await ground.settle();
    await ground.seat(await ground.views());
  });

  test('segments are joined by the router outside of the cloud alone; what is on one is neighbours', async () => {
    const [first, second, third] = ports.map((port) => ground.guestOf(port.id));
    const ips = ports.map((port) => port.fixed_ips[0]?.ip_address ?? '');
    assert.ok(await second?.pings(ips[2] ?? ''), 'on one segment');
    assert.ok(await first?.pings(ips[1] ?? ''), 'from rack to rack');
    assert.match((await first?.run('ping', '-n', '-c', '1', '-w', '8', ips[2] ?? ''))?.stdout ?? '', /ttl=63/, 'by one router');
    assert.match((await third?.run('ping', '-n', '-c', '1', '-w', '8', ips[1] ?? ''))?.stdout ?? '', /ttl=64/, 'by none');
    await ground.outside('sysctl', '-qw', 'net.ipv4.ip_forward=0');
    assert.ok(await first?.cannotPing(ips[1] ?? ''), 'no tunnel joins them');
    await ground.outside('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  });

  test('each segment has its own DHCP server, on one of its hosts', async () => {
    for (const port of ports.slice(0, 2)) {
      const guest = ground.guestOf(port.id);
      const ip = port.fixed_ips[0]?.ip_address ?? '';
      await guest.run('ip', 'addr', 'flush', 'dev', 'eth0');
      const { stdout } = await guest.run('busybox', 'udhcpc', '-i', 'eth0', '-n', '-q', '-f', '-t', '8', '-T', '1', '-s', '/bin/true');
      assert.match(stdout, new RegExp(`lease of ${ip} obtained`), stdout);
    }
  });
});
