import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TestAnswer } from '@cairn/kit/testing/world';
import { networkProviders } from '../app/network-providers.ts';
import { updatePort } from '../store/ports.ts';
import { DEMO_PROJECT, NetworkWorld, OTHER_PROJECT } from '../testing/network-world.ts';

type Body = TestAnswer['body'];

describe('quality of service', () => {
  let world: NetworkWorld;
  before(async () => {
    world = await NetworkWorld.start({ hosts: ['host'] });
  });
  after(() => world.close());

  const policy = (values: Body = {}, who = 'admin') => world.create(who, 'policy', { project_id: DEMO_PROJECT, ...values }, '/qos/policies');
  const rule = async (policyId: string, type: string, values: Body, status = 201): Promise<Body> =>
    world.expect(status, 'admin', 'POST', `/qos/policies/${policyId}/${type}_rules`, { [`${type}_rule`]: values });

  it('keeps policies with their rules, and shows them as upstream does', async () => {
    const made = await policy({ name: 'gold', description: 'fast' });
    assert.deepEqual(Object.keys(made).toSorted(), [
      'created_at',
      'description',
      'id',
      'is_default',
      'name',
      'project_id',
      'revision_number',
      'rules',
      'shared',
      'tags',
      'tenant_id',
      'updated_at',
    ]);
    assert.deepEqual([made.rules, made.shared, made.is_default, made.project_id], [[], false, false, DEMO_PROJECT]);
    const { bandwidth_limit_rule } = await rule(made.id, 'bandwidth_limit', { max_kbps: '1000' });
    assert.deepEqual(bandwidth_limit_rule, { id: bandwidth_limit_rule.id, max_kbps: 1000, max_burst_kbps: 0, direction: 'egress' });
    const { dscp_marking_rule } = await rule(made.id, 'dscp_marking', { dscp_mark: 26 });
    const shown = (await world.expect(200, 'member', 'GET', `/qos/policies/${made.id}`)).policy;
    assert.deepEqual(
      shown.rules.toSorted((a: Body, b: Body) => (a.type < b.type ? -1 : 1)),
      [
        { id: bandwidth_limit_rule.id, max_kbps: 1000, max_burst_kbps: 0, direction: 'egress', qos_policy_id: made.id, type: 'bandwidth_limit' },
        { id: dscp_marking_rule.id, dscp_mark: 26, qos_policy_id: made.id, type: 'dscp_marking' },
      ],
    );
    const path = `/qos/policies/${made.id}/bandwidth_limit_rules`;
    const changed = await world.expect(200, 'admin', 'PUT', `${path}/${bandwidth_limit_rule.id}`, {
      bandwidth_limit_rule: { max_kbps: 500, direction: 'ingress' },
    });
    assert.deepEqual([changed.bandwidth_limit_rule.max_kbps, changed.bandwidth_limit_rule.direction], [500, 'ingress']);
    assert.equal((await world.expect(200, 'member', 'GET', path)).bandwidth_limit_rules.length, 1);
    assert.equal((await world.expect(200, 'member', 'GET', `${path}?max_kbps=7`)).bandwidth_limit_rules.length, 0);
    // a rule is not below another policy, nor of another type
    const second = await policy();
    for (const wrong of [
      `/qos/policies/${second.id}/bandwidth_limit_rules/${bandwidth_limit_rule.id}`,
      `/qos/policies/${made.id}/dscp_marking_rules/${bandwidth_limit_rule.id}`,
    ]) {
      const answer = await world.call('admin', 'GET', wrong);
      assert.deepEqual([answer.status, answer.body.NeutronError?.type], [404, 'QosRuleNotFound'], wrong);
    }
    await world.expect(204, 'admin', 'DELETE', `${path}/${bandwidth_limit_rule.id}`);
    await world.expect(204, 'admin', 'DELETE', `/qos/policies/${made.id}`);
    await world.expect(404, 'admin', 'GET', path);
  });

  it('refuses what contradicts itself', async () => {
    const { id } = await policy();
    await rule(id, 'bandwidth_limit', { max_kbps: 1000 });
    assert.equal((await rule(id, 'bandwidth_limit', { max_kbps: 7 }, 409)).NeutronError.type, 'QoSRulesConflict');
    await rule(id, 'bandwidth_limit', { max_kbps: 1000, direction: 'ingress' });
    assert.equal((await rule(id, 'minimum_bandwidth', { min_kbps: 2000 }, 409)).NeutronError.type, 'QoSRuleParameterConflict');
    await rule(id, 'minimum_bandwidth', { min_kbps: 900 });
    await rule(id, 'minimum_packet_rate', { min_kpps: 1, direction: 'any' });
    assert.equal((await rule(id, 'minimum_packet_rate', { min_kpps: 1 }, 409)).NeutronError.type, 'QoSRuleParameterConflict');
    for (const [type, values] of [
      ['dscp_marking', { dscp_mark: 1 }],
      ['bandwidth_limit', { max_kbps: -1 }],
      ['bandwidth_limit', { max_kbps: 'x' }],
      ['bandwidth_limit', {}],
      ['minimum_bandwidth', { min_kbps: 1, direction: 'any' }],
    ] as const)
      await rule(id, type, values, 400);
  });

  it('is for managers to make, and for members to use', async () => {
    const refused = await world.call('member', 'POST', '/qos/policies', { policy: { name: 'mine' } });
    assert.equal(refused.status, 403);
    const { id } = await policy({ project_id: OTHER_PROJECT });
    await world.expect(404, 'member', 'GET', `/qos/policies/${id}`);
    const { network } = await world.network('member', '10.61.0.0/24');
    const unseen = await world.call('member', 'PUT', `/networks/${network.id}`, { network: { qos_policy_id: id } });
    assert.deepEqual([unseen.status, unseen.body.NeutronError.type], [404, 'QosPolicyNotFound']);
    const rbac = await world.create(
      'admin',
      'rbac_policy',
      { object_type: 'qos_policy', object_id: id, action: 'access_as_shared', target_tenant: DEMO_PROJECT },
      '/rbac-policies',
    );
    assert.equal((await world.expect(200, 'member', 'GET', `/qos/policies/${id}`)).policy.shared, true);
    assert.equal((await world.update('member', 'network', network.id, { qos_policy_id: id })).qos_policy_id, id);
    assert.equal((await world.call('admin', 'DELETE', `/rbac-policies/${rbac.id}`)).status, 409);
    const used = await world.call('admin', 'DELETE', `/qos/policies/${id}`);
    assert.deepEqual([used.status, used.body.NeutronError.type], [409, 'QosPolicyInUse']);
    await world.update('member', 'network', network.id, { qos_policy_id: null });
    await world.expect(204, 'admin', 'DELETE', `/rbac-policies/${rbac.id}`);
    await world.expect(204, 'admin', 'DELETE', `/qos/policies/${id}`);
  });

  it("gives a project's new networks its default policy", async () => {
    const made = await policy({ is_default: true });
    assert.equal((await world.call('admin', 'POST', '/qos/policies', { policy: { project_id: DEMO_PROJECT, is_default: true } })).status, 409);
    assert.equal((await world.create('member', 'network', {})).qos_policy_id, made.id);
    await world.expect(200, 'admin', 'PUT', `/qos/policies/${made.id}`, { policy: { is_default: false } });
    assert.equal((await world.create('member', 'network', {})).qos_policy_id, null);
  });

  it('reaches the hosts: of a port, of its network, of floating IPs and gateways, and again when a rule changes', async () => {
    const { id } = await policy();
    const { bandwidth_limit_rule } = await rule(id, 'bandwidth_limit', { max_kbps: 3000, max_burst_kbps: 300 });
    const { network, subnet } = await world.network('member', '10.62.0.0/24');
    const port = await world.create('member', 'port', { network_id: network.id });
    assert.deepEqual([port.qos_policy_id, port.qos_network_policy_id], [null, null]);
    assert.equal((await world.onHost('port', port.id))?.qos, undefined);
    await world.update('member', 'network', network.id, { qos_policy_id: id });
    assert.equal((await world.show('member', 'port', port.id)).qos_network_policy_id, id);
    assert.deepEqual((await world.onHost('port', port.id))?.qos, { egress: { kilobitsPerSecond: 3000, burstKilobits: 300 } });
    const own = await policy();
    await rule(own.id, 'packet_rate_limit', { max_kpps: 5, direction: 'ingress' });
    await world.update('member', 'port', port.id, { qos_policy_id: own.id });
    assert.deepEqual((await world.onHost('port', port.id))?.qos, { ingress: { kilopacketsPerSecond: 5, burstKilopackets: 0 } });
    await world.update('member', 'port', port.id, { qos_policy_id: null });
    await world.expect(200, 'admin', 'PUT', `/qos/alias-bandwidth-limit-rules/${bandwidth_limit_rule.id}`, { alias_bandwidth_limit_rule: { max_kbps: 4000 } });
    assert.equal((await world.onHost('port', port.id))?.qos.egress.kilobitsPerSecond, 4000);
    assert.equal((await world.show('member', 'port', (await world.create('member', 'port', { network_id: network.id })).id)).qos_network_policy_id, id);

    const external = await world.publicNetwork();
    const router = await world.create('member', 'router', {});
    const info = { network_id: external.network.id, qos_policy_id: id };
    assert.equal((await world.update('member', 'router', router.id, { external_gateway_info: info })).external_gateway_info.qos_policy_id, id);
    assert.equal((await world.onHost('router', router.id))?.gateway.qos.egress.kilobitsPerSecond, 4000);
    await world.expect(200, 'member', 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
    const floating = await world.create('member', 'floatingip', { floating_network_id: external.network.id, port_id: port.id, qos_policy_id: own.id });
    assert.equal(floating.qos_policy_id, own.id);
    assert.equal((await world.onHost('router', router.id))?.floatingIps[0].qos.ingress.kilopacketsPerSecond, 5);
    await world.update('member', 'floatingip', floating.id, { qos_policy_id: null });
    assert.equal((await world.onHost('router', router.id))?.floatingIps[0].qos, undefined);
    await world.update('member', 'router', router.id, { external_gateway_info: { network_id: external.network.id, qos_policy_id: null } });
    assert.equal((await world.onHost('router', router.id))?.gateway.qos, undefined);
  });

  it('says what minimums ask of placement, and keeps them for ports of servers', async () => {
    const { id } = await policy();
    const { minimum_bandwidth_rule } = await rule(id, 'minimum_bandwidth', { min_kbps: 700 });
    await rule(id, 'minimum_packet_rate', { min_kpps: 3, direction: 'any' });
    const { network } = await world.network('member', '10.63.0.0/24');
    const port = await world.create('member', 'port', { network_id: network.id, qos_policy_id: id });
    assert.equal(port.resource_request, undefined);
    const { request_groups: groups, same_subtree: subtree } = (await world.show('admin', 'port', port.id)).resource_request;
    assert.deepEqual(
      groups.map((each: Body) => [each.required, each.resources]),
      [
        [['CUSTOM_NETWORK_TUNNEL_PROVIDER', 'CUSTOM_VNIC_TYPE_NORMAL'], { NET_BW_EGR_KILOBIT_PER_SEC: 700 }],
        [['CUSTOM_VNIC_TYPE_NORMAL'], { NET_PACKET_RATE_KILOPACKET_PER_SEC: 3 }],
      ],
    );
    assert.deepEqual(
      subtree,
      groups.map((each: Body) => each.id),
    );
    await world.expect(200, 'admin', 'PUT', `/qos/alias-minimum-bandwidth-rules/${minimum_bandwidth_rule.id}`, {
      alias_minimum_bandwidth_rule: { min_kbps: 800 },
    });
    await world.update('admin', 'port', port.id, { device_owner: 'compute:nova' });
    const kept = await world.call('admin', 'PUT', `/qos/alias-minimum-bandwidth-rules/${minimum_bandwidth_rule.id}`, {
      alias_minimum_bandwidth_rule: { min_kbps: 900 },
    });
    assert.equal(kept.status, 501);
    assert.equal(
      (await world.expect(200, 'admin', 'GET', `/qos/alias-minimum-bandwidth-rules/${minimum_bandwidth_rule.id}`)).alias_minimum_bandwidth_rule.min_kbps,
      800,
    );

    // nova asks for the request, and says in the profile who satisfies it
    const { face } = world.neutron;
    const { store } = world.world.env;
    const without = await world.create('member', 'port', { network_id: network.id });
    const requests = await face.resourceRequests(store.read, [port.id, without.id]);
    assert.deepEqual([...requests.keys()], [port.id]);
    assert.deepEqual(
      requests.get(port.id)?.request_groups.map((each) => each.id),
      subtree,
    );
    const binding = { host: 'host', deviceId: '0d000000-0000-4000-8000-000000000000', deviceOwner: 'compute:nova' };
    const bind = (allocations?: ReadonlyMap<string, Readonly<Record<string, string>>>) =>
      store.write((tx) => face.bindPorts(tx, [port.id], { ...binding, ...(allocations && { allocations }) }));
    const profile = async () => (await world.show('admin', 'port', port.id))['binding:profile'];
    await store.write((tx) => updatePort(tx, port.id, { binding_profile_json: '{"mine":"x"}' }));
    await bind(new Map([[port.id, { [subtree[0]]: 'rp1', [subtree[1]]: 'rp2' }]]));
    assert.deepEqual(await profile(), { mine: 'x', allocation: { [subtree[0]]: 'rp1', [subtree[1]]: 'rp2' } });
    await bind(new Map([[port.id, { [subtree[0]]: 'rp3', [subtree[1]]: 'rp2' }]]));
    assert.equal((await profile()).allocation[subtree[0]], 'rp3', 'other providers of the same host');
    await bind();
    assert.deepEqual(await profile(), { mine: 'x' });
    await store.write((tx) => face.releasePorts(tx, [port.id], { delete: false }));
    assert.deepEqual(await profile(), {});
  });

  it('tells what the network of a host offers', () => {
    const { egress, ingress } = { egress: 'NET_BW_EGR_KILOBIT_PER_SEC', ingress: 'NET_BW_IGR_KILOBIT_PER_SEC' };
    assert.deepEqual(networkProviders({ bandwidths: {}, packetRates: { any: 0 } }, 'h1'), []);
    const offered = { bandwidths: { 'phys-1': { egressKbps: 10, ingressKbps: 0 }, '': { egressKbps: 7, ingressKbps: 8 } }, packetRates: { any: 0, egress: 5 } };
    const [agent, card, tunnels, ...more] = networkProviders(offered, 'h1');
    assert.deepEqual(
      [agent?.name, agent?.parentId, agent?.inventories],
      ['h1:Open vSwitch agent', undefined, { NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC: { total: 5 } }],
    );
    assert.deepEqual([card?.name, card?.parentId], ['h1:Open vSwitch agent:phys-1', agent?.id]);
    assert.deepEqual([card?.inventories, card?.traits], [{ [egress]: { total: 10 } }, ['CUSTOM_PHYSNET_PHYS_1', 'CUSTOM_VNIC_TYPE_NORMAL']]);
    assert.deepEqual(tunnels?.inventories, { [egress]: { total: 7 }, [ingress]: { total: 8 } });
    assert.deepEqual(tunnels?.traits, ['CUSTOM_NETWORK_TUNNEL_PROVIDER', 'CUSTOM_VNIC_TYPE_NORMAL']);
    assert.deepEqual(more, []);
    assert.notEqual(networkProviders(offered, 'h2')[0]?.id, agent?.id);
  });

  it('lists the types of rules, and the details of each to admins', async () => {
    const { rule_types: types } = await world.expect(200, 'member', 'GET', '/qos/rule-types?all_supported=true');
    assert.deepEqual(types.map((each: Body) => each.type).toSorted(), [
      'bandwidth_limit',
      'dscp_marking',
      'minimum_bandwidth',
      'minimum_packet_rate',
      'packet_rate_limit',
    ]);
    await world.expect(403, 'member', 'GET', '/qos/rule-types/bandwidth_limit');
    const { rule_type: details } = await world.expect(200, 'admin', 'GET', '/qos/rule-types/bandwidth_limit');
    assert.deepEqual(
      details.drivers[0].supported_parameters.map((each: Body) => [each.parameter_name, each.parameter_type]),
      [
        ['max_kbps', 'range'],
        ['max_burst_kbps', 'range'],
        ['direction', 'choices'],
      ],
    );
    await world.expect(400, 'admin', 'GET', '/qos/rule-types/nonsense');
  });

  it('has tags, revisions and lists as all resources have', async () => {
    const made = await policy({ name: 'tagged' });
    await world.expect(200, 'admin', 'PUT', `/policies/${made.id}/tags`, { tags: ['a', 'b'] });
    assert.deepEqual((await world.expect(200, 'member', 'GET', '/qos/policies?tags=a&fields=name')).policies, [{ name: 'tagged' }]);
    const stale = await world.call('admin', 'PUT', `/qos/policies/${made.id}`, { policy: { name: 'x' } }, { 'If-Match': 'revision_number=77' });
    assert.equal(stale.status, 412);
    assert.equal((await world.expect(200, 'admin', 'GET', '/qos/policies?shared=true')).policies.length, 0);
    await world.expect(200, 'admin', 'PUT', `/qos/policies/${made.id}`, { policy: { shared: true } });
    assert.equal((await world.expect(200, 'other', 'GET', `/qos/policies?shared=true`)).policies.length, 1);
  });
});
