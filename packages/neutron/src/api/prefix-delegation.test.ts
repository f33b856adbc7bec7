import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { simulatedPrefix } from '@cairn/host/simulated/fabric';
import type { SimulatedAgent } from '@cairn/host/simulated/agent';
import { type Clock, systemClock } from '@cairn/kit/clock/clock';
import { NetworkWorld } from '../testing/network-world.ts';

const SLAAC = { ip_version: 6, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' };

describe('subnets whose prefix is delegated', () => {
  let world: NetworkWorld;
  let publicId: string;
  before(async () => {
    world = await NetworkWorld.start({ hosts: ['host'], quotas: { network: -1, subnet: -1, port: -1, router: -1 } });
    publicId = (await world.publicNetwork()).network.id;
  });
  after(() => world.close());

  const network = async (): Promise<string> => (await world.create('member', 'network')).id;
  const delegated = (network_id: string, more: object = {}) =>
    world.create('member', 'subnet', { network_id, subnetpool_id: 'prefix_delegation', ...SLAAC, ...more });
  const refused = async (values: object): Promise<string> =>
    (await world.expect(400, 'member', 'POST', '/subnets', { subnet: { network_id: await network(), ...values } })).NeutronError.message;
  const routerOn = async (...subnetIds: readonly string[]): Promise<string> => {
    const { id } = await world.create('member', 'router', { external_gateway_info: { network_id: publicId } });
    for (const subnet_id of subnetIds) await world.expect(200, 'member', 'PUT', `/routers/${id}/add_router_interface`, { subnet_id });
    return id;
  };
  const leave = (routerId: string, subnet_id: string) => world.expect(200, 'member', 'PUT', `/routers/${routerId}/remove_router_interface`, { subnet_id });
  /** The subnet once all that hosts have told is put down. */
  const settled = async (id: string) => {
    for (let i = 0; i < 5; i++) {
      await world.neutron.app.pusher.idle();
      await new Promise((resolve) => setImmediate(resolve));
      await world.neutron.app.env.store.write(async () => undefined);
    }
    return world.show('member', 'subnet', id);
  };

  it('wait for it on a placeholder, of which there may be several on one network', async () => {
    const network_id = await network();
    const subnet = await delegated(network_id);
    assert.deepEqual(
      [subnet.cidr, subnet.gateway_ip, subnet.subnetpool_id, subnet.allocation_pools],
      ['::/64', '::', 'prefix_delegation', [{ start: '::1', end: '::ffff:ffff:ffff:ffff' }]],
    );
    const other = await delegated(network_id, { ipv6_ra_mode: 'dhcpv6-stateless', ipv6_address_mode: 'dhcpv6-stateless' });
    const port = await world.create('member', 'port', { network_id, mac_address: 'fa:16:3e:00:00:01' });
    assert.deepEqual(
      port.fixed_ips.map((fixed: { ip_address: string }) => fixed.ip_address),
      ['::f816:3eff:fe00:1', '::f816:3eff:fe00:1'],
    );
    assert.deepEqual((await world.onHost('port', port.id))?.fixedIps ?? [], [], 'no host has placeholders');
    await world.expect(204, 'member', 'DELETE', `/ports/${port.id}`);
    for (const { id } of [subnet, other]) await world.expect(204, 'member', 'DELETE', `/subnets/${id}`);
  });

  it('are refused in the words of upstream', async () => {
    const pool = { subnetpool_id: 'prefix_delegation' };
    assert.match(await refused({ ...pool, ip_version: 4 }), /Prefix Delegation can only be used with IPv6 subnets\.\.$/);
    assert.match(await refused({ ...pool, ip_version: 6 }), /IPv6 RA Mode must be SLAAC or Stateless for Prefix Delegation\.\.$/);
    assert.match(await refused({ ...pool, ip_version: 6, ipv6_ra_mode: 'slaac' }), /IPv6 Address Mode must be SLAAC or Stateless for Prefix Delegation\.\.$/);
    assert.match(await refused({ ...pool, ...SLAAC, use_default_subnetpool: true }), /cannot both be specified\.$/);
    assert.match(
      await refused({ ...pool, ...SLAAC, allocation_pools: [{ start: '::2', end: '::3' }] }),
      /allocation_pools allowed only for specific subnet requests\.\.$/,
    );
    assert.match(await refused({ ...SLAAC, cidr: '::/64' }), /IPv6 subnet '::' is not supported/);
    assert.match(await refused({ ...SLAAC, use_default_subnetpool: true }), /No default subnetpool found for IPv6\.$/);
  });

  it('are ordinary where the prefix is given, and share their network with no others of IPv6', async () => {
    const network_id = await network();
    const ordinary = await world.create('member', 'subnet', { network_id, subnetpool_id: 'prefix_delegation', ...SLAAC, cidr: '2001:db8:7::/64' });
    assert.deepEqual([ordinary.cidr, ordinary.subnetpool_id], ['2001:db8:7::/64', null]);
    const { NeutronError } = await world.expect(400, 'member', 'POST', '/subnets', { subnet: { network_id, subnetpool_id: 'prefix_delegation', ...SLAAC } });
    assert.equal(NeutronError.type, 'NetworkSubnetPoolAffinityError');
  });

  it('get it when a router with a gateway is on them, with their gateway, pools and ports; and wait again when it leaves', async () => {
    const network_id = await network();
    const port = await world.create('member', 'port', { network_id, mac_address: 'fa:16:3e:00:00:02' });
    const { id } = await delegated(network_id);
    const routerId = await routerOn(id);
    const prefix = simulatedPrefix(id);
    const base = prefix.replace('::/64', ':');
    const subnet = await settled(id);
    assert.deepEqual([subnet.cidr, subnet.gateway_ip], [prefix, `${base}:1`]);
    assert.deepEqual(subnet.allocation_pools, [{ start: `${base}:2`, end: `${base}ffff:ffff:ffff:ffff` }]);
    const after = await world.show('member', 'port', port.id);
    assert.deepEqual(after.fixed_ips, [{ subnet_id: id, ip_address: `${base}f816:3eff:fe00:2` }]);
    assert.ok(after.revision_number > port.revision_number);
    const router = await world.onHost('router', routerId);
    assert.deepEqual(
      router.interfaces.map((link: { addresses: unknown }) => link.addresses),
      [[{ ip: `${base}:1`, prefixLength: 64 }]],
    );
    assert.equal(router.prefixDelegation[0].prefix, prefix);
    const onHost = await world.onHost('network', network_id);
    assert.deepEqual(
      onHost.subnets.map((each: { cidr: string }) => each.cidr),
      [prefix],
    );
    // one more port has an address of the prefix at once
    const late = await world.create('member', 'port', { network_id, mac_address: 'fa:16:3e:00:00:03' });
    assert.deepEqual(late.fixed_ips, [{ subnet_id: id, ip_address: `${base}f816:3eff:fe00:3` }]);

    await leave(routerId, id);
    const left = await settled(id);
    assert.deepEqual([left.cidr, left.gateway_ip], ['::/64', '::1']);
    assert.deepEqual((await world.show('member', 'port', port.id)).fixed_ips, [{ subnet_id: id, ip_address: '::f816:3eff:fe00:2' }]);
    await world.expect(204, 'member', 'DELETE', `/routers/${routerId}`);
  });

  it('lose it with the gateway, and have it again with a new one', async () => {
    const [one, two] = [await delegated(await network()), await delegated(await network())];
    const routerId = await routerOn(one.id, two.id);
    assert.deepEqual([(await settled(one.id)).cidr, (await settled(two.id)).cidr], [simulatedPrefix(one.id), simulatedPrefix(two.id)]);
    await world.update('member', 'router', routerId, { external_gateway_info: null });
    assert.deepEqual([(await settled(one.id)).cidr, (await settled(two.id)).cidr], ['::/64', '::/64']);
    assert.equal((await world.onHost('router', routerId)).prefixDelegation, undefined);
    await world.update('member', 'router', routerId, { external_gateway_info: { network_id: publicId } });
    assert.equal((await settled(one.id)).cidr, simulatedPrefix(one.id));
  });

  it('follow what the provider changes, refuse what another subnet has, and heed no host but that of the router', async () => {
    const taken = await network();
    const fixed = await world.create('member', 'subnet', { network_id: taken, ip_version: 6, cidr: '2001:db8:77::/64' });
    const { id } = await delegated(await network());
    const routerId = await routerOn(id, fixed.id);
    await settled(id);
    const agent = world.hosts.get('host') as SimulatedAgent;
    const tell = async (prefix: string | undefined, by = routerId) => {
      agent.fabric.tellPrefix(by, id, prefix);
      return (await settled(id)).cidr;
    };
    assert.equal(await tell('2001:db8:88::/64'), '2001:db8:88::/64');
    assert.equal((await world.onHost('router', routerId)).prefixDelegation[0].before, simulatedPrefix(id), 'guests are told to leave the old one');
    assert.equal(await tell('2001:db8:77::/64'), '2001:db8:88::/64');
    assert.equal(await tell('::/64'), '2001:db8:88::/64');
    assert.equal(await tell('2001:db8:99::/64', 'another'), '2001:db8:88::/64');
    const other = world.addHost('other-host');
    other.fabric.tellPrefix(routerId, id, '2001:db8:99::/64');
    assert.equal((await settled(id)).cidr, '2001:db8:88::/64');
    // a gateway of the user's own choice changes nothing about who asks
    await world.update('member', 'subnet', id, { gateway_ip: 'fe80::7' });
    assert.equal((await world.onHost('router', routerId)).prefixDelegation[0].prefix, '2001:db8:88::/64');
    assert.equal(await tell('2001:db8:89::/64'), '2001:db8:89::/64');
    const { ports } = await world.expect(200, 'member', 'GET', `/ports?device_id=${routerId}&fixed_ips=subnet_id%3D${id}`);
    assert.deepEqual(
      ports.map((port: { fixed_ips: unknown }) => port.fixed_ips),
      [[{ subnet_id: id, ip_address: '2001:db8:89::1' }]],
    );
    // expired: the host tells so, and asks anew
    assert.ok(['::/64', simulatedPrefix(id)].includes(await tell(undefined)));
  });

  it('are told for two hours what it has replaced', async () => {
    let laterMs = 0;
    const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + laterMs };
    const own = await NetworkWorld.start({ hosts: ['host'], clock });
    try {
      const { id: outside } = (await own.publicNetwork()).network;
      const { id: network_id } = await own.create('member', 'network');
      const { id } = await own.create('member', 'subnet', { network_id, subnetpool_id: 'prefix_delegation', ...SLAAC });
      const router = await own.create('member', 'router', { external_gateway_info: { network_id: outside } });
      await own.expect(200, 'member', 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: id });
      const told = async () => (await own.onHost('router', router.id)).prefixDelegation[0];
      const becomes = async (prefix: string, before: string | undefined): Promise<void> => {
        for (let i = 0; i < 3000 && ((await told()).prefix !== prefix || (await told()).before !== before); i++) await sleep(10);
        assert.deepEqual([(await told()).prefix, (await told()).before], [prefix, before]);
      };
      const tell = (prefix: string): void => (own.hosts.get('host') as SimulatedAgent).fabric.tellPrefix(router.id, id, prefix);
      await becomes(simulatedPrefix(id), undefined);
      tell('2001:db8:88::/64');
      await becomes('2001:db8:88::/64', simulatedPrefix(id));
      tell('2001:db8:89::/64');
      await becomes('2001:db8:89::/64', '2001:db8:88::/64');
      laterMs = 7_100_000;
      tell('2001:db8:89::/64');
      await becomes('2001:db8:89::/64', '2001:db8:88::/64');
      laterMs = 7_400_000;
      tell('2001:db8:89::/64');
      await becomes('2001:db8:89::/64', undefined);
    } finally {
      await own.close();
    }
  });

  it('come by default where the operator has said so', async () => {
    const byDefault = await NetworkWorld.start({ ipv6PrefixDelegation: true });
    try {
      const { id } = await byDefault.create('member', 'network');
      const subnet = await byDefault.create('member', 'subnet', { network_id: id, use_default_subnetpool: true, ...SLAAC });
      assert.deepEqual([subnet.cidr, subnet.subnetpool_id], ['::/64', 'prefix_delegation']);
    } finally {
      await byDefault.close();
    }
  });

  it('may be left by a port, as no other subnet with automatic addresses may', async () => {
    const network_id = await network();
    const four = await world.create('member', 'subnet', { network_id, ip_version: 4, cidr: '10.3.0.0/24' });
    const { id } = await delegated(network_id);
    const port = await world.create('member', 'port', { network_id });
    assert.equal(port.fixed_ips.length, 2);
    const kept = await world.update('member', 'port', port.id, { fixed_ips: [{ subnet_id: four.id }, { subnet_id: id }] });
    assert.equal(kept.fixed_ips.length, 2);
    const left = await world.update('member', 'port', port.id, { fixed_ips: [{ subnet_id: four.id }] });
    assert.deepEqual(
      left.fixed_ips.map((fixed: { subnet_id: string }) => fixed.subnet_id),
      [four.id],
    );
  });
});
