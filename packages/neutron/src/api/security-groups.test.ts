import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { NetworkWorld } from '../testing/network-world.ts';

describe('security groups', () => {
  let world: NetworkWorld;
  before(async () => {
    world = await NetworkWorld.start({ quotas: { security_group: 100 } });
  });
  after(() => world.close());

  it('has a default one per project, made when first looked for', async () => {
    const { security_groups: groups } = await world.expect(200, 'other', 'GET', '/security-groups');
    assert.equal(groups.length, 1);
    const [group] = groups;
    assert.equal(group.name, 'default');
    assert.equal(group.description, 'Default security group');
    const rules = group.security_group_rules.map((rule: Record<string, unknown>) => [rule.direction, rule.ethertype, rule.remote_group_id === group.id]);
    assert.deepEqual(rules.toSorted(), [
      ['egress', 'IPv4', false],
      ['egress', 'IPv6', false],
      ['ingress', 'IPv4', true],
      ['ingress', 'IPv6', true],
    ]);
    const renamed = await world.call('other', 'PUT', `/security-groups/${group.id}`, { security_group: { name: 'mine' } });
    assert.equal(renamed.body.NeutronError.type, 'SecurityGroupCannotUpdateDefault');
    const removed = await world.call('other', 'DELETE', `/security-groups/${group.id}`);
    assert.equal(removed.status, 409);
    assert.equal(removed.body.NeutronError.type, 'SecurityGroupCannotRemoveDefault');
    assert.equal(
      (await world.call('other', 'POST', '/security-groups', { security_group: { name: 'default' } })).body.NeutronError.type,
      'SecurityGroupDefaultAlreadyExists',
    );
  });

  it('creates, changes and deletes one', async () => {
    const group = await world.create('member', 'security_group', { name: 'web', description: 'for the web' });
    assert.equal(group.stateful, true);
    assert.deepEqual(
      group.security_group_rules.map((rule: Record<string, unknown>) => [rule.direction, rule.ethertype, rule.protocol]),
      [
        ['egress', 'IPv4', null],
        ['egress', 'IPv6', null],
      ],
    );
    const changed = await world.update('member', 'security_group', group.id, { name: 'www', description: '' });
    assert.equal(changed.name, 'www');
    await world.expect(404, 'other', 'GET', `/security-groups/${group.id}`);
    await world.expect(204, 'member', 'DELETE', `/security-groups/${group.id}`);
    const gone = await world.call('member', 'GET', `/security-groups/${group.id}`);
    assert.deepEqual(gone.body.NeutronError, { type: 'SecurityGroupNotFound', message: `Security group ${group.id} does not exist`, detail: '' });
  });

  it('stays while ports use it', async () => {
    const group = await world.create('member', 'security_group', { name: 'used' });
    const { network } = await world.network();
    const port = await world.create('member', 'port', { network_id: network.id, security_groups: [group.id] });
    const refused = await world.call('member', 'DELETE', `/security-groups/${group.id}`);
    assert.equal(refused.body.NeutronError.type, 'SecurityGroupInUse');
    await world.expect(204, 'member', 'DELETE', `/ports/${port.id}`);
    await world.expect(204, 'member', 'DELETE', `/security-groups/${group.id}`);
  });
});

