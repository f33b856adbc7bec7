import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { InsideCall } from '@cairn/kit/http/server';
import { hoursIn, usageMoment } from '../app/tenant-usage.ts';
import { findServer, patchServer } from '../store/server.ts';
import { admin, context, IMAGE, member, NETWORK, stranger, TestCloud } from '../testing/cloud.ts';

const VOLUME = '33333333-3333-4333-8333-333333333333';
const OTHER_VOLUME = '33333333-3333-4333-8333-333333333334';
const service = () => context({ userId: 'u9', projectId: 'p0', roles: ['service'] });

let cloud: TestCloud;
const asked: InsideCall[] = [];
let answerOf: (call: InsideCall) => { status: number; body: unknown } = () => ({ status: 404, body: {} });
before(async () => {
  cloud = await TestCloud.open({
    hosts: [{ name: 'h1' }],
    inside: async (call) => {
      asked.push(call);
      return { headers: {}, ...answerOf(call) };
    },
  });
});
after(() => cloud.close());
const message = (answer: { body: Record<string, { message: string }> }): string => Object.values(answer.body)[0]?.message ?? '';

test('hours are counted within the period alone', () => {
  const hour = 3_600_000;
  const period = { beginMs: 10 * hour, endMs: 20 * hour };
  const hours = (from: number, to: number | null) => hoursIn({ launched_at_ms: from * hour, terminated_at_ms: to === null ? null : to * hour }, period);
  assert.deepEqual([hours(0, null), hours(12, null), hours(12, 15), hours(0, 11), hours(25, null), hours(0, 5)], [10, 8, 3, 1, 0, 0]);
  assert.equal(usageMoment('2012-10-08T21:10:44', 0), Date.UTC(2012, 9, 8, 21, 10, 44));
  assert.equal(usageMoment('2012-10-08 21:10:44.587336', 0), Date.UTC(2012, 9, 8, 21, 10, 44, 587) + 0.336);
  assert.equal(usageMoment(undefined, 7), 7);
  for (const bad of ['2012-13-01T00:00:00', 'now', '2012-10-08 21:10:44', '2012-10-08T25:00:00'])
    assert.throws(() => usageMoment(bad, 0), /Datetime is in invalid format/);
});

test("usage reports show a project's servers, deleted ones too, page by page", async () => {
  const hour = 3_600_000;
  const nowMs = Date.now();
  const ids: string[] = [];
  for (let at = 0; at < 3; at += 1) {
    const id = await cloud.create(member());
    ids.push(id);
    await cloud.store.write((tx) => patchServer(tx, id, { launched_at_ms: nowMs - 4 * hour, updated_at_ms: nowMs }));
  }
  await cloud.ok(member(), 'DELETE', `/servers/${ids[0]}`);
  await cloud.settle();
  await cloud.store.write((tx) => patchServer(tx, ids[0] as string, { terminated_at_ms: nowMs - 3 * hour, updated_at_ms: nowMs }));
  const at = (ms: number) => new Date(ms).toISOString().slice(0, 19);
  const span = `start=${at(nowMs - 10 * hour)}&end=${at(nowMs + hour)}`;
  const { tenant_usage: usage } = await cloud.ok(member(), 'GET', `/os-simple-tenant-usage/p1?${span}`);
  assert.equal(usage.server_usages.length, 3);
  // two of them go on running while this is asked
  assert.ok(Math.abs(usage.total_hours - 9) < 0.1, String(usage.total_hours));
  assert.ok(Math.abs(usage.total_memory_mb_usage - 9 * 512) < 50);
  const gone = usage.server_usages.find((one: { instance_id: string }) => one.instance_id === ids[0]);
  assert.deepEqual([gone.state, gone.uptime, gone.flavor], ['terminated', 3_600, 'm1.tiny']);
  const first = await cloud.ok(member(), 'GET', `/os-simple-tenant-usage/p1?${span}&limit=2`);
  assert.equal(first.tenant_usage.server_usages.length, 2);
  const next = new URL(first.tenant_usage_links[0].href, 'http://x');
  const second = await cloud.ok(member(), 'GET', `/os-simple-tenant-usage/p1${next.search}`);
  assert.equal(second.tenant_usage.server_usages.length, 1);
  const all = await cloud.ok(admin(), 'GET', `/os-simple-tenant-usage?${span}&detailed=1`);
  assert.deepEqual(
    all.tenant_usages.map((one: { tenant_id: string }) => one.tenant_id),
    ['p1'],
  );
  assert.equal('server_usages' in (await cloud.ok(admin(), 'GET', `/os-simple-tenant-usage?${span}`)).tenant_usages[0], false);
  assert.equal((await cloud.request(member(), 'GET', '/os-simple-tenant-usage')).status, 403);
  assert.equal((await cloud.request(stranger(), 'GET', '/os-simple-tenant-usage/p1')).status, 403);
  assert.deepEqual(await cloud.ok(stranger(), 'GET', `/os-simple-tenant-usage/p2?${span}`), { tenant_usage: {} });
  assert.equal((await cloud.request(admin(), 'GET', '/os-simple-tenant-usage')).status, 200, 'of this very moment');
  const fine = await cloud.ok(member(), 'GET', `/os-simple-tenant-usage/p1?start=${at(nowMs - 10 * hour)}.012345&end=${at(nowMs - hour)}.999999`);
  assert.deepEqual([fine.tenant_usage.start, fine.tenant_usage.stop], [`${at(nowMs - 10 * hour)}.012345`, `${at(nowMs - hour)}.999999`], 'to the microsecond');
  const wrong = await cloud.request(member(), 'GET', `/os-simple-tenant-usage/p1?start=${at(nowMs)}&end=${at(nowMs - hour)}`);
  assert.deepEqual([wrong.status, message(wrong)], [400, 'Invalid start time. The start time cannot occur after the end time.']);
  assert.equal((await cloud.request(member(), 'GET', `/os-simple-tenant-usage/p1?${span}&marker=nobody`)).status, 400);
});

