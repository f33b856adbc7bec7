import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { NetworkWorld, OTHER_PROJECT } from '../testing/network-world.ts';

describe('subnet pools', () => {
  let world: NetworkWorld;
  before(async () => {
    world = await NetworkWorld.start({ quotas: { network: 1_000, subnet: 1_000 } });
  });
  after(() => world.close());

  const pool = (values: object = {}, who = 'member') => world.create(who, 'subnetpool', { name: 'pool', prefixes: ['10.10.0.0/16'], ...values });
  const subnetOf = async (subnetpool_id: string, values: object = {}) => {
    const { id } = await world.create('member', 'network');
    return world.call('member', 'POST', '/subnets', { subnet: { network_id: id, ip_version: 4, subnetpool_id, ...values } });
  };

  it('creates, changes and deletes one', async () => {
    const made = await pool({ prefixes: ['10.10.0.0/17', '10.10.128.0/17'], default_prefixlen: 24 });
    assert.deepEqual(
      [made.prefixes, made.ip_version, made.min_prefixlen, made.max_prefixlen, made.default_prefixlen, made.default_quota, made.is_default, made.shared],
      [['10.10.0.0/16'], 4, '8', '32', '24', null, false, false],
    );
    const changed = await world.update('member', 'subnetpool', made.id, { name: 'new', prefixes: ['10.10.0.0/16', '10.20.0.0/16'], max_prefixlen: 28 });
    assert.deepEqual(changed.prefixes, ['10.10.0.0/16', '10.20.0.0/16']);
    assert.equal(changed.max_prefixlen, '28');
    const shrunk = await world.call('member', 'PUT', `/subnetpools/${made.id}`, { subnetpool: { prefixes: ['10.20.0.0/16'] } });
    assert.equal(shrunk.body.NeutronError.type, 'IllegalSubnetPoolPrefixUpdate');
    await world.expect(204, 'member', 'DELETE', `/subnetpools/${made.id}`);
    await world.expect(404, 'member', 'GET', `/subnetpools/${made.id}`);
  });

  it('refuses what makes no sense', async () => {
    const refused = async (values: object) =>
      (await world.expect(400, 'member', 'POST', '/subnetpools', { subnetpool: { name: 'p', prefixes: ['10.0.0.0/8'], ...values } })).NeutronError.type;
    assert.equal(await refused({ prefixes: [] }), 'EmptySubnetPoolPrefixList');
    assert.equal(await refused({ prefixes: ['10.0.0.0/8', '2001:db8::/32'] }), 'PrefixVersionMismatch');
    assert.equal(await refused({ min_prefixlen: 25, max_prefixlen: 24 }), 'IllegalSubnetPoolPrefixBounds');
    assert.equal(await refused({ min_prefixlen: 24, default_prefixlen: 20 }), 'IllegalSubnetPoolPrefixBounds');
    assert.equal(await refused({ max_prefixlen: 33 }), 'IllegalSubnetPoolPrefixBounds');
    await world.expect(403, 'member', 'POST', '/subnetpools', { subnetpool: { name: 'p', prefixes: ['10.0.0.0/8'], shared: true } });
  });

  it('gives out subnets, never one twice', async () => {
    const { id } = await pool({ prefixes: ['10.30.0.0/22'], default_prefixlen: 24, min_prefixlen: 23 });
    const cidrs: string[] = [];
    for (let i = 0; i < 3; i++) cidrs.push((await subnetOf(id)).body.subnet.cidr);
    assert.deepEqual(cidrs, ['10.30.0.0/24', '10.30.1.0/24', '10.30.2.0/24']);
    assert.equal((await subnetOf(id, { prefixlen: 25 })).body.subnet.cidr, '10.30.3.0/25');
    assert.equal((await subnetOf(id, { cidr: '10.30.3.128/26' })).body.subnet.cidr, '10.30.3.128/26');
    const given = await subnetOf(id, { cidr: '10.30.0.0/24' });
    assert.equal(given.body.NeutronError.type, 'SubnetAllocationError');
    const full = await subnetOf(id);
    assert.equal(full.body.NeutronError.message, 'Failed to allocate subnet: Insufficient prefix space to allocate subnet size /24.');
    assert.equal((await subnetOf(id, { prefixlen: 22 })).body.NeutronError.type, 'MinPrefixSubnetAllocationError');
    const used = await world.call('member', 'DELETE', `/subnetpools/${id}`);
    assert.equal(used.body.NeutronError.type, 'SubnetPoolDeleteError');
  });

  it('keeps to its quota', async () => {
    const { id } = await pool({ prefixes: ['10.40.0.0/16'], default_prefixlen: 24, default_quota: 512 });
    assert.equal((await subnetOf(id)).status, 201);
    assert.equal((await subnetOf(id)).status, 201);
    const over = await subnetOf(id);
    assert.equal(over.status, 409);
    assert.equal(over.body.NeutronError.type, 'SubnetPoolQuotaExceeded');
  });

  it('is the default where one is', async () => {
    const made = await pool({ prefixes: ['10.50.0.0/16'], default_prefixlen: 26, is_default: true, shared: true }, 'admin');
    const second = await world.call('admin', 'POST', '/subnetpools', { subnetpool: { name: 'p', prefixes: ['10.51.0.0/16'], is_default: true } });
    assert.equal(second.status, 400);
    const { id } = await world.create('member', 'network');
    const subnet = await world.create('member', 'subnet', { network_id: id, ip_version: 4, use_default_subnetpool: true });
    assert.deepEqual([subnet.subnetpool_id, subnet.cidr], [made.id, '10.50.0.0/26']);
  });

  it('gains and loses prefixes, and takes subnets in', async () => {
    const { id } = await pool({ prefixes: ['10.60.0.0/24'] });
    const put = (action: string, body: object) => world.expect(200, 'member', 'PUT', `/subnetpools/${id}/${action}`, body);
    assert.deepEqual(await put('add_prefixes', { prefixes: ['10.60.1.0/24'] }), { prefixes: ['10.60.0.0/23'] });
    assert.deepEqual(await put('remove_prefixes', { prefixes: ['10.60.0.0/24'] }), { prefixes: ['10.60.1.0/24'] });
    const { network, subnet } = await world.network('member', '10.61.0.0/24');
    assert.deepEqual(await put('onboard_network_subnets', { network_id: network.id }), [{ id: subnet.id, cidr: '10.61.0.0/24' }]);
    assert.equal((await world.show('member', 'subnet', subnet.id)).subnetpool_id, id);
    const used = await world.call('member', 'PUT', `/subnetpools/${id}/remove_prefixes`, { prefixes: ['10.61.0.0/24'] });
    assert.equal(used.body.NeutronError.type, 'IllegalSubnetPoolPrefixUpdate');
  });
});

