import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DEMO_PROJECT, NetworkWorld, OTHER_PROJECT } from '../testing/network-world.ts';

describe('networks', () => {
  let world: NetworkWorld;
  before(async () => {
    world = await NetworkWorld.start({ quotas: { network: 1_000 } });
  });
  after(() => world.close());

  it('creates one with defaults, as its owner sees it', async () => {
    const network = await world.create('member', 'network', { name: 'one' });
    const { id, created_at, updated_at, ...rest } = network;
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.match(created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.equal(updated_at, created_at);
    assert.deepEqual(rest, {
      name: 'one',
      tenant_id: DEMO_PROJECT,
      project_id: DEMO_PROJECT,
      description: '',
      revision_number: 0,
      admin_state_up: true,
      mtu: 1442,
      status: 'ACTIVE',
      subnets: [],
      shared: false,
      availability_zone_hints: [],
      availability_zones: [],
      ipv4_address_scope: null,
      ipv6_address_scope: null,
      'router:external': false,
      port_security_enabled: true,
      dns_domain: '',
      l2_adjacency: true,
      qos_policy_id: null,
      tags: [],
    });
    assert.deepEqual(await world.show('member', 'network', id), network);
  });

  it('shows admins what carries it', async () => {
    const { id } = await world.create('member', 'network');
    const seen = await world.show('admin', 'network', id);
    assert.equal(seen['provider:network_type'], 'geneve');
    assert.equal(seen['provider:physical_network'], null);
    assert.equal(typeof seen['provider:segmentation_id'], 'number');
    assert.ok(!('provider:network_type' in (await world.show('member', 'network', id))));
  });

  it('creates many at once, or none', async () => {
    const body = await world.expect(201, 'member', 'POST', '/networks', { networks: [{ name: 'a' }, { name: 'b', mtu: 1400 }] });
    assert.deepEqual(
      body.networks.map((n: { name: string; mtu: number }) => [n.name, n.mtu]),
      [
        ['a', 1400 + 42],
        ['b', 1400],
      ],
    );
    await world.expect(400, 'member', 'POST', '/networks', { networks: [{ name: 'bulk-c' }, { name: 'bulk-d', mtu: 'big' }] });
    assert.deepEqual((await world.expect(200, 'member', 'GET', '/networks?name=bulk-c')).networks, []);
  });

  it('refuses bodies in upstream words', async () => {
    const cases: [unknown, string][] = [
      [{}, "Unable to find 'network' in request body"],
      [{ network: { foo: 1 } }, "Unrecognized attribute(s) 'foo'"],
      [{ network: { status: 'ACTIVE' } }, "Attribute 'status' not allowed in POST"],
      [{ network: { name: 'x'.repeat(256) } }, `Invalid input for name. Reason: '${'x'.repeat(256)}' exceeds maximum length of 255.`],
      [{ network: { admin_state_up: 'maybe' } }, "Invalid input for operation: 'maybe' cannot be converted to boolean."],
      [{ networks: [] }, 'Resources required'],
    ];
    for (const [body, message] of cases) {
      const answer = await world.call('member', 'POST', '/networks', body);
      assert.equal(answer.status, 400, message);
      assert.equal(answer.body.NeutronError.message, message);
      assert.equal(answer.body.NeutronError.detail, '');
    }
  });

  it('keeps attributes of admins from others', async () => {
    for (const values of [{ shared: true }, { 'router:external': true }, { 'provider:network_type': 'vlan' }]) {
      const answer = await world.call('member', 'POST', '/networks', { network: values });
      assert.equal(answer.status, 403);
      assert.equal(answer.body.NeutronError.type, 'PolicyNotAuthorized');
      assert.equal(answer.body.NeutronError.message, `(rule:create_network and rule:create_network:${Object.keys(values)[0]}) is disallowed by policy`);
    }
    await world.expect(403, 'reader', 'POST', '/networks', { network: {} });
    const forOther = await world.call('member', 'POST', '/networks', { network: { project_id: OTHER_PROJECT } });
    assert.equal(forOther.status, 400);
    assert.equal((await world.create('admin', 'network', { project_id: OTHER_PROJECT })).tenant_id, OTHER_PROJECT);
  });

  it('is not there for other projects unless shared', async () => {
    const { id } = await world.create('member', 'network', { name: 'mine' });
    const get = await world.call('other', 'GET', `/networks/${id}`);
    assert.equal(get.status, 404);
    assert.deepEqual(get.body.NeutronError, { type: 'NetworkNotFound', message: `Network ${id} could not be found.`, detail: '' });
    await world.expect(404, 'other', 'PUT', `/networks/${id}`, { network: { name: 'yours' } });
    await world.expect(404, 'other', 'DELETE', `/networks/${id}`);
    const shared = await world.create('admin', 'network', { shared: true, project_id: DEMO_PROJECT });
    assert.equal((await world.show('other', 'network', shared.id)).shared, true);
    await world.expect(403, 'other', 'PUT', `/networks/${shared.id}`, { network: { name: 'yours' } });
    await world.expect(403, 'other', 'DELETE', `/networks/${shared.id}`);
  });

  it('changes, and counts its revisions', async () => {
    const { id } = await world.create('member', 'network', { name: 'before' });
    const changed = await world.update('member', 'network', id, { name: 'after', description: 'text', admin_state_up: false });
    assert.equal(changed.name, 'after');
    assert.equal(changed.revision_number, 1);
    assert.equal(changed.admin_state_up, false);
    const stale = await world.call('member', 'PUT', `/networks/${id}`, { network: { name: 'late' } }, { 'if-match': 'revision_number=0' });
    assert.equal(stale.status, 412);
    assert.equal(stale.body.NeutronError.type, 'RevisionNumberConstraintFailed');
    const fresh = await world.call('member', 'PUT', `/networks/${id}`, { network: { name: 'now' } }, { 'if-match': 'revision_number=1' });
    assert.equal(fresh.status, 200);
    const readOnly = await world.call('member', 'PUT', `/networks/${id}`, { network: { id } });
    assert.equal(readOnly.body.NeutronError.message, 'Cannot update read-only attribute id');
  });

  it('goes away with its subnets, and not while ports are on it', async () => {
    const { network } = await world.network();
    const port = await world.create('member', 'port', { network_id: network.id });
    const refused = await world.call('member', 'DELETE', `/networks/${network.id}`);
    assert.equal(refused.status, 409);
    assert.equal(refused.body.NeutronError.type, 'NetworkInUse');
    assert.match(refused.body.NeutronError.message, new RegExp(port.id));
    await world.expect(204, 'member', 'DELETE', `/ports/${port.id}`);
    await world.expect(204, 'member', 'DELETE', `/networks/${network.id}`);
    await world.expect(404, 'member', 'GET', `/networks/${network.id}`);
    assert.deepEqual((await world.expect(200, 'admin', 'GET', `/ports?network_id=${network.id}`)).ports, []);
    assert.deepEqual((await world.expect(200, 'member', 'GET', `/subnets?network_id=${network.id}`)).subnets, []);
  });

  it('shares segments with nobody', async () => {
    const vlan = { 'provider:network_type': 'flat', 'provider:physical_network': 'public' };
    const first = await world.create('admin', 'network', vlan);
    const second = await world.call('admin', 'POST', '/networks', { network: vlan });
    assert.equal(second.status, 409);
    assert.equal(second.body.NeutronError.type, 'FlatNetworkInUse');
    await world.expect(204, 'admin', 'DELETE', `/networks/${first.id}`);
    await world.expect(201, 'admin', 'POST', '/networks', { network: vlan });
  });

  it('is counted against its project', async () => {
    const small = await NetworkWorld.start({ quotas: { network: 1 } });
    try {
      await small.create('member', 'network');
      const refused = await small.call('member', 'POST', '/networks', { network: {} });
      assert.equal(refused.status, 409);
      assert.deepEqual(refused.body.NeutronError, { type: 'OverQuota', message: "Quota exceeded for resources: ['network'].", detail: '' });
      await small.create('other', 'network');
    } finally {
      await small.close();
    }
  });
});

describe('lists', () => {
  let world: NetworkWorld;
  const names = ['a', 'b', 'c', 'd', 'e'];
  before(async () => {
    world = await NetworkWorld.start();
    for (const name of names) await world.create('member', 'network', { name, description: `of ${name}`, admin_state_up: name < 'd' });
    await world.create('other', 'network', { name: 'theirs' });
    await world.create('admin', 'network', { name: 'ours', shared: true });
  });
  after(() => world.close());

  const list = async (query: string, who = 'member'): Promise<string[]> =>
    (await world.expect(200, who, 'GET', `/networks?${query}`)).networks.map((n: { name: string }) => n.name);

  it('shows what is the own project or shared', async () => {
    assert.deepEqual(await list('sort_key=name&sort_dir=asc'), [...names, 'ours']);
    assert.deepEqual(await list('sort_key=name&sort_dir=asc', 'other'), ['ours', 'theirs']);
    assert.equal((await list('', 'admin')).length, 7);
  });

  it('filters by one value or several', async () => {
    assert.deepEqual(await list('name=a'), ['a']);
    assert.deepEqual((await list('name=a&name=c')).toSorted(), ['a', 'c']);
    assert.deepEqual((await list('admin_state_up=false')).toSorted(), ['d', 'e']);
    assert.deepEqual((await list('admin_state_up=False&name=d')).toSorted(), ['d']);
    assert.deepEqual(await list('shared=true'), ['ours']);
    assert.deepEqual(await list('description=of%20b'), ['b']);
    assert.deepEqual(await list('project_id=unknown'), []);
  });

  it('refuses filters and sort keys that it does not know', async () => {
    const unknown = await world.call('member', 'GET', '/networks?colour=red');
    assert.equal(unknown.status, 400);
    const sort = await world.call('member', 'GET', '/networks?sort_key=colour');
    assert.equal(sort.status, 400);
  });

  it('shows only the fields asked for', async () => {
    const body = await world.expect(200, 'member', 'GET', '/networks?fields=name&fields=mtu&name=a');
    assert.deepEqual(body.networks, [{ name: 'a', mtu: 1442 }]);
  });

  it('pages forwards and backwards with links', async () => {
    const seen: string[] = [];
    let path = '/networks?limit=2&sort_key=name&sort_dir=asc';
    for (;;) {
      const body = await world.expect(200, 'member', 'GET', path);
      seen.push(...body.networks.map((n: { name: string }) => n.name));
      const next = body.networks_links?.find((link: { rel: string }) => link.rel === 'next');
      if (!next) break;
      path = next.href.slice(next.href.indexOf('/networks'));
    }
    assert.deepEqual(seen, [...names, 'ours']);
    const all = (await world.expect(200, 'member', 'GET', '/networks?sort_key=name&sort_dir=asc')).networks;
    const marker = all[4].id;
    assert.deepEqual(await list(`limit=2&sort_key=name&sort_dir=asc&marker=${marker}&page_reverse=true`), ['c', 'd']);
    const missing = await world.call('member', 'GET', '/networks?limit=2&marker=8d0c0f0e-0000-4000-8000-000000000000');
    assert.equal(missing.status, 404);
    assert.equal(missing.body.NeutronError.type, 'NetworkNotFound');
  });
});
