import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DEMO_PROJECT, NetworkWorld } from '../testing/network-world.ts';

describe('subnets', () => {
  let world: NetworkWorld;
  before(async () => {
    world = await NetworkWorld.start({ quotas: { network: 1_000, subnet: 1_000 } });
  });
  after(() => world.close());

  const network = async (): Promise<string> => (await world.create('member', 'network')).id;
  const refused = async (values: object, status = 400): Promise<{ type: string; message: string }> => {
    const body = { subnet: { network_id: await network(), ip_version: 4, cidr: '10.0.0.0/24', ...values } };
    return (await world.expect(status, 'member', 'POST', '/subnets', body)).NeutronError;
  };

  it('of an external network are seen by every project, in lists too', async () => {
    const network_id = (await world.create('admin', 'network', { 'router:external': true, project_id: DEMO_PROJECT })).id;
    const { id } = await world.create('admin', 'subnet', { network_id, ip_version: 4, cidr: '198.51.100.0/24' });
    assert.equal((await world.show('other', 'subnet', id)).id, id);
    const list = (await world.expect(200, 'other', 'GET', `/subnets?network_id=${network_id}`)).subnets;
    assert.deepEqual(
      list.map((subnet: { id: string }) => subnet.id),
      [id],
    );
    await world.expect(403, 'other', 'DELETE', `/subnets/${id}`);
  });

  it('creates one with defaults', async () => {
    const network_id = await network();
    const subnet = await world.create('member', 'subnet', { network_id, ip_version: 4, cidr: '10.1.0.7/24' });
    const { id, created_at: _created, updated_at: _updated, ...rest } = subnet;
    assert.deepEqual(rest, {
      name: '',
      network_id,
      tenant_id: DEMO_PROJECT,
      project_id: DEMO_PROJECT,
      description: '',
      revision_number: 0,
      ip_version: 4,
      subnetpool_id: null,
      enable_dhcp: true,
      ipv6_ra_mode: null,
      ipv6_address_mode: null,
      gateway_ip: '10.1.0.1',
      cidr: '10.1.0.0/24',
      allocation_pools: [{ start: '10.1.0.2', end: '10.1.0.254' }],
      host_routes: [],
      dns_nameservers: [],
      service_types: [],
      'router:external': false,
      tags: [],
    });
    assert.deepEqual((await world.show('member', 'network', network_id)).subnets, [id]);
  });

  it('takes the gateway out of the pools', async () => {
    const make = async (values: object) => world.create('member', 'subnet', { network_id: await network(), ip_version: 4, cidr: '10.0.0.0/28', ...values });
    assert.deepEqual((await make({ gateway_ip: '10.0.0.5' })).allocation_pools, [
      { start: '10.0.0.1', end: '10.0.0.4' },
      { start: '10.0.0.6', end: '10.0.0.14' },
    ]);
    const none = await make({ gateway_ip: null });
    assert.equal(none.gateway_ip, null);
    assert.deepEqual(none.allocation_pools, [{ start: '10.0.0.1', end: '10.0.0.14' }]);
    const own = await make({ allocation_pools: [{ start: '10.0.0.8', end: '10.0.0.9' }] });
    assert.deepEqual(own.allocation_pools, [{ start: '10.0.0.8', end: '10.0.0.9' }]);
    const six = await make({ ip_version: 6, cidr: '2001:db8::/64' });
    assert.equal(six.gateway_ip, '2001:db8::');
    assert.deepEqual(six.allocation_pools, [{ start: '2001:db8::1', end: '2001:db8::ffff:ffff:ffff:ffff' }]);
  });

  it('refuses what makes no sense, in upstream words', async () => {
    assert.deepEqual(await refused({ cidr: '10.0.0.0/33' }), {
      type: 'InvalidInput',
      message: 'Invalid input for operation: 10.0.0.0/33 is not in a CIDR format.',
      detail: '',
    });
    assert.equal((await refused({ ip_version: 6 })).message, "Invalid input for operation: cidr '10.0.0.0/24' does not match the ip_version '6'.");
    assert.equal((await refused({ gateway_ip: '10.0.0.0' })).message, 'Invalid input for operation: Gateway is not valid on subnet.');
    assert.equal((await refused({ allocation_pools: [{ start: '10.0.0.9', end: '10.0.0.2' }] })).type, 'InvalidAllocationPool');
    assert.equal((await refused({ allocation_pools: [{ start: '10.0.0.2', end: '10.0.1.9' }] })).type, 'OutOfBoundsAllocationPool');
    const pools = [
      { start: '10.0.0.2', end: '10.0.0.9' },
      { start: '10.0.0.5', end: '10.0.0.12' },
    ];
    assert.equal((await refused({ allocation_pools: pools }, 409)).type, 'OverlappingAllocationPools');
    const gateway = await refused({ gateway_ip: '10.0.0.5', allocation_pools: [{ start: '10.0.0.2', end: '10.0.0.9' }] }, 409);
    assert.equal(gateway.type, 'GatewayConflictWithAllocationPools');
    assert.equal((await refused({ dns_nameservers: ['one'] })).type, 'HTTPBadRequest');
    assert.equal((await refused({ ipv6_ra_mode: 'slaac' })).message, 'Invalid input for operation: ipv6_ra_mode is not valid when ip_version is 4.');
    assert.equal((await refused({ host_routes: [{ destination: '10.9.0.0/16', nexthop: '::1' }] })).type, 'InvalidInput');
    assert.equal((await refused({ network_id: 'b0b0b0b0-0000-4000-8000-000000000000' }, 404)).type, 'NetworkNotFound');
  });

  it('refuses overlap on one network alone', async () => {
    const network_id = await network();
    await world.create('member', 'subnet', { network_id, ip_version: 4, cidr: '10.0.0.0/24' });
    const overlap = await world.call('member', 'POST', '/subnets', { subnet: { network_id, ip_version: 4, cidr: '10.0.0.128/25' } });
    assert.equal(overlap.status, 400);
    assert.equal(
      overlap.body.NeutronError.message,
      `Invalid input for operation: Requested subnet with cidr: 10.0.0.128/25 for network: ${network_id} overlaps with another subnet.`,
    );
    await world.create('member', 'subnet', { network_id, ip_version: 4, cidr: '10.0.1.0/24' });
    await world.create('member', 'subnet', { network_id: await network(), ip_version: 4, cidr: '10.0.0.0/24' });
  });

  it('makes a DHCP port as long as DHCP is on', async () => {
    const { network: net, subnet } = await world.network();
    const dhcpPorts = async () => (await world.expect(200, 'admin', 'GET', `/ports?network_id=${net.id}&device_owner=network:dhcp`)).ports;
    const [port, ...more] = await dhcpPorts();
    assert.equal(more.length, 0);
    assert.deepEqual(port.fixed_ips, [{ subnet_id: subnet.id, ip_address: '10.0.0.2' }]);
    assert.equal(port.project_id, DEMO_PROJECT);
    await world.update('member', 'subnet', subnet.id, { enable_dhcp: false });
    assert.deepEqual(await dhcpPorts(), []);
    await world.update('member', 'subnet', subnet.id, { enable_dhcp: true });
    assert.equal((await dhcpPorts()).length, 1);
    const second = await world.create('member', 'subnet', { network_id: net.id, ip_version: 4, cidr: '10.9.0.0/24' });
    const [both] = await dhcpPorts();
    assert.deepEqual(both.fixed_ips.map((ip: { subnet_id: string }) => ip.subnet_id).toSorted(), [subnet.id, second.id].toSorted());
  });

  it('changes', async () => {
    const { subnet } = await world.network();
    const changed = await world.update('member', 'subnet', subnet.id, {
      name: 'new',
      dns_nameservers: ['9.9.9.9', '1.1.1.1'],
      host_routes: [{ destination: '10.5.0.0/16', nexthop: '10.0.0.9' }],
      allocation_pools: [{ start: '10.0.0.2', end: '10.0.0.20' }],
    });
    assert.equal(changed.name, 'new');
    assert.deepEqual(changed.dns_nameservers, ['9.9.9.9', '1.1.1.1']);
    assert.deepEqual(changed.host_routes, [{ destination: '10.5.0.0/16', nexthop: '10.0.0.9' }]);
    assert.deepEqual(changed.allocation_pools, [{ start: '10.0.0.2', end: '10.0.0.20' }]);
    assert.equal((await world.update('member', 'subnet', subnet.id, { gateway_ip: null })).gateway_ip, null);
    await world.expect(400, 'member', 'PUT', `/subnets/${subnet.id}`, { subnet: { cidr: '10.2.0.0/24' } });
  });

  it('gives addresses to old ports when they are automatic', async () => {
    const { network: net } = await world.network();
    const port = await world.create('member', 'port', { network_id: net.id });
    const six = await world.create('member', 'subnet', {
      network_id: net.id,
      ip_version: 6,
      cidr: '2001:db8:1::/64',
      ipv6_ra_mode: 'slaac',
      ipv6_address_mode: 'slaac',
    });
    const after_ = await world.show('member', 'port', port.id);
    const ip = after_.fixed_ips.find((each: { subnet_id: string }) => each.subnet_id === six.id);
    assert.match(ip.ip_address, /^2001:db8:1:0?:?.*ff:fe/);
  });

  it('goes, but not with addresses in use', async () => {
    const { network: net, subnet } = await world.network();
    const port = await world.create('member', 'port', { network_id: net.id });
    const used = await world.call('member', 'DELETE', `/subnets/${subnet.id}`);
    assert.equal(used.status, 409);
    assert.equal(used.body.NeutronError.type, 'SubnetInUse');
    await world.expect(204, 'member', 'DELETE', `/ports/${port.id}`);
    await world.expect(204, 'member', 'DELETE', `/subnets/${subnet.id}`);
    assert.deepEqual((await world.expect(200, 'admin', 'GET', `/ports?network_id=${net.id}`)).ports, []);
  });

  it('counts addresses of a network', async () => {
    const { network: net, subnet } = await world.network('member', '10.0.0.0/29');
    const ips: string[] = [];
    for (;;) {
      const answer = await world.call('member', 'POST', '/ports', { port: { network_id: net.id } });
      if (answer.status !== 201) {
        assert.equal(answer.status, 409);
        assert.equal(answer.body.NeutronError.type, 'IpAddressGenerationFailure');
        assert.equal(answer.body.NeutronError.message, `No more IP addresses available on network ${net.id}.`);
        break;
      }
      ips.push(answer.body.port.fixed_ips[0].ip_address);
    }
    assert.deepEqual(ips.toSorted(), ['10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']);
    assert.ok(subnet.id);
  });
});
