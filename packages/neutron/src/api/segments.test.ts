import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TestAnswer } from '@cairn/kit/testing/world';
import { ADMIN_PROJECT, DEMO_PROJECT, NetworkWorld } from '../testing/network-world.ts';

type Body = TestAnswer['body'];

const physicalNetworks = {
  public: {},
  left: { vlans: [100, 109] as const, hosts: ['h1', 'h2'] },
  right: { vlans: [100, 109] as const, hosts: ['h3'] },
};
const vlan = (physical: string, id?: number) => ({
  'provider:network_type': 'vlan',
  'provider:physical_network': physical,
  ...(id !== undefined && { 'provider:segmentation_id': id }),
});
const errorOf = (answer: TestAnswer): [number, string] => [answer.status, answer.body.NeutronError?.type];

describe('segments of networks', () => {
  let world: NetworkWorld;
  before(async () => {
    world = await NetworkWorld.start({ hosts: ['h1', 'h2', 'h3'], physicalNetworks, quotas: { network: 1000, subnet: 1000 } });
  });
  after(() => world.close());

  const segmentsOf = async (networkId: string): Promise<Body[]> =>
    (await world.expect(200, 'admin', 'GET', `/segments?network_id=${networkId}&sort_key=physical_network&sort_dir=asc`)).segments;
  const add = (networkId: string, values: object) => world.call('admin', 'POST', '/segments', { segment: { network_id: networkId, ...values } });

  it('every network has one, which admins see', async () => {
    const network = await world.create('admin', 'network', vlan('left', 7));
    const [segment] = await segmentsOf(network.id);
    assert.deepEqual(
      [segment.network_type, segment.physical_network, segment.segmentation_id, segment.name, segment.description, segment.revision_number],
      ['vlan', 'left', 7, null, null, 0],
    );
    assert.ok(!('project_id' in segment) && !('tenant_id' in segment) && 'created_at' in segment);
    assert.deepEqual((await world.expect(200, 'member', 'GET', '/segments')).segments, []);
    await world.expect(404, 'member', 'GET', `/segments/${segment.id}`);
    assert.equal((await world.update('admin', 'segment', segment.id, { name: 'first', description: 'words' })).name, 'first');
    await world.expect(400, 'admin', 'PUT', `/segments/${segment.id}`, { segment: { segmentation_id: 8 } });
    const tunnel = await world.create('member', 'network', {});
    assert.deepEqual([(await segmentsOf(tunnel.id))[0].network_type, (await segmentsOf(tunnel.id))[0].physical_network], ['geneve', null]);
    await world.expect(204, 'admin', 'DELETE', `/networks/${network.id}`);
    await world.expect(404, 'admin', 'GET', `/segments/${segment.id}`);
  });

  it('takes fields that are empty as if they were left out, as clients send them', async () => {
    const empty = { 'provider:physical_network': '', 'provider:segmentation_id': 0 };
    const local = await world.create('admin', 'network', { segments: [{ 'provider:network_type': 'local', ...empty }] });
    assert.deepEqual([local['provider:network_type'], local['provider:segmentation_id']], ['local', null]);
    const tunnel = await world.create('admin', 'network', { segments: [{ 'provider:network_type': 'geneve', ...empty }] });
    assert.ok(tunnel['provider:segmentation_id'] > 0);
    const told = { 'provider:network_type': 'local', 'provider:physical_network': 'left' };
    const refused = await world.expect(400, 'admin', 'POST', '/networks', { network: { segments: [told] } });
    assert.match(refused.NeutronError.message, /physical_network prohibited for local provider network/);
  });

  it('a network of several shows them in place of what carries it', async () => {
    const segments = [vlan('left', 21), vlan('right', 21), { 'provider:network_type': 'vxlan', 'provider:segmentation_id': '4711' }];
    const network = await world.create('admin', 'network', { segments });
    assert.deepEqual(network.segments, [
      vlan('left', 21),
      vlan('right', 21),
      { 'provider:network_type': 'vxlan', 'provider:physical_network': null, 'provider:segmentation_id': 4711 },
    ]);
    assert.ok(!('provider:network_type' in network));
    assert.equal(network.mtu, 1450);
    const shown = await world.show('admin', 'network', network.id);
    assert.deepEqual(shown.segments, network.segments);
    const post = (values: object, who = 'admin') => world.call(who, 'POST', '/networks', { network: values });
    assert.deepEqual(errorOf(await post({ segments: [vlan('left', 30), vlan('left', 30)] })), [400, 'SegmentsContainDuplicateEntry']);
    assert.deepEqual(errorOf(await post({ segments: [vlan('left', 30)], ...vlan('left', 31) })), [400, 'SegmentsSetInConjunctionWithProviders']);
    assert.deepEqual(errorOf(await post({ segments: [vlan('left', 21)] })), [409, 'VlanIdInUse']);
    assert.equal((await post({ segments: [{ colour: 'red' }] })).status, 400);
    assert.equal((await post({ segments: [vlan('left', 33)] }, 'member')).status, 403);
    // nothing of what failed is left
    assert.equal((await post({ segments: [vlan('left', 30)] })).status, 201);
  });

  it('come and go one by one', async () => {
    const network = await world.create('admin', 'network', vlan('left', 41));
    const [first] = await segmentsOf(network.id);
    const made = await add(network.id, { network_type: 'vlan', physical_network: 'right', name: 'second' });
    assert.equal(made.status, 201);
    const second = made.body.segment;
    assert.ok(second.segmentation_id >= 100 && second.segmentation_id <= 109);
    assert.equal((await world.show('admin', 'network', network.id)).segments.length, 2);
    assert.deepEqual(errorOf(await add(network.id, { network_type: 'vlan', physical_network: 'left', segmentation_id: 41 })), [409, 'VlanIdInUse']);
    assert.deepEqual(errorOf(await add(network.id, { network_type: 'tea' })), [400, 'InvalidInput']);
    assert.deepEqual(errorOf(await add(first.id, { network_type: 'vxlan' })), [404, 'NetworkNotFound']);
    await world.expect(204, 'admin', 'DELETE', `/segments/${first.id}`);
    const left = await world.show('admin', 'network', network.id);
    assert.deepEqual([left['provider:physical_network'], left['provider:segmentation_id']], ['right', second.segmentation_id]);
    await world.expect(204, 'admin', 'DELETE', `/segments/${second.id}`);
    assert.equal((await world.show('admin', 'network', network.id))['provider:network_type'], null);
    await world.create('admin', 'network', vlan('left', 41));
  });

  it('subnets are all on segments or none is, and hold theirs', async () => {
    const network = await world.create('admin', 'network', { segments: [vlan('left', 51), vlan('right', 51)] });
    const [left, right] = await segmentsOf(network.id);
    const subnet = (values: object, who = 'admin') =>
      world.call(who, 'POST', '/subnets', { subnet: { network_id: network.id, ip_version: 4, enable_dhcp: false, ...values } });
    const one = await subnet({ cidr: '10.51.0.0/24', segment_id: left.id });
    assert.deepEqual([one.status, one.body.subnet.segment_id], [201, left.id]);
    assert.equal((await world.show('admin', 'network', network.id)).l2_adjacency, false);
    assert.deepEqual(errorOf(await subnet({ cidr: '10.52.0.0/24' })), [400, 'SubnetsNotAllAssociatedWithSegments']);
    assert.deepEqual(errorOf(await subnet({ cidr: '10.52.0.0/24', segment_id: network.id })), [404, 'SegmentNotFound']);
    const other = await world.create('admin', 'network', {});
    assert.deepEqual(errorOf(await subnet({ cidr: '10.52.0.0/24', segment_id: (await segmentsOf(other.id))[0].id })), [400, 'NetworkIdsDontMatch']);
    const held = await world.call('admin', 'DELETE', `/segments/${left.id}`);
    assert.deepEqual(
      [held.status, held.body.NeutronError.message],
      [409, `Segment '${left.id}' cannot be deleted: The segment is still associated with subnet(s) ${one.body.subnet.id}.`],
    );
    const put = (segmentId: string | null) => world.call('admin', 'PUT', `/subnets/${one.body.subnet.id}`, { subnet: { segment_id: segmentId } });
    assert.deepEqual(errorOf(await put(right.id)), [400, 'SubnetSegmentAssociationChangeNotAllowed']);
    // a subnet that is there may come to be on the only segment
    const plain = await world.create('admin', 'subnet', { network_id: other.id, ip_version: 4, cidr: '10.53.0.0/24' });
    const [only] = await segmentsOf(other.id);
    assert.equal((await world.update('admin', 'subnet', plain.id, { segment_id: only.id })).segment_id, only.id);
    const mine = await world.network('member', '10.54.0.0/24');
    assert.ok(!('segment_id' in mine.subnet));
    assert.deepEqual(errorOf(await world.call('member', 'PUT', `/subnets/${mine.subnet.id}`, { subnet: { segment_id: only.id } })), [
      403,
      'PolicyNotAuthorized',
    ]);
  });

  it('subnets of one network lead to those of its other segments, by their own gateways', async () => {
    const network = await world.create('admin', 'network', { segments: [vlan('left', 55), vlan('right', 55)] });
    const [left, right] = await segmentsOf(network.id);
    const subnet = (cidr: string, segment: Body, values: Record<string, unknown> = {}): Promise<Body> =>
      world.create('admin', 'subnet', { network_id: network.id, ip_version: 4, cidr, segment_id: segment.id, ...values });
    const routes = async (one: Body): Promise<Record<string, string>> =>
      Object.fromEntries((await world.show('admin', 'subnet', one.id)).host_routes.map((route: Body) => [route.destination, route.nexthop]));
    const put = (one: Body, values: Record<string, unknown>): Promise<Body> => world.update('admin', 'subnet', one.id, values);

    const a = await subnet('10.55.1.0/24', left);
    const aToo = await subnet('10.55.2.0/24', left);
    assert.deepEqual([await routes(a), await routes(aToo)], [{}, {}], 'those on one segment are neighbours');
    // as upstream: what is asked for is answered, and the routes by a gateway that was chosen come right after
    const b = await subnet('10.55.3.0/24', right);
    assert.deepEqual(b.host_routes, []);
    assert.deepEqual(await routes(b), { '10.55.1.0/24': '10.55.3.1', '10.55.2.0/24': '10.55.3.1' });
    assert.deepEqual(await routes(a), { '10.55.3.0/24': '10.55.1.1' });
    const c = await subnet('10.55.4.0/24', right, { gateway_ip: '10.55.4.254', host_routes: [{ destination: '10.55.0.0/23', nexthop: '10.55.4.9' }] });
    const wanted = { '10.55.0.0/23': '10.55.4.9', '10.55.2.0/24': '10.55.4.254' };
    assert.deepEqual(Object.fromEntries(c.host_routes.map((route: Body) => [route.destination, route.nexthop])), wanted, 'a wider route of the user stands');
    assert.deepEqual(await routes(c), wanted);
    assert.deepEqual(await routes(aToo), { '10.55.3.0/24': '10.55.2.1', '10.55.4.0/24': '10.55.2.1' });

    // guests hear of them by DHCP
    const told = (await world.onHost('network', network.id, 'h3')).subnets.find((each: Body) => each.cidr === '10.55.3.0/24');
    assert.deepEqual(told.hostRoutes, [
      { destination: '10.55.1.0/24', nexthop: '10.55.3.1' },
      { destination: '10.55.2.0/24', nexthop: '10.55.3.1' },
    ]);

    // with the gateway they change, and what is taken from them comes back
    const moved = await put(b, { gateway_ip: '10.55.3.250', allocation_pools: [{ start: '10.55.3.10', end: '10.55.3.20' }] });
    assert.deepEqual(new Set(moved.host_routes.map((route: Body) => route.nexthop)), new Set(['10.55.3.250']));
    assert.equal((await put(b, { host_routes: [] })).host_routes.length, 2);
    const own = [{ destination: '10.55.1.0/24', nexthop: '10.55.3.77' }];
    assert.deepEqual((await put(b, { host_routes: own })).host_routes, [...own, { destination: '10.55.2.0/24', nexthop: '10.55.3.250' }]);
    assert.deepEqual((await put(b, { gateway_ip: null })).host_routes, own, 'without a gateway no peer is reached');
    const revision = (await world.show('admin', 'subnet', a.id)).revision_number;
    assert.deepEqual((await put(a, { name: 'renamed' })).host_routes.length, 2);

    // and with the peer they go
    await world.expect(204, 'admin', 'DELETE', `/subnets/${c.id}`);
    assert.deepEqual(await routes(a), { '10.55.3.0/24': '10.55.1.1' });
    assert.equal((await world.show('admin', 'subnet', a.id)).revision_number, revision + 2);
    assert.deepEqual(await routes(b), { '10.55.1.0/24': '10.55.3.77' });

    // of other IP versions, and on networks without segments, there are none
    const six = await world.create('admin', 'subnet', { network_id: network.id, ip_version: 6, cidr: 'fd55::/64', segment_id: left.id });
    assert.deepEqual(await routes(six), {});
    assert.ok((await world.expect(200, 'member', 'GET', '/extensions')).extensions.some((each: Body) => each.alias === 'segments-peer-subnet-host-routes'));
  });

  it('peers that are too many: a new subnet is refused, an old one keeps the routes that it has', async () => {
    const network = await world.create('admin', 'network', { segments: [vlan('left', 56), vlan('right', 56)] });
    const [left, right] = await segmentsOf(network.id);
    const body = (cidr: string, segment: Body, values: object = {}) => ({
      subnet: { network_id: network.id, ip_version: 4, cidr, segment_id: segment.id, enable_dhcp: false, ...values },
    });
    const a = (
      await world.expect(201, 'admin', 'POST', '/subnets', body('10.56.100.0/24', left, { allocation_pools: [{ start: '10.56.100.9', end: '10.56.100.99' }] }))
    ).subnet;
    const many = Array.from({ length: 21 }, (_, i) => body(`10.56.${i}.0/24`, right).subnet);
    await world.expect(201, 'admin', 'POST', '/subnets', { subnets: many.slice(0, 20) });
    assert.equal((await world.show('admin', 'subnet', a.id)).host_routes.length, 20);
    await world.expect(201, 'admin', 'POST', '/subnets', { subnet: many[20] });
    assert.equal((await world.show('admin', 'subnet', a.id)).host_routes.length, 20);
    const refused = await world.call('admin', 'POST', '/subnets', body('10.56.101.0/24', left, { gateway_ip: '10.56.101.1' }));
    assert.deepEqual(errorOf(refused), [400, 'HostRoutesExhausted']);
    assert.deepEqual(errorOf(await world.call('admin', 'PUT', `/subnets/${a.id}`, { subnet: { gateway_ip: '10.56.100.254' } })), [400, 'HostRoutesExhausted']);
  });

  it("ports get addresses of their host's segment, and wait for a host where none is said", async () => {
    const network = await world.create('admin', 'network', { segments: [vlan('left', 61), vlan('right', 61)] });
    const [left, right] = await segmentsOf(network.id);
    for (const [cidr, segment] of [
      ['10.61.0.0/24', left],
      ['10.62.0.0/24', right],
    ] as const)
      await world.create('admin', 'subnet', { network_id: network.id, ip_version: 4, cidr, segment_id: segment.id });
    const port = (values: object) => world.call('admin', 'POST', '/ports', { port: { network_id: network.id, device_owner: 'compute:nova', ...values } });
    const here = await port({ 'binding:host_id': 'h2' });
    assert.match(here.body.port.fixed_ips[0].ip_address, /^10\.61\./);
    const there = await port({ 'binding:host_id': 'h3' });
    assert.match(there.body.port.fixed_ips[0].ip_address, /^10\.62\./);
    const later = (await port({})).body.port;
    assert.deepEqual([later.ip_allocation, later.fixed_ips], ['deferred', []]);
    const bound = await world.update('admin', 'port', later.id, { 'binding:host_id': 'h3' });
    assert.match(bound.fixed_ips[0].ip_address, /^10\.62\./);
    const moved = await world.call('admin', 'PUT', `/ports/${later.id}`, { port: { 'binding:host_id': 'h1' } });
    assert.deepEqual(errorOf(moved), [409, 'HostNotCompatibleWithFixedIps']);

    // each host sees the segment that it reaches, and addresses are handed out on each by one that is there
    const spec = async (host: string): Promise<Body> => world.onHost('network', network.id, host);
    const served = (object: Body): string[] => (object?.subnets ?? []).filter((subnet: Body) => subnet.dhcp).map((subnet: Body) => subnet.cidr);
    assert.deepEqual((await spec('h2')).segment, { type: 'vlan', id: 61, physicalNetwork: 'left' });
    assert.deepEqual((await spec('h3')).segment, { type: 'vlan', id: 61, physicalNetwork: 'right' });
    assert.deepEqual([...served(await spec('h1')), ...served(await spec('h2'))], ['10.61.0.0/24']);
    assert.deepEqual(served(await spec('h3')), ['10.62.0.0/24']);
    // a segment with ports on it stays
    const extra = (await add(network.id, { network_type: 'vlan', physical_network: 'right', segmentation_id: 62 })).body.segment;
    await world.expect(204, 'admin', 'DELETE', `/segments/${extra.id}`);
  });

  it("a server's ports get their addresses with their host; nova hears which hosts will do, and placement how many addresses there are", async () => {
    const { face, app } = world.neutron;
    const db = app.env.store.read;
    const network = await world.create('admin', 'network', { segments: [vlan('left', 81), vlan('right', 81)] });
    const [left, right] = await segmentsOf(network.id);
    const [one] = [
      await world.create('admin', 'subnet', { network_id: network.id, ip_version: 4, cidr: '10.81.0.0/24', segment_id: left.id }),
      await world.create('admin', 'subnet', {
        network_id: network.id,
        ip_version: 4,
        cidr: '10.82.0.0/24',
        segment_id: right.id,
        enable_dhcp: false,
        gateway_ip: null,
        allocation_pools: [{ start: '10.82.0.10', end: '10.82.0.19' }],
      }),
    ];
    const mine = async () => (await face.routedSegments(db)).filter(({ id }) => [left.id, right.id].includes(id)).toSorted((a) => (a.id === left.id ? -1 : 1));
    const offered = [
      { id: left.id, hosts: ['h1', 'h2'], total: 254, reserved: 2 },
      { id: right.id, hosts: ['h3'], total: 10, reserved: 0 },
    ];
    assert.deepEqual(await mine(), offered);

    const waiting = await world.create('admin', 'port', { network_id: network.id });
    const bind = (host: string) => app.env.store.write((tx) => face.bindPorts(tx, [waiting.id], { host, deviceId: 'a-server', deviceOwner: 'compute:nova' }));
    assert.deepEqual((await face.segmentsAsked(db, [{ networkId: network.id, portId: waiting.id }]))[0]?.toSorted(), [left.id, right.id].toSorted());
    await bind('h3');
    const bound = await world.show('admin', 'port', waiting.id);
    assert.match(bound.fixed_ips[0].ip_address, /^10\.82\.0\.1\d$/);
    assert.deepEqual(await face.segmentsAsked(db, [{ networkId: network.id, portId: waiting.id }]), [[right.id]]);
    await assert.rejects(bind('h1'), { type: 'HostNotCompatibleWithFixedIps' });
    assert.deepEqual(await mine(), offered, 'what servers have is not kept from servers');
    await world.create('admin', 'port', { network_id: network.id, fixed_ips: [{ subnet_id: one.id }], device_owner: 'balancer' });
    assert.equal((await mine())[0]?.reserved, 3);

    // a network on one physical network is where that is
    const near = await world.create('admin', 'network', vlan('right', 82));
    assert.deepEqual(await face.hostsReaching(db, [near.id]), ['h3']);
    assert.deepEqual((await face.hostsReaching(db, [network.id]))?.toSorted(), ['h1', 'h2', 'h3']);
    assert.deepEqual(await face.hostsReaching(db, [network.id, near.id]), ['h3']);
    const [port, other] = [await world.create('admin', 'port', { network_id: near.id }), await world.create('admin', 'port', { network_id: near.id })];
    await assert.rejects(
      app.env.store.write((tx) => face.bindPorts(tx, [port.id], { host: 'h1', deviceId: 'a-server', deviceOwner: 'compute:nova' })),
      { type: 'PortBindingFailed' },
    );
    const typed = async (host: string) =>
      (await world.update('admin', 'port', other.id, { device_owner: 'compute:nova', 'binding:host_id': host }))['binding:vif_type'];
    assert.deepEqual([await typed('h1'), await typed('h3')], ['binding_failed', 'tap']);
  });

  it('a segment whose hosts have ports of the network stays', async () => {
    const network = await world.create('admin', 'network', { segments: [vlan('left', 71), vlan('right', 71)] });
    const [left, right] = await segmentsOf(network.id);
    await world.create('admin', 'subnet', { network_id: network.id, ip_version: 4, cidr: '10.71.0.0/24' });
    await world.create('admin', 'port', { network_id: network.id, device_owner: 'compute:nova', 'binding:host_id': 'h3' });
    assert.deepEqual(errorOf(await world.call('admin', 'DELETE', `/segments/${right.id}`)), [409, 'SegmentInUse']);
    await world.expect(204, 'admin', 'DELETE', `/segments/${left.id}`);
  });
});

