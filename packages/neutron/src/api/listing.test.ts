import assert from 'node:assert/strict';
import { it } from 'node:test';
import { engines } from '@cairn/kit/store/testing';
import { DEMO_PROJECT, NetworkWorld, OTHER_PROJECT } from '../testing/network-world.ts';

/** Lists keep what they made of rows that have not changed: each entry must be what a GET of the one resource shows, to the letter. */
for (const engine of engines())
  it(`lists show what is there now, to everybody what he may see, on ${engine}`, async () => {
    const world = await NetworkWorld.start({ engine, hosts: ['h1'] });
    try {
      const callers = ['member', 'reader', 'other', 'admin'];
      const same = async (): Promise<void> => {
        // ports come up when their host has them: not between two requests
        await world.neutron.app.pusher.idle();
        for (const who of callers)
          for (const name of ['network', 'port']) {
            const list = (await world.expect(200, who, 'GET', `/${name}s`))[`${name}s`] as Record<string, unknown>[];
            for (const each of list) assert.equal(JSON.stringify(each), JSON.stringify(await world.show(who, name, String(each.id))), who);
            const fields = (await world.expect(200, who, 'GET', `/${name}s?fields=id&fields=name&fields=status`))[`${name}s`];
            assert.deepEqual(
              fields,
              list.map(({ id, name, status }) => ({ id, name, status })),
            );
          }
      };
      const ids = async (who: string, what: string): Promise<string[]> =>
        ((await world.expect(200, who, 'GET', `/${what}?sort_key=name&sort_dir=asc`))[what] as { name: string }[]).map((each) => each.name);
      const { network } = await world.network('member', '10.0.0.0/24', { name: 'one' });
      const shared = await world.create('admin', 'network', { name: 'two "shared" \u00e9 \u{1F4A1}', shared: true });
      const port = await world.create('member', 'port', { network_id: network.id, name: 'first', tags: ['b', 'a'] });
      await same();
      assert.deepEqual(await ids('other', 'networks'), ['two "shared" \u00e9 \u{1F4A1}']);

      await world.update('member', 'port', port.id, { name: 'renamed', fixed_ips: [{ ip_address: '10.0.0.77' }, { ip_address: '10.0.0.7' }] });
      await same();
      const group = await world.create('member', 'security_group', { name: 'more' });
      await world.update('member', 'port', port.id, { security_groups: [group.id], dns_name: 'host' });
      await world.expect(200, 'member', 'PUT', `/ports/${port.id}/tags`, { tags: ['c'] });
      await same();
      await world.create('member', 'subnet', { network_id: network.id, ip_version: 6, cidr: 'fd00::/64' });
      await world.create('member', 'subnet', { network_id: network.id, ip_version: 4, cidr: '10.0.1.0/24', enable_dhcp: false });
      await same();

      const rbac = { object_type: 'network', object_id: network.id, action: 'access_as_shared', target_tenant: OTHER_PROJECT };
      const policy = await world.create('member', 'rbac_policy', rbac, '/rbac-policies');
      await same();
      assert.deepEqual((await ids('other', 'networks')).length, 2);
      await world.expect(204, 'member', 'DELETE', `/rbac-policies/${policy.id}`);
      await same();
      assert.deepEqual((await ids('other', 'networks')).length, 1);

      const pool = await world.create('member', 'subnetpool', { name: 'pool', prefixes: ['10.9.0.0/16'], default_prefixlen: 24 });
      await world.create('admin', 'subnet', { network_id: shared.id, ip_version: 4, cidr: '10.8.0.0/24' });
      await world
        .create('member', 'network', { name: 'three' })
        .then((three) => world.create('member', 'subnet', { network_id: three.id, ip_version: 4, subnetpool_id: pool.id }));
      const qos = await world.create('admin', 'policy', { name: 'least', project_id: DEMO_PROJECT }, '/qos/policies');
      await world.expect(201, 'admin', 'POST', `/qos/policies/${qos.id}/minimum_bandwidth_rules`, {
        minimum_bandwidth_rule: { min_kbps: 1_000, direction: 'egress' },
      });
      await world.update('admin', 'port', port.id, { qos_policy_id: qos.id });
      await same();
      await world.update('admin', 'port', port.id, { qos_policy_id: null });
      const sub = await world.create('member', 'port', { network_id: network.id, name: 'sub' });
      const trunk = await world.create('member', 'trunk', {
        port_id: port.id,
        sub_ports: [{ port_id: sub.id, segmentation_type: 'vlan', segmentation_id: 7 }],
      });
      await same();
      await world.expect(204, 'member', 'DELETE', `/trunks/${trunk.id}`);
      await same();
      await world.expect(204, 'member', 'DELETE', `/ports/${sub.id}`);
      await same();
      assert.deepEqual(await world.expect(200, 'other', 'GET', '/ports?name=nothing&limit=1'), {
        ports: [],
        ports_links: [{ rel: 'previous', href: `${world.front.url}/network/v2.0/ports?name=nothing&limit=1&page_reverse=True` }],
      });
    } finally {
      await world.close();
    }
  });
