import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cannotRun, until } from '@cairn/host/fabric/testing/machine';
import { NetworkGround } from '../support/network-walk/ground.ts';

/** What a loaded machine may take. */
const LONG_MS = 120_000;

test('a guest has an address of the prefix that the provider delegates to its router, is reached by it from outside, and so it stays on another host', {
  skip: cannotRun,
  timeout: 900_000,
}, async () => {
  const ground = await NetworkGround.start(2);
  const { world } = ground;
  try {
    const provider = await ground.provide();
    const { networks } = await world.expect(200, 'admin', 'GET', '/networks?name=public');
    const outside = networks[0].id;
    const { network, subnet: four } = await world.network('admin');
    const { security_groups: groups } = await world.expect(200, 'admin', 'GET', '/security-groups?name=default');
    const group = groups.find((each: { project_id: string }) => each.project_id === network.project_id);
    await world.create('admin', 'security_group_rule', { security_group_id: group.id, direction: 'ingress', ethertype: 'IPv6', protocol: 'ipv6-icmp' });
    const port = await world.create('admin', 'port', {
      network_id: network.id,
      device_owner: 'compute:nova',
      device_id: 'server',
      'binding:host_id': 'host-1',
    });
    await ground.settle();
    await ground.seat(await ground.views());
    const guest = ground.guestOf(port.id);
    await guest.run('sysctl', '-qw', 'net.ipv6.conf.eth0.accept_ra=1');

    const slaac = { ip_version: 6, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' };
    const { id } = await world.create('admin', 'subnet', { network_id: network.id, subnetpool_id: 'prefix_delegation', ...slaac });
    const router = await world.create('admin', 'router', { external_gateway_info: { network_id: outside } });
    for (const subnet_id of [four.id, id]) await world.expect(200, 'admin', 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id });

    const addressOf = async (): Promise<string> =>
      (await world.show('admin', 'port', port.id)).fixed_ips.find((fixed: { subnet_id: string }) => fixed.subnet_id === id).ip_address;
    const isReached = async (ip: string): Promise<boolean> =>
      (await ground.outside('ping', '-6', '-n', '-c', '1', '-w', '3', ip)).stdout.includes(' bytes from ');
    await until(async () => (await addressOf()).startsWith('2001:db8:a:'), LONG_MS);
    const address = await addressOf();
    await until(async () => (await guest.run('ip', '-6', '-o', 'addr', 'show', 'scope', 'global')).stdout.includes(`${address}/64`), LONG_MS);
    await until(() => isReached(address), LONG_MS);

    // the router goes to the other host: the same prefix, by the same way
    const { agents } = await world.expect(200, 'admin', 'GET', `/routers/${router.id}/l3-agents`);
    const other = agents[0].host === 'host-1' ? 'host-2' : 'host-1';
    const l3 = async (host: string): Promise<string> => (await world.expect(200, 'admin', 'GET', `/agents?host=${host}&agent_type=L3%20agent`)).agents[0].id;
    await world.expect(204, 'admin', 'DELETE', `/agents/${await l3(agents[0].host)}/l3-routers/${router.id}`);
    await world.expect(201, 'admin', 'POST', `/agents/${await l3(other)}/l3-routers`, { router_id: router.id });
    assert.ok(await provider.says(/^rebind /m, LONG_MS), provider.output);
    await until(() => isReached(address), LONG_MS);
    assert.equal(await addressOf(), address);
    assert.doesNotMatch(provider.output, /^release /m);

    await world.expect(200, 'admin', 'PUT', `/routers/${router.id}/remove_router_interface`, { subnet_id: id });
    assert.equal((await world.show('admin', 'subnet', id)).cidr, '::/64');
    assert.ok(await provider.says(/^release /m, LONG_MS), provider.output);
  } finally {
    await ground.stop();
  }
});
