import assert from 'node:assert/strict';
import { it } from 'node:test';
import { engines } from '@cairn/kit/store/testing';
import { NetworkWorld } from '../testing/network-world.ts';

for (const engine of engines())
  it(`addresses are counted within subnets and within their pools, on ${engine}`, async () => {
    const world = await NetworkWorld.start({ engine });
    try {
      const { network, subnet } = await world.network('member', '10.0.0.0/24', { name: 'counted' });
      await world.update('member', 'subnet', subnet.id, {
        enable_dhcp: false,
        allocation_pools: [
          { start: '10.0.0.10', end: '10.0.0.19' },
          { start: '10.0.0.30', end: '10.0.0.39' },
        ],
      });
      const six = await world.create('member', 'subnet', { network_id: network.id, ip_version: 6, cidr: '2001:db8::/64', enable_dhcp: false });
      for (const ip of ['10.0.0.10', '10.0.0.35', '10.0.0.39', '10.0.0.40', '2001:db8::5'])
        await world.create('member', 'port', { network_id: network.id, fixed_ips: [{ ip_address: ip }] });
      const bare = await world.create('member', 'network', { name: 'bare' });
      const shown = async (id: string) => (await world.expect(200, 'admin', 'GET', `/network-ip-availabilities/${id}`)).network_ip_availability;
      const detailsOf = (availability: { subnet_ip_availability: { subnet_id: string; ip_availability_details: unknown }[] }, id: string): unknown =>
        availability.subnet_ip_availability.find((each) => each.subnet_id === id)?.ip_availability_details;
      const counted = await shown(network.id);
      const four = { total_ips_in_subnet: 254, total_ips_in_allocation_pool: 20, used_ips_in_subnet: 4, used_ips_in_allocation_pool: 3 };
      assert.deepEqual(detailsOf(counted, subnet.id), four);
      const wide = { total_ips_in_subnet: 2 ** 64, total_ips_in_allocation_pool: 2 ** 64, used_ips_in_subnet: 1, used_ips_in_allocation_pool: 1 };
      assert.deepEqual(detailsOf(counted, six.id), wide);
      const both = counted.ip_availability_details;
      assert.deepEqual([both.used_ips_in_subnet, both.used_ips_in_allocation_pool, both.total_ips_in_subnet], [5, 4, 2 ** 64 + 254]);
      const none = { total_ips_in_subnet: 0, total_ips_in_allocation_pool: 0, used_ips_in_subnet: 0, used_ips_in_allocation_pool: 0 };
      assert.deepEqual((await shown(bare.id)).ip_availability_details, none);
      const [listed] = (await world.expect(200, 'admin', 'GET', '/network-ip-availabilities?network_name=counted&ip_version=4')).network_ip_availabilities;
      assert.deepEqual(listed.ip_availability_details, four, 'of the subnets that were asked for');
    } finally {
      await world.close();
    }
  });
