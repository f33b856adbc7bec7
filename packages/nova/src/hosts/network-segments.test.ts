import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inventoriesOf } from '@cairn/placement/store/inventories';
import { createFace } from '@cairn/placement/app/face';
import { systemClock } from '@cairn/kit/clock/clock';
import type { RoutedSegment } from '@cairn/neutron/face';
import { admin, TestCloud } from '../testing/cloud.ts';

const LEFT: RoutedSegment = { id: '5e900000-0000-4000-8000-000000000001', hosts: ['h1'], total: 254, reserved: 2 };
const RIGHT: RoutedSegment = { id: '5e900000-0000-4000-8000-000000000002', hosts: ['h2', 'not-here'], total: 10, reserved: 3 };
const placement = createFace(systemClock);

let cloud: TestCloud;
before(async () => {
  cloud = await TestCloud.open({ hosts: [{ name: 'h1' }, { name: 'h2' }] });
});
after(() => cloud.close());

async function tell(segments: readonly RoutedSegment[], type: string, payload: object): Promise<void> {
  cloud.neutron.segments = segments;
  await cloud.store.write((tx) => cloud.outbox.emit(tx, { type, resource: type.split('.')[0] as string, resourceId: 'x', payload }));
}
const aggregates = async (): Promise<Record<string, readonly string[]>> =>
  Object.fromEntries((await cloud.nova.app.aggregates.list()).map(({ row, hosts }) => [row.name, hosts]));
const inventory = async (id: string) =>
  (await inventoriesOf(cloud.store.read, id)).map(({ resource_class, total, reserved, max_unit }) => [resource_class, total, reserved, max_unit]);
const nameOf = (segment: RoutedSegment): string => `Neutron segment id ${segment.id}`;

test('a segment with subnets is a provider of addresses, and has an aggregate of its hosts', async () => {
  await tell([LEFT, RIGHT], 'subnet.create.end', { subnet: { segment_id: LEFT.id } });
  await cloud.until(async () => Object.keys(await aggregates()).length === 2 && (await inventory(RIGHT.id)).length === 1);
  assert.deepEqual(await aggregates(), { [nameOf(LEFT)]: ['h1'], [nameOf(RIGHT)]: ['h2'] });
  assert.deepEqual([await inventory(LEFT.id), await inventory(RIGHT.id)], [[['IPV4_ADDRESS', 254, 2, 1]], [['IPV4_ADDRESS', 10, 3, 1]]]);
  const [left] = await cloud.nova.app.aggregates.list();
  assert.deepEqual(await placement.aggregatesOf(cloud.store.read, LEFT.id), [left?.row.id]);
});

test('addresses that others take are kept from servers; ports of servers change nothing', async () => {
  await tell([{ ...LEFT, reserved: 9 }, RIGHT], 'port.create.end', { port: { device_owner: 'compute:nova' } });
  await tell([{ ...LEFT, reserved: 3 }, RIGHT], 'port.create.end', { port: { device_owner: 'network:router_interface' } });
  await cloud.until(async () => (await inventory(LEFT.id))[0]?.[2] === 3);
});

test('servers on the network go to hosts of its segments, and nowhere where there is none', async () => {
  const hostOf = async (id: string) => (await cloud.ok(admin(), 'GET', `/servers/${id}`)).server['OS-EXT-SRV-ATTR:host'];
  await tell([RIGHT], 'segment.delete.end', { segment_id: LEFT.id });
  await cloud.until(async () => Object.keys(await aggregates()).length === 1);
  assert.deepEqual(await inventory(LEFT.id), []);
  for (let i = 0; i < 4; i++) assert.equal(await hostOf(await cloud.create(admin())), 'h2');

  // a segment that placement does not know yet
  cloud.neutron.segments = [{ ...LEFT, hosts: [] }];
  const lost = await cloud.create(admin());
  assert.match((await cloud.ok(admin(), 'GET', `/servers/${lost}`)).server.fault.message, /placement knows no aggregate of the segment/);
  cloud.neutron.segments = [];

  // a network that is not everywhere, routed or not
  cloud.neutron.reaching = ['h1'];
  for (let i = 0; i < 4; i++) assert.equal(await hostOf(await cloud.create(admin())), 'h1');
  cloud.neutron.reaching = ['h9'];
  const nowhere = await cloud.create(admin());
  assert.match((await cloud.ok(admin(), 'GET', `/servers/${nowhere}`)).server.fault.message, /0 left after PhysicalNetworks/);
  cloud.neutron.reaching = undefined;
});

test('without segments nothing is left of them', async () => {
  await tell([], 'network.delete.end', { network_id: 'x' });
  await cloud.until(async () => Object.keys(await aggregates()).length === 0 && (await inventory(RIGHT.id)).length === 0);
});