test("events of other services are answered one by one, and a volume's new size reaches the records", async () => {
  const id = await cloud.create(member());
  await cloud.cinder.addVolume({ id: VOLUME });
  await cloud.ok(member(), 'POST', `/servers/${id}/os-volume_attachments`, { volumeAttachment: { volumeId: VOLUME } });
  await cloud.settle();
  await cloud.cinder.addVolume({ id: VOLUME, sizeGb: 5, status: 'in-use' });
  const events = [
    { name: 'volume-extended', server_uuid: id, tag: VOLUME },
    { name: 'volume-extended', server_uuid: id },
    { name: 'network-changed', server_uuid: OTHER_VOLUME },
  ];
  const answer = await cloud.request(service(), 'POST', '/os-server-external-events', { events });
  assert.equal(answer.status, 207);
  assert.deepEqual(
    answer.body.events.map((one: { code: number; status: string }) => [one.code, one.status]),
    [
      [200, 'completed'],
      [400, 'failed'],
      [404, 'failed'],
    ],
  );
  const { instanceActions } = await cloud.ok(member(), 'GET', `/servers/${id}/os-instance-actions`);
  assert.equal(instanceActions[0].action, 'extend_volume');
  const device = await cloud.store.read.kysely
    .selectFrom('nova_block_device' as never)
    .selectAll()
    .where('volume_id' as never, '=', VOLUME as never)
    .executeTakeFirst();
  assert.equal((device as { volume_size_gb: number }).volume_size_gb, 5);
  assert.equal((await cloud.request(member(), 'POST', '/os-server-external-events', { events })).status, 403);
  assert.equal((await cloud.request(service(), 'POST', '/os-server-external-events', { events }, '2.50')).status, 400, 'not before 2.51');
  // cinder's own word, by the outbox
  await cloud.store.write((tx) =>
    cloud.outbox.emit(tx, {
      type: 'volume.extended',
      resource: 'volume',
      resourceId: VOLUME,
      requestId: 'req-ext',
      payload: { server_ids: [id], new_size: 9 },
    }),
  );
  await cloud.until(async () => {
    const row = await cloud.store.read.kysely
      .selectFrom('nova_block_device' as never)
      .selectAll()
      .where('volume_id' as never, '=', VOLUME as never)
      .executeTakeFirst();
    return (row as { volume_size_gb: number }).volume_size_gb === 9;
  });
});

