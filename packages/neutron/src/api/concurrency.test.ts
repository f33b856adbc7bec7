import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { engines } from '@cairn/kit/store/testing';
import type { TestAnswer } from '@cairn/kit/testing/world';
import { DEMO_PROJECT, NetworkWorld, OTHER_PROJECT } from '../testing/network-world.ts';

for (const engine of engines()) {
  describe(`requests at the same time on ${engine}`, () => {
    let world: NetworkWorld;
    before(async () => {
      world = await NetworkWorld.start({ engine, hosts: ['h1'], quotas: { network: 1_000, subnet: 1_000 } });
    });
    after(() => world.close());

    const together = (count: number, call: (i: number) => Promise<TestAnswer>): Promise<TestAnswer[]> =>
      Promise.all(Array.from({ length: count }, (_, i) => call(i)));
    const statuses = (answers: readonly TestAnswer[]): Record<number, number> => {
      const counts: Record<number, number> = {};
      for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
      return counts;
    };

    it('get different addresses', async () => {
      const { network } = await world.network('member', '10.0.0.0/26');
      const answers = await together(70, () => world.call('member', 'POST', '/ports', { port: { network_id: network.id } }));
      // of 62 hosts one is the gateway and one has DHCP
      assert.deepEqual(statuses(answers), { 201: 60, 409: 10 });
      const ips = answers.flatMap((answer) => (answer.status === 201 ? [answer.body.port.fixed_ips[0].ip_address] : []));
      assert.equal(new Set(ips).size, 60);
      const ports = answers.flatMap((answer) => (answer.status === 201 ? [answer.body.port.id] : []));
      assert.deepEqual(statuses(await together(60, (i) => world.call('member', 'DELETE', `/ports/${ports[i]}`))), { 204: 60 });
      const again = await together(60, () => world.call('member', 'POST', '/ports', { port: { network_id: network.id } }));
      assert.deepEqual(statuses(again), { 201: 60 });
    });

    it('get one given address once', async () => {
      const { network } = await world.network('member', '10.1.0.0/24');
      const answers = await together(8, () =>
        world.call('member', 'POST', '/ports', { port: { network_id: network.id, fixed_ips: [{ ip_address: '10.1.0.9' }] } }),
      );
      assert.deepEqual(statuses(answers), { 201: 1, 409: 7 });
    });

    it('make one default group', async () => {
      const answers = await together(6, () => world.call('other', 'GET', '/security-groups'));
      assert.deepEqual(statuses(answers), { 200: 6 });
      const { security_groups: groups } = await world.expect(200, 'admin', 'GET', `/security-groups?project_id=${OTHER_PROJECT}`);
      assert.equal(groups.length, 1);
    });

    it('make one rule once', async () => {
      const group = await world.create('member', 'security_group', { name: 'g' });
      const rule = { security_group_id: group.id, direction: 'ingress', protocol: 'tcp', port_range_min: 80, port_range_max: 80 };
      const answers = await together(6, () => world.call('member', 'POST', '/security-group-rules', { security_group_rule: rule }));
      assert.deepEqual(statuses(answers), { 201: 1, 409: 5 });
    });

    it('make subnets that do not overlap', async () => {
      const { id } = await world.create('member', 'network');
      const answers = await together(6, () => world.call('member', 'POST', '/subnets', { subnet: { network_id: id, ip_version: 4, cidr: '10.5.0.0/24' } }));
      assert.deepEqual(statuses(answers), { 201: 1, 400: 5 });
      const { ports } = await world.expect(200, 'admin', 'GET', `/ports?network_id=${id}`);
      assert.equal(ports.length, 1);
    });

    it('share a quota', async () => {
      const { routers } = await world.expect(200, 'member', 'GET', '/routers');
      await world.expect(200, 'admin', 'PUT', `/quotas/${DEMO_PROJECT}`, { quota: { router: routers.length + 3 } });
      const answers = await together(9, (i) => world.call('member', 'POST', '/routers', { router: { name: `r${i}` } }));
      assert.deepEqual(statuses(answers), { 201: 3, 409: 6 });
    });

    it('connect one subnet to one router once', async () => {
      const { subnet } = await world.network('member', '10.6.0.0/24');
      await world.expect(200, 'admin', 'PUT', `/quotas/${DEMO_PROJECT}`, { quota: { router: -1 } });
      const router = await world.create('member', 'router', { name: 'r' });
      const answers = await together(4, () => world.call('member', 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id }));
      assert.equal(statuses(answers)[200], 1);
      const { ports } = await world.expect(200, 'member', 'GET', `/ports?device_id=${router.id}`);
      assert.equal(ports.length, 1);
    });
  });
}