describe('address scopes', () => {
  let world: NetworkWorld;
  before(async () => {
    world = await NetworkWorld.start();
  });
  after(() => world.close());

  it('hold pools without overlap, and show on networks', async () => {
    const scope = await world.create('member', 'address_scope', { name: 'scope', ip_version: 4 });
    const pool = await world.create('member', 'subnetpool', { name: 'a', prefixes: ['10.1.0.0/16'], default_prefixlen: 24, address_scope_id: scope.id });
    const overlap = await world.call('member', 'POST', '/subnetpools', { subnetpool: { name: 'b', prefixes: ['10.1.2.0/24'], address_scope_id: scope.id } });
    assert.equal(overlap.body.NeutronError.type, 'AddressScopePrefixConflict');
    const six = await world.call('member', 'POST', '/subnetpools', { subnetpool: { name: 'c', prefixes: ['2001:db8::/32'], address_scope_id: scope.id } });
    assert.equal(six.body.NeutronError.type, 'IllegalSubnetPoolIpVersionAssociationToAddressScope');
    const { id } = await world.create('member', 'network');
    await world.create('member', 'subnet', { network_id: id, ip_version: 4, subnetpool_id: pool.id });
    assert.equal((await world.show('member', 'network', id)).ipv4_address_scope, scope.id);
    assert.equal((await world.call('member', 'DELETE', `/address-scopes/${scope.id}`)).body.NeutronError.type, 'AddressScopeInUse');
    assert.equal((await world.update('member', 'address_scope', scope.id, { name: 'new' })).name, 'new');
    await world.expect(404, 'other', 'GET', `/address-scopes/${scope.id}`);
  });

  it('are shared by admins', async () => {
    const scope = await world.create('admin', 'address_scope', { name: 'shared', ip_version: 6, shared: true, project_id: OTHER_PROJECT });
    assert.equal((await world.show('member', 'address_scope', scope.id)).shared, true);
    const back = await world.call('admin', 'PUT', `/address-scopes/${scope.id}`, { address_scope: { shared: false } });
    assert.equal(back.body.NeutronError.type, 'AddressScopeUpdateError');
    await world.expect(403, 'member', 'POST', '/address-scopes', { address_scope: { name: 's', ip_version: 4, shared: true } });
  });
});