test("volumes and snapshots are cinder's, in the old form, until 2.35", async () => {
  const volume = {
    id: VOLUME,
    status: 'available',
    size: 1,
    availability_zone: 'nova',
    created_at: 't',
    name: 'n',
    description: null,
    volume_type: 'x',
    snapshot_id: null,
    metadata: {},
    attachments: [],
  };
  answerOf = (call) =>
    call.method === 'GET' && call.url.endsWith('/detail') ? { status: 200, body: { volumes: [volume, volume, volume] } } : { status: 200, body: { volume } };
  const list = await cloud.ok(member(), 'GET', '/os-volumes?limit=1&offset=1', undefined, '2.35');
  assert.deepEqual(list.volumes, [
    {
      id: VOLUME,
      status: 'available',
      size: 1,
      availabilityZone: 'nova',
      createdAt: 't',
      attachments: [{}],
      displayName: 'n',
      displayDescription: null,
      volumeType: 'x',
      snapshotId: null,
      metadata: {},
    },
  ]);
  asked.length = 0;
  assert.equal((await cloud.request(member(), 'POST', '/os-volumes', { volume: { size: '1', display_name: 'n' } }, '2.1')).status, 200);
  assert.deepEqual([asked[0]?.service, asked[0]?.url, asked[0]?.body], ['cinder', '/v3/volumes', { volume: { size: 1, name: 'n', description: null } }]);
  answerOf = () => ({ status: 404, body: { itemNotFound: { code: 404, message: 'Volume x could not be found.' } } });
  const missing = await cloud.request(member(), 'GET', `/os-volumes/${VOLUME}`, undefined, '2.1');
  assert.deepEqual([missing.status, message(missing)], [404, `Volume ${VOLUME} could not be found.`]);
  assert.equal((await cloud.request(member(), 'GET', '/os-volumes', undefined, '2.36')).status, 404);
  const snapshot = { id: VOLUME, status: 'available', size: 1, created_at: 't', name: null, description: 'd', volume_id: OTHER_VOLUME };
  answerOf = () => ({ status: 202, body: { snapshot } });
  const made = await cloud.ok(member(), 'POST', '/os-snapshots', { snapshot: { volume_id: OTHER_VOLUME, force: 'true' } }, '2.1');
  assert.deepEqual(made.snapshot, {
    id: VOLUME,
    status: 'available',
    size: 1,
    createdAt: 't',
    displayName: null,
    displayDescription: 'd',
    volumeId: OTHER_VOLUME,
  });
});

test("a server's floating IP is changed in neutron", async () => {
  const id = await cloud.create(member(), { networks: [{ uuid: NETWORK }] });
  const [port] = await cloud.neutron.portsOfDevice(cloud.store.read, id);
  let bound: string | null = null;
  answerOf = (call) => (call.method === 'GET' ? { status: 200, body: { floatingips: [{ id: 'f1', port_id: bound }] } } : { status: 200, body: {} });
  asked.length = 0;
  const added = await cloud.request(member(), 'POST', `/servers/${id}/action`, { addFloatingIp: { address: '172.24.4.9' } }, '2.43');
  assert.equal(added.status, 202);
  assert.deepEqual(asked.at(-1)?.body, { floatingip: { port_id: port?.id, fixed_ip_address: port?.fixedIps[0]?.ip } });
  const elsewhere = await cloud.request(member(), 'POST', `/servers/${id}/action`, { removeFloatingIp: { address: '172.24.4.9' } }, '2.43');
  assert.deepEqual([elsewhere.status, message(elsewhere)], [409, `Floating IP 172.24.4.9 is not associated with instance ${id}.`]);
  bound = port?.id ?? null;
  assert.equal((await cloud.request(member(), 'POST', `/servers/${id}/action`, { removeFloatingIp: { address: '172.24.4.9' } }, '2.43')).status, 202);
  assert.deepEqual(asked.at(-1)?.body, { floatingip: { port_id: null } });
  const wrong = await cloud.request(member(), 'POST', `/servers/${id}/action`, { addFloatingIp: { address: '172.24.4.9', fixed_address: '10.9.9.9' } }, '2.43');
  assert.deepEqual([wrong.status, message(wrong)], [400, 'Specified fixed address not assigned to instance']);
  assert.equal((await cloud.request(member(), 'POST', `/servers/${id}/action`, { addFloatingIp: { address: '172.24.4.9' } }, '2.44')).status, 404);
});

