import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { NetworkWorld } from '../testing/network-world.ts';

describe('the rules that security groups begin with', () => {
  let world: NetworkWorld;
  before(async () => {
    world = await NetworkWorld.start({ quotas: { security_group: 100 } });
  });
  after(() => world.close());

  type Rule = Readonly<Record<string, unknown>>;
  const PATH = '/default-security-group-rules';
  const list = async (): Promise<Rule[]> => (await world.expect(200, 'reader', 'GET', PATH)).default_security_group_rules;
  const post = (who: string, values: object) => world.call(who, 'POST', PATH, { default_security_group_rule: { direction: 'ingress', ...values } });

  it("are upstream's at first, for everybody to read and for admins to change", async () => {
    const short = (await list()).map((r) => [r.direction, r.ethertype, r.remote_group_id, r.used_in_default_sg, r.used_in_non_default_sg]);
    assert.deepEqual(short, [
      ['egress', 'IPv4', null, true, true],
      ['egress', 'IPv6', null, true, true],
      ['ingress', 'IPv4', 'PARENT', true, false],
      ['ingress', 'IPv6', 'PARENT', true, false],
    ]);
    const { id } = (await list())[0] as { id: string };
    assert.equal((await world.expect(200, 'reader', 'GET', `${PATH}/${id}`)).default_security_group_rule.id, id);
    assert.equal((await post('member', { protocol: 'tcp' })).status, 403);
    await world.expect(403, 'member', 'DELETE', `${PATH}/${id}`);
    await world.expect(404, 'reader', 'GET', `${PATH}/00000000-0000-4000-8000-000000000000`);
  });

  it('are what groups that are made later have, and change none that is there', async () => {
    const before = await world.create('member', 'security_group', { name: 'before' });
    const ssh = await post('admin', { protocol: 'tcp', port_range_min: 22, port_range_max: 22, used_in_default_sg: true });
    assert.equal(ssh.status, 201);
    const twice = await post('admin', { protocol: '6', port_range_min: 22, port_range_max: 22 });
    assert.deepEqual([twice.status, twice.body.NeutronError.type], [409, 'DefaultSecurityGroupRuleExists']);
    assert.equal((await post('admin', { port_range_min: 22 })).status, 400);
    const inner = await post('admin', { protocol: 'icmp', remote_group_id: 'PARENT' });
    const after = await world.create('member', 'security_group', { name: 'after' });
    const ingress = (group: { security_group_rules: Rule[] }) =>
      group.security_group_rules.filter((r) => r.direction === 'ingress').map((r) => [r.protocol, r.port_range_min, r.remote_group_id]);
    assert.deepEqual(ingress(before as never), []);
    assert.deepEqual(
      ingress(after as never).toSorted(),
      [
        ['icmp', null, after.id],
        ['tcp', 22, null],
      ].toSorted(),
    );
    const own = (await world.expect(200, 'other', 'GET', '/security-groups?name=default')).security_groups[0];
    assert.ok(ingress(own).some(([protocol]) => protocol === 'tcp'));
    for (const made of [ssh, inner]) await world.expect(204, 'admin', 'DELETE', `${PATH}/${made.body.default_security_group_rule.id}`);
    assert.equal((await list()).length, 4);
  });
});