describe('security group rules', () => {
  let world: NetworkWorld;
  let groupId: string;
  before(async () => {
    world = await NetworkWorld.start({ quotas: { security_group_rule: 1_000 } });
    groupId = (await world.create('member', 'security_group', { name: 'web' })).id;
  });
  after(() => world.close());

  const make = (values: object) => world.create('member', 'security_group_rule', { security_group_id: groupId, direction: 'ingress', ...values });
  const refused = async (status: number, values: object): Promise<{ type: string; message: string }> => {
    const body = { security_group_rule: { security_group_id: groupId, direction: 'ingress', ...values } };
    return (await world.expect(status, 'member', 'POST', '/security-group-rules', body)).NeutronError;
  };

  it('creates one', async () => {
    const rule = await make({ protocol: 'tcp', port_range_min: 22, port_range_max: 22, remote_ip_prefix: '10.0.0.5/24' });
    assert.equal(rule.remote_ip_prefix, '10.0.0.5/24');
    assert.equal(rule.normalized_cidr, '10.0.0.0/24');
    assert.equal(rule.ethertype, 'IPv4');
    assert.equal(rule.belongs_to_default_sg, false);
    assert.deepEqual(await world.show('member', 'security_group_rule', rule.id), rule);
    const group = await world.show('member', 'security_group', groupId);
    assert.ok(group.security_group_rules.some((each: { id: string }) => each.id === rule.id));
    assert.ok(group.revision_number > 0);
  });

  it('knows rules that mean the same', async () => {
    const rule = await make({ protocol: 'udp', port_range_min: 53, port_range_max: 53 });
    for (const same of [{ protocol: 'udp' }, { protocol: 'UDP' }, { protocol: 17 }, { protocol: 'udp', remote_ip_prefix: '0.0.0.0/0' }]) {
      const error = await refused(409, { ...same, port_range_min: 53, port_range_max: 53 });
      assert.equal(error.type, 'SecurityGroupRuleExists');
      assert.equal(error.message, `Security group rule already exists. Rule id is ${rule.id}.`);
    }
  });

  it('refuses what makes no sense, in upstream words', async () => {
    const cases: [object, string, string][] = [
      [
        { protocol: 'tcp', port_range_min: 80, port_range_max: 79 },
        'SecurityGroupInvalidPortRange',
        'For TCP/UDP protocols, port_range_min must be <= port_range_max',
      ],
      [{ protocol: 'tcp', port_range_min: 0, port_range_max: 79 }, 'SecurityGroupInvalidPortValue', 'Invalid value for port 0'],
      [{ port_range_min: 80, port_range_max: 80 }, 'SecurityGroupProtocolRequiredWithPorts', 'Must also specify protocol if port range is given.'],
      [{ protocol: 'icmp', port_range_min: 256 }, 'SecurityGroupInvalidIcmpValue', 'Invalid value for ICMP type (port_range_min) 256. It must be 0 to 255.'],
      [
        { protocol: 'icmp', port_range_max: 1 },
        'SecurityGroupMissingIcmpType',
        'ICMP code (port-range-max) 1 is provided but ICMP type (port-range-min) is missing.',
      ],
      [{ ethertype: 'IPv6', remote_ip_prefix: '10.0.0.0/8' }, 'SecurityGroupRuleParameterConflict', 'Conflicting value ethertype IPv6 for CIDR 10.0.0.0/8'],
      [{ protocol: 'ipv6-icmp' }, 'SecurityGroupEthertypeConflictWithProtocol', 'Invalid ethertype IPv4 for protocol ipv6-icmp.'],
    ];
    for (const [values, type, message] of cases) assert.deepEqual(await refused(400, values), { type, message, detail: '' });
    assert.equal((await refused(400, { direction: 'sideways' })).type, 'HTTPBadRequest');
    assert.equal((await refused(400, { protocol: 'nonsense' })).type, 'SecurityGroupRuleInvalidProtocol');
    assert.equal((await refused(400, { protocol: 256 })).type, 'SecurityGroupRuleInvalidProtocol');
    assert.equal((await refused(400, { ethertype: 'IPv5' })).type, 'SecurityGroupRuleInvalidEtherType');
    assert.equal((await refused(400, { remote_ip_prefix: 'ten' })).type, 'InvalidCIDR');
    assert.equal((await refused(400, { remote_ip_prefix: '10.0.0.0/8', remote_group_id: groupId })).type, 'SecurityGroupMultipleRemoteEntites');
    assert.equal((await refused(404, { remote_group_id: 'b0b0b0b0-0000-4000-8000-000000000000' })).type, 'SecurityGroupNotFound');
    assert.equal((await refused(404, { security_group_id: 'b0b0b0b0-0000-4000-8000-000000000000' })).type, 'SecurityGroupNotFound');
  });

  it('goes with the group that it names', async () => {
    const remote = await world.create('member', 'security_group', { name: 'remote' });
    const rule = await make({ remote_group_id: remote.id });
    await world.expect(204, 'member', 'DELETE', `/security-groups/${remote.id}`);
    await world.expect(404, 'member', 'GET', `/security-group-rules/${rule.id}`);
  });

  it('is seen and removed by its project alone', async () => {
    const rule = await make({ protocol: 'tcp', port_range_min: 443, port_range_max: 443 });
    await world.expect(404, 'other', 'GET', `/security-group-rules/${rule.id}`);
    await world.expect(404, 'other', 'DELETE', `/security-group-rules/${rule.id}`);
    await world.expect(403, 'reader', 'DELETE', `/security-group-rules/${rule.id}`);
    const listed = (await world.expect(200, 'member', 'GET', `/security-group-rules?security_group_id=${groupId}&protocol=tcp`)).security_group_rules;
    assert.ok(listed.some((each: { id: string }) => each.id === rule.id));
    await world.expect(204, 'member', 'DELETE', `/security-group-rules/${rule.id}`);
    await world.expect(404, 'member', 'DELETE', `/security-group-rules/${rule.id}`);
  });

  it('creates many at once, none twice', async () => {
    const entry = (port: number) => ({ security_group_id: groupId, direction: 'ingress', protocol: 'tcp', port_range_min: port, port_range_max: port });
    const made = await world.expect(201, 'member', 'POST', '/security-group-rules', { security_group_rules: [entry(8001), entry(8002)] });
    assert.equal(made.security_group_rules.length, 2);
    const twice = await world.expect(409, 'member', 'POST', '/security-group-rules', { security_group_rules: [entry(8003), entry(8003)] });
    assert.equal(twice.NeutronError.type, 'DuplicateSecurityGroupRuleInPost');
  });
});