test("snapshots that another service asks for are the guest's host's", async () => {
  const id = await cloud.create(member());
  await cloud.cinder.addVolume({ id: OTHER_VOLUME });
  await cloud.ok(member(), 'POST', `/servers/${id}/os-volume_attachments`, { volumeAttachment: { volumeId: OTHER_VOLUME } });
  await cloud.settle();
  const body = (volumeId: string) => ({ snapshot: { volume_id: volumeId, create_info: { snapshot_id: 's1', type: 'qcow2', new_file: 'f', id: IMAGE } } });
  assert.deepEqual(await cloud.ok(service(), 'POST', '/os-assisted-volume-snapshots', body(OTHER_VOLUME)), { snapshot: { id: IMAGE, volumeId: OTHER_VOLUME } });
  const disk = () => cloud.world.machines[0]?.disks.get(OTHER_VOLUME)?.snapshots;
  assert.deepEqual(disk(), ['s1']);
  const info = encodeURIComponent(JSON.stringify({ volume_id: OTHER_VOLUME }));
  assert.equal((await cloud.request(service(), 'DELETE', `/os-assisted-volume-snapshots/s1?delete_info=${info}`)).status, 204);
  assert.deepEqual(disk(), []);
  const unknown = await cloud.request(service(), 'POST', '/os-assisted-volume-snapshots', body(IMAGE));
  assert.deepEqual([unknown.status, message(unknown)], [400, `No volume Block Device Mapping with id ${IMAGE}.`]);
  assert.equal((await cloud.request(member(), 'POST', '/os-assisted-volume-snapshots', body(OTHER_VOLUME))).status, 403);
});

test("images are made ready on an aggregate's hosts", async () => {
  const { aggregate } = await cloud.ok(admin(), 'POST', '/os-aggregates', { aggregate: { name: 'ssd' } });
  await cloud.ok(admin(), 'POST', `/os-aggregates/${aggregate.id}/action`, { add_host: { host: 'h1' } });
  const fresh = '88888888-8888-4888-8888-888888888888';
  await cloud.glance.addImage({ id: fresh });
  const cache = (ids: readonly string[], seq = aggregate.id) =>
    cloud.request(admin(), 'POST', `/os-aggregates/${seq}/images`, { cache: ids.map((id) => ({ id })) });
  assert.equal((await cache([fresh])).status, 202);
  await cloud.settle();
  assert.ok(cloud.world.machines[0]?.images.has(fresh));
  assert.deepEqual([(await cache([fresh, fresh])).status, (await cache([fresh], 99)).status, (await cache([VOLUME])).status], [400, 404, 400]);
});

test('the old name of servers, and what is refused or empty here', async () => {
  const id = await cloud.create(member());
  assert.ok((await cloud.ok(member(), 'GET', '/os-volumes_boot', undefined, '2.102')).servers.some((server: { id: string }) => server.id === id));
  assert.equal((await cloud.ok(member(), 'GET', `/os-volumes_boot/${id}`, undefined, '2.102')).server.id, id);
  assert.equal((await cloud.request(member(), 'POST', `/os-volumes_boot/${id}/action`, { 'os-stop': null }, '2.102')).status, 202);
  await cloud.settle();
  assert.equal((await findServer(cloud.store.read, id))?.vm_state, 'stopped');
  assert.equal((await cloud.request(member(), 'POST', `/os-volumes_boot/${id}/action`, { pause: null }, '2.102')).status, 400);
  assert.deepEqual(await cloud.ok(member(), 'GET', `/servers/${id}/topology`), { nodes: [], pagesize_kb: null });
  assert.equal((await cloud.request(stranger(), 'GET', `/servers/${id}/topology`)).status, 404);
  assert.deepEqual(await cloud.ok(member(), 'GET', `/servers/${id}/shares`, undefined, '2.97'), { shares: [] });
  assert.equal((await cloud.request(member(), 'POST', `/servers/${id}/shares`, { share: { share_id: VOLUME } }, '2.97')).status, 404);
  assert.equal((await cloud.request(member(), 'GET', `/servers/${id}/shares/${VOLUME}`, undefined, '2.97')).status, 404);
  assert.equal((await cloud.request(member(), 'GET', `/servers/${id}/os-virtual-interfaces`)).status, 410);
  assert.equal((await cloud.request(admin(), 'POST', `/servers/${id}/action`, { resetNetwork: null })).status, 410);
  assert.equal((await cloud.request(admin(), 'POST', `/servers/${id}/action`, { injectNetworkInfo: null })).status, 202);
  assert.equal((await cloud.request(member(), 'POST', `/servers/${id}/action`, { injectNetworkInfo: null })).status, 403);
  const node = await cloud.request(admin(), 'POST', '/os-baremetal-nodes', { node: {} }, '2.35');
  assert.deepEqual([node.status, message(node)], [400, 'Command not supported. Please use Ironic command node-create to perform this action.']);
  assert.equal((await cloud.ok(member(), 'GET', '/versions/v2.1')).version.id, 'v2.1');
  assert.equal((await cloud.request(member(), 'GET', '/versions/v9')).status, 404);
});