describe('network segment ranges', () => {
  let world: NetworkWorld;
  before(async () => {
    world = await NetworkWorld.start({ physicalNetworks, tenantNetworkType: 'vlan', quotas: { network: 1000 } });
  });
  after(() => world.close());

  const PATH = '/network-segment-ranges';
  const post = (values: object, who = 'admin') => world.call(who, 'POST', PATH, { network_segment_range: values });
  const list = async (): Promise<Body[]> => (await world.expect(200, 'admin', 'GET', PATH)).network_segment_ranges;

  it('the configured ones are there, and stay as they are', async () => {
    const defaults = (await list()).filter((range) => range.default);
    assert.deepEqual(defaults.map((range) => `${range.network_type} ${range.physical_network} ${range.minimum} ${range.maximum}`).toSorted(), [
      'geneve  1 16777215',
      'vlan left 100 109',
      'vlan right 100 109',
      'vxlan  1 16777215',
    ]);
    const left = defaults.find((range) => range.physical_network === 'left');
    assert.deepEqual([left.shared, left.project_id, left.used, left.available.length], [true, null, {}, 10]);
    const at = `${PATH}/${left.id}`;
    assert.deepEqual(errorOf(await world.call('admin', 'PUT', at, { network_segment_range: { maximum: 120 } })), [400, 'NetworkSegmentRangeDefaultReadOnly']);
    assert.deepEqual(errorOf(await world.call('admin', 'DELETE', at)), [400, 'NetworkSegmentRangeDefaultReadOnly']);
    assert.equal((await post({ minimum: 1, maximum: 2, network_type: 'vxlan' }, 'member')).status, 403);
    await world.expect(404, 'member', 'GET', at);
  });

  it("are checked as upstream's", async () => {
    const refusals: [object, [number, string]][] = [
      [{ network_type: 'gre' }, [400, 'NetworkSegmentRangeNetTypeNotSupported']],
      [{ network_type: 'tea' }, [400, 'HTTPBadRequest']],
      [{ network_type: 'vlan' }, [400, 'BadRequest']],
      [{ network_type: 'vlan', physical_network: 'left', maximum: 4095 }, [400, 'NetworkVlanRangeError']],
      [{ network_type: 'vxlan', minimum: 9, maximum: 8 }, [400, 'NetworkTunnelRangeError']],
      [{ network_type: 'vxlan', minimum: 0 }, [400, 'HTTPBadRequest']],
    ];
    for (const [values, expected] of refusals) assert.deepEqual(errorOf(await post({ minimum: 10, maximum: 20, ...values })), expected, JSON.stringify(values));
    const made = await post({ name: 'big', network_type: 'vxlan', minimum: 1000, maximum: 2000 });
    assert.equal(made.status, 201);
    const { id, ...shown } = made.body.network_segment_range;
    assert.deepEqual([shown.default, shown.shared, shown.project_id, shown.physical_network, shown.tags], [false, true, null, '', []]);
    assert.deepEqual(errorOf(await post({ network_type: 'vxlan', minimum: 2000, maximum: 2001 })), [409, 'NetworkSegmentRangeOverlaps']);
    const wider = await world.expect(200, 'admin', 'PUT', `${PATH}/${id}`, { network_segment_range: { maximum: 3000, name: 'bigger' } });
    assert.deepEqual([wider.network_segment_range.maximum, wider.network_segment_range.name], [3000, 'bigger']);
    const tags = `/network_segment_ranges/${id}/tags`;
    await world.expect(201, 'admin', 'PUT', `${tags}/red`);
    assert.deepEqual(await world.expect(200, 'admin', 'GET', tags), { tags: ['red'] });
    assert.equal((await world.expect(200, 'admin', 'GET', `${PATH}?tags=red`)).network_segment_ranges[0].id, id);
    await world.expect(204, 'admin', 'DELETE', `${PATH}/${id}`);
  });

  it("a project's own come first, are nobody else's, and are followed by the shared ones", async () => {
    const own = (await post({ shared: false, project_id: DEMO_PROJECT, network_type: 'vlan', physical_network: 'left', minimum: 200, maximum: 201 })).body
      .network_segment_range;
    assert.deepEqual([own.shared, own.project_id], [false, DEMO_PROJECT]);
    const make = async (who: string): Promise<number> => {
      const network = await world.create(who, 'network', {});
      return (await world.show('admin', 'network', network.id))['provider:segmentation_id'];
    };
    assert.deepEqual([await make('member'), await make('member')].toSorted(), [200, 201]);
    const shown = (await world.expect(200, 'admin', 'GET', `${PATH}/${own.id}`)).network_segment_range;
    assert.deepEqual([shown.used, shown.available], [{ 200: DEMO_PROJECT, 201: DEMO_PROJECT }, []]);
    assert.deepEqual(errorOf(await world.call('admin', 'DELETE', `${PATH}/${own.id}`)), [409, 'NetworkSegmentRangeReferencedByProject']);
    assert.deepEqual(errorOf(await world.call('admin', 'PUT', `${PATH}/${own.id}`, { network_segment_range: { minimum: 201 } })), [
      409,
      'NetworkSegmentRangeReferencedByProject',
    ]);

    // the shared ones have 20 ids, of which another project's own are not for us
    await post({ shared: false, project_id: ADMIN_PROJECT, network_type: 'vlan', physical_network: 'right', minimum: 100, maximum: 104 });
    const rest = [];
    for (let i = 0; i < 15; i++) rest.push(await make('other'));
    assert.ok(rest.every((id) => id >= 100 && id <= 109));
    const full = await world.call('other', 'POST', '/networks', { network: {} });
    assert.deepEqual(errorOf(full), [503, 'NoNetworkAvailable']);
    assert.ok((await make('admin')) <= 104);
  });
});
