import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TestAnswer } from '@cairn/kit/testing/world';
import { DEMO_PROJECT, NetworkWorld, OTHER_PROJECT } from '../testing/network-world.ts';

type Body = TestAnswer['body'];
interface HopView {
  readonly kind: string;
  readonly verdict: string;
  readonly reason: string;
  readonly reason_code: string;
  readonly leg: string;
  readonly host: string | null;
  readonly object: { readonly id: string } | null;
  readonly rule: { readonly id: string } | null;
  readonly packet: { readonly source_ip: string; readonly destination_ip: string; readonly destination_port: number } | null;
}

describe('why a packet passes or does not', () => {
  let world: NetworkWorld;
  let here: { network: Body; subnet: Body };
  let group: Body;

  before(async () => {
    world = await NetworkWorld.start({ hosts: ['host'] });
    here = await world.network();
    group = await world.create('member', 'security_group', { name: 'web' });
  });
  after(() => world.close());

  /** A port of a server that runs. */
  async function serverPort(values: Record<string, unknown> = {}, who = 'member', project = DEMO_PROJECT): Promise<Body> {
    const port = await world.create('admin', 'port', {
      network_id: here.network.id,
      project_id: project,
      device_owner: 'compute:nova',
      device_id: 'server',
      'binding:host_id': 'host',
      ...(who === 'member' && { security_groups: [group.id] }),
      ...values,
    });
    await world.neutron.app.pusher.idle();
    return world.show('admin', 'port', port.id);
  }

  const path = async (from: Body, query: string, who = 'member'): Promise<Body> =>
    (await world.expect(200, who, 'GET', `/ports/${from.id}/path?${query}`)).path;
  const stopped = (body: Body): HopView => body.hops.find((hop: HopView) => hop.verdict === 'drop' || hop.verdict === 'unknown');
  const kinds = (body: Body): string[] => body.hops.map((hop: HopView) => `${hop.leg} ${hop.kind} ${hop.verdict}`);
  const allow = (values: Record<string, unknown>): Promise<Body> =>
    world.create('member', 'security_group_rule', { security_group_id: group.id, direction: 'ingress', ...values });

  test('the group that lets nothing in is named, then the rule that lets it in', async () => {
    const [a, b] = [await serverPort(), await serverPort()];
    const shut = await path(a, `destination=${b.id}&protocol=tcp&destination_port=80`);
    assert.equal(shut.verdict, 'drop');
    assert.equal(stopped(shut).kind, 'security_group');
    assert.equal(stopped(shut).object?.id, b.id);
    assert.match(shut.summary, /^None of the 0 ingress rules of the port's security groups lets TCP port 80 from 10\.0\.0\.\d+ in\.$/);
    assert.deepEqual([shut.summary_code, stopped(shut).reason_code], ['no_rule', 'no_rule']);
    assert.match(shut.remedy, /--ingress --protocol tcp --dst-port 80 --remote-ip 10\.0\.0\.\d+ /);

    const rule = await allow({ protocol: 'tcp', port_range_min: 80, port_range_max: 90, remote_group_id: group.id });
    const open = await path(a, `destination=${b.fixed_ips[0].ip_address}&protocol=tcp&destination_port=80`);
    assert.equal(open.verdict, 'pass', open.summary);
    assert.equal(open.arrived_at_port_id, b.id);
    assert.equal(open.mtu, here.network.mtu);
    assert.equal(open.hops.find((hop: HopView) => hop.object?.id === b.id && hop.kind === 'security_group').rule.id, rule.id);
    assert.equal(open.hops.at(-1).leg, 'answer');
    assert.deepEqual(
      open.hops.map((hop: HopView) => hop.reason_code),
      [
        'own_address',
        'rule_allows',
        'on_own_network',
        'to_port',
        'rule_allows',
        'arrives',
        'own_address',
        'answer_allowed',
        'on_own_network',
        'to_port',
        'answer_allowed',
        'answer_arrives',
      ],
    );
    assert.deepEqual([open.summary_code, open.dhcp[0].reason_code], ['there_and_back', 'dhcp_keeps']);
    assert.match(open.dhcp[0].reason, /keeps 10\.0\.0\.\d+ for the MAC/);
    const other = await path(a, `destination=${b.id}&protocol=tcp&destination_port=91`);
    assert.match(stopped(other).reason, new RegExp(`Nearest is rule ${rule.id}, but its ports do not fit`));

    await world.update('member', 'port', b.id, { admin_state_up: false });
    assert.match((await path(a, `destination=${b.id}&protocol=tcp&destination_port=80`)).summary, /switched off/);
    assert.match((await path(a, 'destination=10.0.0.250')).summary, /Nobody on the network has 10\.0\.0\.250/);
    assert.match((await path(a, 'destination=192.0.2.1')).summary, /no router is on it/);
    const spoofed = await path(a, `destination=${b.id}&source_ip=10.0.0.77`);
    assert.equal(stopped(spoofed).kind, 'anti_spoofing');
    assert.equal(stopped(spoofed).host, null, 'hosts are for admins');
    assert.equal(stopped(await path(a, `destination=${b.id}&source_ip=10.0.0.77`, 'admin')).host, 'host');
  });

  test('a rule for an address group is named by its own id', async () => {
    const addresses = await world.create('member', 'address_group', { name: 'all', addresses: ['10.0.0.0/24'] });
    const rule = await allow({ protocol: 'udp', port_range_min: 53, port_range_max: 53, remote_address_group_id: addresses.id });
    const [a, b] = [await serverPort(), await serverPort()];
    const open = await path(a, `destination=${b.id}&protocol=udp&destination_port=53`);
    assert.equal(open.hops.find((hop: HopView) => hop.object?.id === b.id && hop.kind === 'security_group').rule.id, rule.id);
  });

  test('a local IP leads to the port of the same host, and to whom it is in truth elsewhere', async () => {
    await allow({ protocol: 'tcp', port_range_min: 7000, port_range_max: 7000 });
    const [asker, near, truth] = [await serverPort(), await serverPort(), await serverPort()];
    const ip = truth.fixed_ips[0].ip_address;
    const local = (await world.expect(201, 'member', 'POST', '/local-ips', { local_ip: { local_port_id: truth.id } })).local_ip;
    const ask = async () => path(asker, `destination=${ip}&protocol=tcp&destination_port=7000`);
    assert.equal((await ask()).arrived_at_port_id, truth.id);
    await world.expect(201, 'member', 'POST', `/local_ips/${local.id}/port_associations`, { port_association: { fixed_port_id: near.id } });
    const led = await ask();
    assert.deepEqual([led.verdict, led.arrived_at_port_id], ['pass', near.id], led.summary);
    assert.match(led.hops.find((hop: HopView) => hop.kind === 'nat').reason, new RegExp(`local IP ${ip} leads to ${near.fixed_ips[0].ip_address}`));
    await world.update('admin', 'port', near.id, { 'binding:host_id': 'elsewhere' });
    assert.equal((await ask()).arrived_at_port_id, truth.id);
  });

  test('a port without a server, and one whose host is gone', async () => {
    const unbound = await serverPort({ 'binding:host_id': '' });
    assert.match((await path(unbound, 'destination=10.0.0.1')).summary, /bound to no host/);
    const lost = await serverPort({ 'binding:host_id': 'nowhere' });
    assert.equal((await path(lost, 'destination=10.0.0.1')).verdict, 'drop');
    assert.equal(stopped(await path(lost, 'destination=10.0.0.1')).kind, 'port');
  });

  test('over IPv6 by a router, to an address of an allowed address pair, and where a host refuses', async () => {
    const left = await world.create('member', 'network', {});
    const right = await world.create('member', 'network', {});
    const router = await world.create('member', 'router', {});
    for (const [network, cidr] of [
      [left, 'fd00:0:0:a::/64'],
      [right, 'fd00:0:0:b::/64'],
    ]) {
      const subnet = await world.create('member', 'subnet', { network_id: network.id, ip_version: 6, cidr, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' });
      await world.expect(200, 'member', 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
    }
    const [a, b] = [await serverPort({ network_id: left.id }), await serverPort({ network_id: right.id })];
    const shut = await path(a, `destination=${b.id}&protocol=tcp&destination_port=81`);
    assert.match(shut.remedy, /--ingress --ethertype IPv6 --protocol tcp --dst-port 81 --remote-ip fd00:/);
    await allow({ ethertype: 'IPv6', protocol: 'tcp', port_range_min: 81, port_range_max: 81, remote_ip_prefix: 'fd00:0:0:a::/64' });
    const open = await path(a, `destination=${b.id}&protocol=tcp&destination_port=81`);
    assert.equal(open.verdict, 'pass', open.summary);
    assert.ok(kinds(open).includes('answer router pass'));
    assert.match(open.dhcp[0].reason, /The guest makes fd00:/);

    const c = await serverPort({ network_id: right.id });
    const query = 'destination=fd00:0:0:b::77&protocol=tcp&destination_port=81';
    assert.match((await path(a, query)).summary, /Nobody on the network has fd00:0:0:b::77/);
    await world.update('member', 'port', b.id, { allowed_address_pairs: [{ ip_address: 'fd00:0:0:b::70/124' }] });
    const perhaps = await path(a, query);
    assert.deepEqual([perhaps.verdict, perhaps.arrived_at_port_id], ['unknown', null], 'one of sixteen that the guest may have');
    assert.match(perhaps.summary, /may have it by a range of its allowed address pairs/);
    await world.update('member', 'port', b.id, { allowed_address_pairs: [{ ip_address: 'fd00:0:0:b::77' }] });
    const virtual = await path(a, query);
    assert.deepEqual([virtual.verdict, virtual.arrived_at_port_id], ['pass', b.id], virtual.summary);
    await world.update('member', 'port', c.id, { allowed_address_pairs: [{ ip_address: 'fd00:0:0:b::77' }] });
    const either = await path(a, query);
    assert.deepEqual([either.verdict, either.arrived_at_port_id], ['unknown', null]);
    assert.match(either.summary, /2 ports may have it/);
  });

  test('through a router: out by source NAT, and in by a floating IP', async () => {
    const outside = await world.publicNetwork();
    const router = await world.create('member', 'router', { name: 'r', external_gateway_info: { network_id: outside.network.id } });
    await world.expect(200, 'member', 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: here.subnet.id });
    await allow({ protocol: 'icmp' });
    const [a, b] = [await serverPort(), await serverPort()];
    const out = await path(a, 'destination=172.24.4.1');
    assert.equal(out.verdict, 'pass', out.summary);
    const nat = out.hops.find((hop: HopView) => hop.kind === 'nat');
    assert.equal(nat.packet.source_ip, router.external_gateway_info.external_fixed_ips[0].ip_address);
    assert.match(out.summary, /leaves the cloud/);

    const floating = await world.create('member', 'floatingip', { floating_network_id: outside.network.id });
    const idle = await path(a, `destination=${floating.floating_ip_address}`);
    assert.match(idle.summary, /leads to no port/);
    await world.update('member', 'floatingip', floating.id, { port_id: b.id });
    const turned = await path(a, `destination=${floating.floating_ip_address}`);
    assert.equal(turned.verdict, 'pass', turned.summary);
    assert.equal(turned.arrived_at_port_id, b.id);

    // from outside
    const inwards = async (query: string, who = 'member'): Promise<Body> =>
      (await world.expect(200, who, 'GET', `/floatingips/${floating.id}/path?${query}`)).path;
    const called = await inwards('protocol=icmp');
    assert.equal(called.verdict, 'pass', called.summary);
    assert.deepEqual([called.port_id, called.arrived_at_port_id, called.packet.source_ip], [null, b.id, '172.24.4.1']);
    assert.equal(called.hops.at(-1).packet.source_ip, floating.floating_ip_address, 'the answer appears as the floating IP');
    assert.equal(called.hops.at(-1).kind, 'outside');
    assert.match((await inwards('protocol=tcp&destination_port=7777&source_ip=192.0.2.9')).summary, /TCP port 7777 from 192\.0\.2\.9 in/);
    await world.expect(404, 'other', 'GET', `/floatingips/${floating.id}/path`);
    await world.expect(400, 'member', 'GET', `/floatingips/${floating.id}/path?protocol=tcp`);

    await world.update('member', 'router', router.id, { admin_state_up: false });
    assert.match((await path(a, 'destination=172.24.4.1')).summary, /router is switched off/);
    assert.match((await inwards('')).summary, /router is switched off/);
    await world.update('member', 'router', router.id, { admin_state_up: true });

    // another project behind the same outside
    const theirs = await world.network('other', '10.9.0.0/24');
    const theirRouter = await world.create('other', 'router', { external_gateway_info: { network_id: outside.network.id } });
    await world.expect(200, 'other', 'PUT', `/routers/${theirRouter.id}/add_router_interface`, { subnet_id: theirs.subnet.id });
    const port = await serverPort({ network_id: theirs.network.id }, 'other', OTHER_PROJECT);
    const fip = await world.create('other', 'floatingip', { floating_network_id: outside.network.id, port_id: port.id });
    const refused = await path(a, `destination=${fip.floating_ip_address}`);
    assert.equal(refused.verdict, 'drop');
    assert.equal(stopped(refused).kind, 'other_side');
    assert.match(refused.summary, /^The other side refuses/);
    const text = JSON.stringify(refused);
    for (const secret of [port.id, theirRouter.id, theirs.network.id, ...port.security_groups, port.fixed_ips[0].ip_address])
      assert.ok(!text.includes(secret), `tells ${secret}`);
    assert.equal(kinds(refused).filter((kind) => kind.includes('other_side')).length, 1);
    const forAdmin = await path(a, `destination=${fip.floating_ip_address}`, 'admin');
    assert.equal(stopped(forAdmin).object?.id, port.id);
  });

  test('only for ports that are seen, and for questions that make sense', async () => {
    const a = await serverPort();
    await world.expect(404, 'other', 'GET', `/ports/${a.id}/path?destination=10.0.0.1`);
    const theirs = await world.create('other', 'port', { network_id: (await world.network('other')).network.id });
    await world.expect(404, 'member', 'GET', `/ports/${a.id}/path?destination=${theirs.id}`);
    await world.expect(200, 'reader', 'GET', `/ports/${a.id}/path?destination=10.0.0.1`);
    for (const query of [
      '',
      'destination=',
      'destination=host',
      'destination=10.0.0.1&destination=10.0.0.2',
      'destination=fd00::1',
      'destination=10.0.0.1&protocol=tcp',
      'destination=10.0.0.1&protocol=tcp&destination_port=0',
      'destination=10.0.0.1&protocol=tcp&destination_port=1e3',
      'destination=10.0.0.1&protocol=icmp&destination_port=1',
      'destination=10.0.0.1&protocol=constructor',
      'destination=10.0.0.1&protocol=256',
      'destination=10.0.0.1&source_ip=fd00::1',
    ])
      await world.expect(400, 'member', 'GET', `/ports/${a.id}/path?${query}`);
    await world.expect(200, undefined as unknown as string, 'GET', '/extensions/path-explanation');
  });
});
