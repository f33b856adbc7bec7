import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { TestAnswer } from '@cairn/kit/testing/world';
import { NetworkWorld } from '../testing/network-world.ts';

type Body = TestAnswer['body'];

describe('several gateways of a router', () => {
  let world: NetworkWorld;
  let one: string;
  let two: string;
  let router: Body;
  before(async () => {
    world = await NetworkWorld.start({ hosts: ['host'], quotas: { router: 100, network: 100 }, physicalNetworks: { public: {}, second: {} } });
    one = (await world.publicNetwork()).network.id;
    const made = await world.create('admin', 'network', {
      'router:external': true,
      'provider:network_type': 'flat',
      'provider:physical_network': 'second',
    });
    two = made.id;
    await world.create('admin', 'subnet', { network_id: two, ip_version: 4, cidr: '198.51.100.0/24', enable_dhcp: false });
  });
  after(() => world.close());
  beforeEach(async () => {
    router = await world.create('member', 'router', {});
  });

  const put = (verb: string, gateways: object[], who = 'member') =>
    world.call(who, 'PUT', `/routers/${router.id}/${verb}_external_gateways`, { router: { external_gateways: gateways } });
  const change = async (verb: string, gateways: object[], who = 'member'): Promise<Body> => {
    const answer = await put(verb, gateways, who);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body.router;
  };
  const networks = (shown: Body): string[] => shown.external_gateways.map((gateway: Body) => gateway.network_id);
  const ipOf = (shown: Body, i: number): string => shown.external_gateways[i].external_fixed_ips[0].ip_address;
  const add = (...ids: string[]) =>
    change(
      'add',
      ids.map((network_id) => ({ network_id })),
    );

  it('the first is that of external_gateway_info, and hosts have them all', async () => {
    assert.deepEqual(router.external_gateways, []);
    const shown = await add(one, two);
    assert.deepEqual(networks(shown), [one, two]);
    assert.equal(shown.external_gateway_info.network_id, one);
    assert.equal(shown.external_gateway_info.external_fixed_ips[0].ip_address, ipOf(shown, 0));
    const spec = await world.onHost('router', router.id);
    assert.deepEqual([spec.gateway.networkId, spec.extraGateways.length, spec.interfaces.length], [one, 1, 0]);
    assert.deepEqual(spec.extraGateways[0].addresses, [{ ip: ipOf(shown, 1), prefixLength: 24, nexthop: '198.51.100.1' }]);
    assert.ok(!('defaultRouteEcmp' in spec));
    // once more on the same network
    assert.deepEqual(networks(await add(one)), [one, two, one]);
    assert.ok((await world.show('member', 'router', router.id)).revision_number > router.revision_number);
  });

  it('ECMP is for admins to ask, and reaches the host', async () => {
    await add(one, two);
    assert.equal((await world.call('member', 'PUT', `/routers/${router.id}`, { router: { enable_default_route_ecmp: true } })).status, 403);
    const shown = await world.update('admin', 'router', router.id, { enable_default_route_ecmp: true, enable_default_route_bfd: true });
    assert.deepEqual([shown.enable_default_route_ecmp, shown.enable_default_route_bfd], [true, true]);
    assert.equal((await world.onHost('router', router.id)).defaultRouteEcmp, true);
    const made = await world.create('admin', 'router', { enable_default_route_ecmp: true });
    assert.deepEqual([made.enable_default_route_ecmp, made.enable_default_route_bfd], [true, false]);
  });

  it('when the first goes, the next takes its place', async () => {
    await add(one, two);
    const shown = await change('remove', [{ network_id: one }]);
    assert.deepEqual([networks(shown), shown.external_gateway_info.network_id], [[two], two]);
    await add(one);
    const cleared = await world.update('member', 'router', router.id, { external_gateway_info: {} });
    assert.deepEqual([networks(cleared), cleared.external_gateway_info.network_id], [[one], one]);
    assert.deepEqual(networks(await change('remove', [{ network_id: one }])), []);
    const none = await put('remove', [{ network_id: one }]);
    assert.deepEqual([none.status, none.body.NeutronError.type], [400, 'UnableToRemoveGateways']);
  });

  it('one of several on a network is named by its address', async () => {
    const shown = await add(one, one);
    const unclear = await put('remove', [{ network_id: one }]);
    assert.deepEqual([unclear.status, unclear.body.NeutronError.type], [400, 'UnableToMatchGateways']);
    const wrong = await put('remove', [{ network_id: one, external_fixed_ips: [{ ip_address: '172.24.4.250' }] }]);
    assert.equal(wrong.body.NeutronError.type, 'UnableToMatchGateways');
    const left = await change('remove', [{ network_id: one, external_fixed_ips: [{ ip_address: ipOf(shown, 1) }] }]);
    assert.deepEqual([left.external_gateways.length, ipOf(left, 0)], [1, ipOf(shown, 0)]);
  });

  it('an update keeps what matches, makes what is missing and takes the rest away', async () => {
    const before = await add(one, two);
    const turned = await change('update', [{ network_id: two }, { network_id: one }]);
    assert.deepEqual(networks(turned), [two, one]);
    assert.deepEqual([ipOf(turned, 0), ipOf(turned, 1)], [ipOf(before, 1), ipOf(before, 0)]);
    assert.equal((await put('update', [{ network_id: two, external_fixed_ips: [{ ip_address: '198.51.100.77' }] }])).status, 403);
    const moved = await change('update', [{ network_id: two, external_fixed_ips: [{ ip_address: '198.51.100.77' }] }], 'admin');
    assert.deepEqual([networks(moved), ipOf(moved, 0)], [[two], '198.51.100.77']);
    assert.deepEqual(networks(await change('update', [])), []);
    const ports = (await world.expect(200, 'admin', 'GET', `/ports?device_id=${router.id}`)).ports;
    assert.deepEqual(ports, []);
  });

  it('floating IPs of each network are served, and hold its gateway', async () => {
    const { network, subnet } = await world.network('member', '10.9.0.0/24');
    await world.expect(200, 'member', 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
    const port = await world.create('member', 'port', { network_id: network.id });
    await add(one, two);
    const floating = await world.create('member', 'floatingip', { floating_network_id: two, port_id: port.id });
    assert.equal(floating.router_id, router.id);
    const spec = await world.onHost('router', router.id);
    assert.deepEqual(
      spec.floatingIps.map((each: Body) => [each.floatingIp, each.networkId]),
      [[floating.floating_ip_address, two]],
    );
    const held = await put('remove', [{ network_id: two }]);
    assert.deepEqual([held.status, held.body.NeutronError.type], [409, 'RouterExternalGatewayInUseByFloatingIp']);
    await world.expect(204, 'member', 'DELETE', `/floatingips/${floating.id}`);
    assert.deepEqual(networks(await change('remove', [{ network_id: two }])), [one]);
    await world.expect(200, 'member', 'PUT', `/routers/${router.id}/remove_router_interface`, { subnet_id: subnet.id });
  });

  it('goes with its gateways, and refuses nonsense', async () => {
    await add(one, two);
    for (const wrong of [[{}], [null], 'x', [{ network_id: 'x' }], [{ network_id: one, colour: 'red' }]])
      assert.equal((await put('add', wrong as object[])).status, 400, JSON.stringify(wrong));
    assert.equal((await world.call('member', 'PUT', `/routers/${router.id}/add_external_gateways`, {})).status, 400);
    for (const none of [null, {}, []])
      for (const verb of ['add', 'remove'])
        await world.expect(200, 'member', 'PUT', `/routers/${router.id}/${verb}_external_gateways`, { router: { external_gateways: none } });
    const silent = await world.expect(200, 'member', 'PUT', `/routers/${router.id}/add_external_gateways`, { router: {} });
    assert.deepEqual(networks(silent.router), [one, two]);
    const inner = await world.network('member', '10.10.0.0/24');
    assert.equal((await put('add', [{ network_id: inner.network.id }])).status, 400);
    assert.equal((await put('add', [{ network_id: one }], 'other')).status, 404);
    await world.expect(204, 'member', 'DELETE', `/routers/${router.id}`);
    assert.deepEqual((await world.expect(200, 'admin', 'GET', `/ports?device_id=${router.id}`)).ports, []);
  });
});
