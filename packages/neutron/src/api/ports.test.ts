import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { NetworkWorld, OTHER_PROJECT } from '../testing/network-world.ts';

const NOBODY = 'b0b0b0b0-0000-4000-8000-000000000000';

describe('ports', () => {
  let world: NetworkWorld;
  let networkId: string;
  let subnetId: string;
  before(async () => {
    world = await NetworkWorld.start({ quotas: { network: 1_000, subnet: 1_000 } });
    const made = await world.network();
    networkId = made.network.id;
    subnetId = made.subnet.id;
  });
  after(() => world.close());

  const make = (values: object = {}, who = 'member') => world.create(who, 'port', { network_id: networkId, ...values });
  const refused = async (status: number, values: object, who = 'member'): Promise<{ type: string; message: string }> =>
    (await world.expect(status, who, 'POST', '/ports', { port: { network_id: networkId, ...values } })).NeutronError;

  it('creates one with an address, a MAC and the default group', async () => {
    const port = await make({ name: 'one' });
    assert.equal(port.status, 'DOWN');
    assert.match(port.mac_address, /^fa:16:3e:/);
    assert.equal(port.fixed_ips.length, 1);
    assert.equal(port.fixed_ips[0].subnet_id, subnetId);
    const [group] = (await world.expect(200, 'member', 'GET', '/security-groups?name=default')).security_groups;
    assert.deepEqual(port.security_groups, [group.id]);
    assert.ok(!('binding:host_id' in port));
    const admin = await world.show('admin', 'port', port.id);
    assert.equal(admin['binding:vif_type'], 'unbound');
    assert.equal(admin['binding:host_id'], '');
    assert.equal(admin['binding:vnic_type'], 'normal');
  });

  it('lets administrators say that an interface is trusted, which its profile tells', async () => {
    const port = await make();
    assert.ok(!('trusted' in port));
    const seen = async () => {
      const { trusted, 'binding:profile': profile } = await world.show('admin', 'port', port.id);
      return { trusted, profile };
    };
    assert.deepEqual(await seen(), { trusted: null, profile: {} });
    for (const trusted of [true, false]) {
      await world.expect(200, 'admin', 'PUT', `/ports/${port.id}`, { port: { trusted } });
      assert.deepEqual(await seen(), { trusted, profile: { trusted } });
    }
    const made = await make({ trusted: 'true' }, 'admin');
    assert.deepEqual([made.trusted, made['binding:profile']], [true, { trusted: true }]);
    await refused(403, { trusted: true });
    await refused(400, { trusted: null }, 'admin');
    await world.expect(403, 'member', 'PUT', `/ports/${port.id}`, { port: { trusted: true } });
  });

  it('takes given addresses, and none twice', async () => {
    const port = await make({ fixed_ips: [{ ip_address: '10.0.0.77' }] });
    assert.deepEqual(port.fixed_ips, [{ subnet_id: subnetId, ip_address: '10.0.0.77' }]);
    const twice = await refused(409, { fixed_ips: [{ ip_address: '10.0.0.77' }] });
    assert.equal(twice.type, 'IpAddressAlreadyAllocated');
    assert.equal(twice.message, `IP address 10.0.0.77 already allocated in subnet ${subnetId}`);
    assert.equal((await refused(400, { fixed_ips: [{ ip_address: '10.7.0.77' }] })).type, 'InvalidIpForNetwork');
    assert.equal((await refused(400, { fixed_ips: [{ subnet_id: subnetId, ip_address: '10.7.0.77' }] })).type, 'InvalidIpForSubnet');
    assert.equal((await refused(404, { fixed_ips: [{ subnet_id: NOBODY }] })).type, 'SubnetNotFound');
    const two = await make({ fixed_ips: [{ subnet_id: subnetId }, { subnet_id: subnetId, ip_address: '10.0.0.78' }] });
    assert.equal(two.fixed_ips.length, 2);
    assert.deepEqual((await make({ fixed_ips: [] })).fixed_ips, []);
    await world.expect(204, 'member', 'DELETE', `/ports/${port.id}`);
    await make({ fixed_ips: [{ ip_address: '10.0.0.77' }] });
  });

  it('has one MAC per network', async () => {
    const own = { mac_address: 'fa:16:3e:00:00:01' };
    await make(own, 'member');
    const twice = await refused(409, own);
    assert.equal(twice.type, 'MacAddressInUse');
    assert.equal((await refused(400, { mac_address: 'nonsense' })).type, 'HTTPBadRequest');
  });

  it('creates many at once, or none', async () => {
    const entry = (ip: string) => ({ network_id: networkId, name: 'bulk', fixed_ips: [{ ip_address: ip }] });
    await world.expect(201, 'member', 'POST', '/ports', { ports: [entry('10.0.0.100'), entry('10.0.0.101')] });
    await world.expect(409, 'member', 'POST', '/ports', { ports: [entry('10.0.0.102'), entry('10.0.0.100')] });
    const bulk = (await world.expect(200, 'member', 'GET', '/ports?name=bulk')).ports;
    assert.equal(bulk.length, 2);
    assert.deepEqual((await world.expect(200, 'member', 'GET', '/ports?fixed_ips=ip_address%3D10.0.0.102')).ports, []);
  });

  it('is for networks that the project may use', async () => {
    const other = await world.network('other', '10.3.0.0/24');
    assert.equal((await refused(404, { network_id: other.network.id })).type, 'NetworkNotFound');
    const shared = await world.network('admin', '10.4.0.0/24', { shared: true });
    const port = await make({ network_id: shared.network.id });
    assert.equal(port.fixed_ips.length, 1);
    const chosen = await refused(403, { network_id: shared.network.id, fixed_ips: [{ ip_address: '10.4.0.50' }] });
    assert.equal(chosen.type, 'PolicyNotAuthorized');
    const onSubnet = await make({ network_id: shared.network.id, fixed_ips: [{ subnet_id: shared.subnet.id }] });
    assert.equal(onSubnet.fixed_ips.length, 1);
    // the network's owner sees it, third parties do not
    await world.show('admin', 'port', port.id);
    await world.expect(404, 'other', 'GET', `/ports/${port.id}`);
    assert.equal((await refused(403, { 'binding:host_id': 'h1' })).type, 'PolicyNotAuthorized');
    await world.expect(201, 'member', 'POST', '/ports', { port: { network_id: networkId, mac_address: 'fa:16:3e:99:00:01' } });
  });

  it('changes its addresses', async () => {
    const port = await make({ fixed_ips: [{ ip_address: '10.0.0.120' }] });
    const moved = await world.update('member', 'port', port.id, { fixed_ips: [{ ip_address: '10.0.0.121' }] });
    assert.deepEqual(moved.fixed_ips, [{ subnet_id: subnetId, ip_address: '10.0.0.121' }]);
    const kept = await world.update('member', 'port', port.id, { fixed_ips: [{ subnet_id: subnetId }, { ip_address: '10.0.0.122' }] });
    assert.deepEqual(kept.fixed_ips.map((each: { ip_address: string }) => each.ip_address).toSorted(), ['10.0.0.121', '10.0.0.122']);
    await make({ fixed_ips: [{ ip_address: '10.0.0.120' }] });
    const backwards = await make({ fixed_ips: ['10.0.0.126', '10.0.0.125'].map((ip) => ({ subnet_id: subnetId, ip_address: ip })) });
    const asListed = (await world.expect(200, 'member', 'GET', `/ports?id=${backwards.id}`)).ports[0];
    for (const seen of [backwards, asListed, await world.show('member', 'port', backwards.id)])
      assert.deepEqual(
        seen.fixed_ips.map((each: { ip_address: string }) => each.ip_address),
        ['10.0.0.125', '10.0.0.126'],
        'by the text of the address',
      );
    const none = await world.update('member', 'port', port.id, { fixed_ips: [] });
    assert.deepEqual(none.fixed_ips, []);
  });

  it('changes everything else', async () => {
    const port = await make();
    const changed = await world.update('member', 'port', port.id, {
      name: 'named',
      device_id: 'a-device',
      admin_state_up: false,
      extra_dhcp_opts: [{ opt_name: 'bootfile-name', opt_value: 'pxe.0' }],
      allowed_address_pairs: [{ ip_address: '10.0.0.200' }],
    });
    assert.equal(changed.device_id, 'a-device');
    assert.equal(changed.revision_number, 1);
    assert.deepEqual(changed.extra_dhcp_opts, [{ opt_name: 'bootfile-name', opt_value: 'pxe.0', ip_version: 4 }]);
    assert.deepEqual(changed.allowed_address_pairs, [{ mac_address: port.mac_address, ip_address: '10.0.0.200' }]);
    const again = await world.update('member', 'port', port.id, { extra_dhcp_opts: [{ opt_name: 'bootfile-name', opt_value: null }] });
    assert.deepEqual(again.extra_dhcp_opts, []);
    assert.equal((await world.update('member', 'port', port.id, { dns_name: 'web' })).dns_assignment[0].fqdn, 'web.openstacklocal.');
  });

  it('changes its groups, and has none without port security', async () => {
    const group = await world.create('member', 'security_group', { name: 'web' });
    const port = await make({ security_groups: [group.id] });
    assert.deepEqual(port.security_groups, [group.id]);
    const unknown = await refused(404, { security_groups: [NOBODY] });
    assert.equal(unknown.type, 'SecurityGroupNotFound');
    const off = await world.call('member', 'PUT', `/ports/${port.id}`, { port: { port_security_enabled: false } });
    assert.equal(off.status, 409);
    assert.equal(off.body.NeutronError.type, 'PortSecurityPortHasSecurityGroup');
    const without = await world.update('member', 'port', port.id, { port_security_enabled: false, security_groups: [] });
    assert.deepEqual([without.port_security_enabled, without.security_groups], [false, []]);
    const open = await world.network('member', '10.8.0.0/24', { port_security_enabled: false });
    const bare = await make({ network_id: open.network.id });
    assert.deepEqual([bare.port_security_enabled, bare.security_groups], [false, []]);
  });

  it('is listed by what it has', async () => {
    const port = await make({ name: 'listed', device_id: 'dev-1', fixed_ips: [{ ip_address: '10.0.0.180' }] });
    const found = async (query: string) => (await world.expect(200, 'member', 'GET', `/ports?${query}`)).ports.map((each: { id: string }) => each.id);
    assert.deepEqual(await found('name=listed'), [port.id]);
    assert.deepEqual(await found('device_id=dev-1'), [port.id]);
    assert.deepEqual(await found(`fixed_ips=ip_address%3D10.0.0.180&fixed_ips=subnet_id%3D${subnetId}`), [port.id]);
    assert.deepEqual(await found('fixed_ips=ip_address_substr%3D.0.180'), [port.id]);
    assert.deepEqual(await found(`mac_address=${port.mac_address.toUpperCase()}`), [port.id]);
    assert.ok((await found(`security_groups=${port.security_groups[0]}`)).includes(port.id));
  });

  it('is made for others by admins alone', async () => {
    const port = await make({ project_id: OTHER_PROJECT }, 'admin');
    assert.equal(port.project_id, OTHER_PROJECT);
    await world.show('other', 'port', port.id);
    await world.show('member', 'port', port.id);
    await world.expect(204, 'other', 'DELETE', `/ports/${port.id}`);
  });

  it('of automatic subnets has the address of its MAC', async () => {
    const { id: net } = await world.create('member', 'network');
    const six = await world.create('member', 'subnet', {
      network_id: net,
      ip_version: 6,
      cidr: '2001:db8:5::/64',
      ipv6_ra_mode: 'slaac',
      ipv6_address_mode: 'slaac',
    });
    const port = await make({ network_id: net, mac_address: 'fa:16:3e:12:34:56' });
    assert.deepEqual(port.fixed_ips, [{ subnet_id: six.id, ip_address: '2001:db8:5:0:f816:3eff:fe12:3456' }]);
  });
});
