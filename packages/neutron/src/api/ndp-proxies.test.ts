import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TestAnswer } from '@cairn/kit/testing/world';
import { NetworkWorld } from '../testing/network-world.ts';

type Body = TestAnswer['body'];

describe('NDP proxies', () => {
  let world: NetworkWorld;
  let external: Body;
  let inside: { network: Body; subnet: Body };
  let router: Body;
  let port: Body;
  let address: string;
  const sixOf = (one: Body): string => one.fixed_ips.find((fixed: Body) => fixed.ip_address.includes(':')).ip_address;

  before(async () => {
    world = await NetworkWorld.start({ hosts: ['host'] });
    const scope = await world.create('admin', 'address_scope', { name: 'six', ip_version: 6, shared: true });
    const pool = await world.create('admin', 'subnetpool', {
      name: 'six',
      prefixes: ['2001:db8::/32'],
      default_prefixlen: 64,
      address_scope_id: scope.id,
      shared: true,
    });
    external = (await world.publicNetwork()).network;
    await world.create('admin', 'subnet', { network_id: external.id, ip_version: 6, subnetpool_id: pool.id, enable_dhcp: false });
    const network = await world.create('member', 'network', { name: 'in' });
    inside = { network, subnet: await world.create('member', 'subnet', { network_id: network.id, ip_version: 6, subnetpool_id: pool.id }) };
    router = await world.create('member', 'router', { external_gateway_info: { network_id: external.id }, enable_ndp_proxy: true });
    await world.expect(200, 'member', 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: inside.subnet.id });
    port = await world.create('member', 'port', { network_id: network.id });
    address = sixOf(port);
  });
  after(() => world.close());

  const make = (values: Body = {}, status = 201): Promise<Body> =>
    world.expect(status, 'member', 'POST', '/ndp-proxies', { ndp_proxy: { router_id: router.id, port_id: port.id, ...values } });
  const refused = async (values: Body, status: number, type: string): Promise<void> => {
    const { NeutronError: error } = await make(values, status);
    assert.equal(error.type, type, error.message);
  };
  const onHost = async (): Promise<Body> => (await world.onHost('router', router.id)).ndpProxy;

  it('are seen in the explanation of a path: only to proxied addresses answers come back', async () => {
    const sender = await world.create('admin', 'port', {
      network_id: inside.network.id,
      project_id: port.project_id,
      device_owner: 'compute:nova',
      'binding:host_id': 'host',
    });
    await world.neutron.app.pusher.idle();
    const gateway = (await world.show('admin', 'router', router.id)).external_gateway_info.external_fixed_ips.map((fixed: Body) => fixed.ip_address);
    const beyond = gateway.find((ip: string) => ip.includes(':')).replace(/[^:]*$/, 'ffff');
    const ask = async (): Promise<Body> => (await world.expect(200, 'member', 'GET', `/ports/${sender.id}/path?destination=${beyond}`)).path;
    const shut = await ask();
    assert.deepEqual([shut.verdict, shut.hops.at(-1).leg], ['drop', 'answer'], shut.summary);
    assert.match(shut.summary, /has none/);
    const { ndp_proxy: made } = await make({ port_id: sender.id });
    const open = await ask();
    assert.deepEqual([open.verdict, open.hops.at(-1).leg], ['pass', 'answer'], open.summary);
    // from outside it is the security groups' to decide, as for every caller
    const inward = async (query: string, who = 'member'): Promise<Body> =>
      (await world.expect(200, who, 'GET', `/ndp-proxies/${made.id}/path?protocol=tcp&destination_port=80&${query}`)).path;
    const refused = await inward('source_ip=2001:db8:ffff::7');
    assert.equal(refused.verdict, 'drop');
    assert.match(refused.summary, /lets TCP port 80 from 2001:db8:ffff::7 in/);
    const [group] = sender.security_groups;
    const rule = await world.create('member', 'security_group_rule', {
      security_group_id: group,
      direction: 'ingress',
      ethertype: 'IPv6',
      protocol: 'tcp',
      port_range_min: 80,
      port_range_max: 80,
      remote_ip_prefix: '2001:db8:ffff::/64',
    });
    const passes = await inward('source_ip=2001:db8:ffff::7', 'reader');
    assert.deepEqual([passes.verdict, passes.arrived_at_port_id, passes.packet.destination_ip], ['pass', sender.id, made.ip_address], passes.summary);
    assert.deepEqual([passes.hops[0].kind, passes.hops.at(-1).leg], ['outside', 'answer']);
    assert.equal((await inward('source_ip=2001:db8:fffe::7')).verdict, 'drop');
    assert.equal((await inward('')).packet.source_ip, beyond.replace(/ffff$/, '1'), 'who calls from nowhere in particular is the gateway outside');
    await world.expect(404, 'other', 'GET', `/ndp-proxies/${made.id}/path`);
    await world.expect(400, 'member', 'GET', `/ndp-proxies/${made.id}/path?source_ip=192.0.2.1`);
    await world.update('member', 'router', router.id, { admin_state_up: false, enable_ndp_proxy: true });
    assert.match((await inward('source_ip=2001:db8:ffff::7')).summary, /switched off/);
    await world.update('member', 'router', router.id, { admin_state_up: true, enable_ndp_proxy: true });
    await world.expect(204, 'member', 'DELETE', `/security-group-rules/${rule.id}`);
    await world.expect(204, 'member', 'DELETE', `/ndp-proxies/${made.id}`);
    await world.expect(204, 'admin', 'DELETE', `/ports/${sender.id}`);
  });

  it('are made for an address of a port, shown, changed and deleted; the host answers for them', async () => {
    assert.equal(router.enable_ndp_proxy, true);
    assert.deepEqual(await onHost(), { addresses: [], cidrs: [inside.subnet.cidr] });
    const { ndp_proxy: made } = await make({ name: 'one' });
    assert.deepEqual(made, {
      id: made.id,
      name: 'one',
      description: '',
      project_id: port.project_id,
      tenant_id: port.project_id,
      created_at: made.created_at,
      updated_at: made.updated_at,
      revision_number: 0,
      router_id: router.id,
      port_id: port.id,
      ip_address: address,
    });
    assert.deepEqual(await onHost(), { addresses: [address], cidrs: [inside.subnet.cidr] });
    assert.deepEqual((await world.expect(200, 'reader', 'GET', `/ndp-proxies?name=one`)).ndp_proxies, [made]);
    assert.deepEqual((await world.expect(200, 'other', 'GET', '/ndp-proxies')).ndp_proxies, []);
    const changed = await world.expect(200, 'member', 'PUT', `/ndp-proxies/${made.id}`, { ndp_proxy: { name: 'two', description: 'text' } });
    assert.deepEqual([changed.ndp_proxy.name, changed.ndp_proxy.description], ['two', 'text']);
    await refused({ ip_address: address }, 409, 'NeutronDbObjectDuplicateEntry');
    // it is in the way of those that it needs
    const gone = await world.call('member', 'PUT', `/routers/${router.id}`, { router: { external_gateway_info: null } });
    assert.deepEqual([gone.status, gone.body.NeutronError.type], [409, 'RouterGatewayInUseByNDPProxy']);
    const off = await world.call('member', 'PUT', `/routers/${router.id}/remove_router_interface`, { subnet_id: inside.subnet.id });
    assert.deepEqual([off.status, off.body.NeutronError.type], [409, 'RouterInterfaceInUseByNDPProxy']);
    await world.expect(204, 'member', 'DELETE', `/ndp-proxies/${made.id}`);
    await world.expect(404, 'member', 'GET', `/ndp-proxies/${made.id}`);
    assert.deepEqual((await onHost()).addresses, []);
  });

  it('go with the port that has the address', async () => {
    const guest = await world.create('member', 'port', { network_id: inside.network.id });
    const { ndp_proxy: made } = await make({ port_id: guest.id, ip_address: sixOf(guest) });
    assert.deepEqual((await onHost()).addresses, [sixOf(guest)]);
    await world.expect(204, 'member', 'DELETE', `/ports/${guest.id}`);
    await world.expect(404, 'member', 'GET', `/ndp-proxies/${made.id}`);
    assert.deepEqual((await onHost()).addresses, []);
  });

  it('are refused for addresses that the router does not reach, or that are none of the port', async () => {
    const four = await world.network('member', '10.81.0.0/24');
    const away = await world.create('member', 'port', { network_id: four.network.id });
    await refused({ port_id: away.id }, 409, 'PortUnreachableRouter');
    await world.expect(200, 'member', 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: four.subnet.id });
    await refused({ port_id: away.id }, 400, 'BadRequest');
    await refused({ ip_address: '2001:db8:ffff::9' }, 400, 'InvalidAddress');
    await refused({ ip_address: 'nonsense' }, 400, 'HTTPBadRequest');
    await refused({ port_id: router.id }, 404, 'PortNotFound');
    // without an address scope of its own
    const plain = await world.create('member', 'network', { name: 'plain' });
    const subnet = await world.create('member', 'subnet', { network_id: plain.id, ip_version: 6, cidr: 'fd00:1::/64' });
    await world.expect(200, 'member', 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
    const alone = await world.create('member', 'port', { network_id: plain.id });
    await refused({ port_id: alone.id }, 409, 'AddressScopeConflict');
    assert.deepEqual((await onHost()).cidrs, [inside.subnet.cidr], 'networks of other scopes are none of its business');
  });

  it('are for routers that may have them', async () => {
    const off = await world.update('member', 'router', router.id, { enable_ndp_proxy: false });
    assert.equal(off.enable_ndp_proxy, false);
    assert.equal(await onHost(), undefined);
    await refused({}, 409, 'RouterNDPProxyNotEnable');
    assert.deepEqual(
      (await world.expect(200, 'member', 'GET', '/routers?enable_ndp_proxy=false')).routers.map((one: Body) => one.id),
      [router.id],
    );
    assert.deepEqual((await world.expect(200, 'member', 'GET', '/routers?enable_ndp_proxy=true')).routers, []);
    // any change without a word of it turns it on where it can be: so it is upstream
    assert.equal((await world.update('member', 'router', router.id, { name: 'other' })).enable_ndp_proxy, true);
    const lonely = await world.call('member', 'POST', '/routers', { router: { enable_ndp_proxy: true } });
    assert.deepEqual([lonely.status, lonely.body.NeutronError.type], [409, 'RouterGatewayNotValid']);
    const inner = await world.create('member', 'router');
    assert.equal(inner.enable_ndp_proxy, false);
    const refusal = await world.call('member', 'PUT', `/routers/${inner.id}`, { router: { enable_ndp_proxy: true } });
    assert.deepEqual([refusal.status, refusal.body.NeutronError.type], [409, 'RouterGatewayNotValid']);
    const both = await world.call('member', 'PUT', `/routers/${router.id}`, { router: { enable_ndp_proxy: true, external_gateway_info: {} } });
    assert.deepEqual([both.status, both.body.NeutronError.type], [409, 'RouterGatewayNotValid']);
    const [four] = (await world.expect(200, 'admin', 'GET', `/subnets?network_id=${external.id}&ip_version=4`)).subnets;
    const lost = await world.call('admin', 'PUT', `/routers/${router.id}`, {
      router: { external_gateway_info: { network_id: external.id, external_fixed_ips: [{ subnet_id: four.id }] } },
    });
    assert.deepEqual([lost.status, lost.body.NeutronError.type], [409, 'RouterIPv6GatewayInUse']);
    assert.equal((await world.update('member', 'router', router.id, { external_gateway_info: null })).enable_ndp_proxy, false);
  });
});
