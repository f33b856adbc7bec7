import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { admin, member, NETWORK, TestCloud } from '../testing/cloud.ts';

const VOLUME = '33333333-3333-4333-8333-333333333333';
const OTHER = '55555555-5555-4555-8555-555555555555';
const PORT = '44444444-4444-4444-8444-444444444444';

let cloud: TestCloud;
let id = '';
before(async () => {
  cloud = await TestCloud.open({ options: { quotaDefaults: { metadata_items: 3 } } });
  id = await cloud.create(member(), { metadata: { a: '1' } });
});
after(() => cloud.close());

const guest = () => cloud.world.machines.map((machine) => machine.guests.get(id)).find((one) => one !== undefined);
const status = async (method: string, path: string, body?: unknown, version?: string): Promise<number> =>
  (await cloud.request(member(), method, `/servers/${id}${path}`, body, version)).status;

test('metadata is read and written item by item and as a whole', async () => {
  const path = `/servers/${id}/metadata`;
  assert.deepEqual(await cloud.ok(member(), 'GET', path), { metadata: { a: '1' } });
  assert.deepEqual(await cloud.ok(member(), 'POST', path, { metadata: { b: '2' } }), { metadata: { a: '1', b: '2' } });
  assert.deepEqual(await cloud.ok(member(), 'PUT', `${path}/c`, { meta: { c: '3' } }), { meta: { c: '3' } });
  assert.equal(await status('PUT', '/metadata/c', { meta: { d: '4' } }), 400);
  assert.equal(await status('POST', '/metadata', { metadata: { d: '4' } }), 403, 'over quota');
  assert.deepEqual(await cloud.ok(member(), 'GET', `${path}/b`), { meta: { b: '2' } });
  assert.equal(await status('GET', '/metadata/nope'), 404);
  assert.deepEqual(await cloud.ok(member(), 'PUT', path, { metadata: { z: 'y' } }), { metadata: { z: 'y' } });
  assert.equal(await status('DELETE', '/metadata/z'), 204);
  assert.equal(await status('DELETE', '/metadata/z'), 404);
  assert.equal(await status('POST', '/metadata', { metadata: { 'a/b': '1' } }), 400);
  assert.equal(await status('POST', '/metadata', { metadata: { a: 1 } }), 400);
});

test('tags are added, replaced and deleted', async () => {
  const added = await cloud.request(member(), 'PUT', `/servers/${id}/tags/red`);
  assert.equal(added.status, 201);
  assert.match(String(added.headers['location']), new RegExp(`/servers/${id}/tags/red$`));
  assert.equal(await status('PUT', '/tags/red'), 204);
  assert.equal(await status('GET', '/tags/red'), 204);
  assert.equal(await status('GET', '/tags/blue'), 404);
  assert.deepEqual(await cloud.ok(member(), 'PUT', `/servers/${id}/tags`, { tags: ['x', 'b', 'x'] }), { tags: ['b', 'x'] });
  assert.equal(await status('PUT', `/tags/${'t'.repeat(61)}`), 400);
  assert.equal(await status('PUT', '/tags', { tags: ['a/b'] }), 400);
  assert.equal(await status('PUT', '/tags', { tags: Array.from({ length: 51 }, (_, i) => `t${i}`) }), 400);
  assert.equal(await status('DELETE', '/tags/b'), 204);
  assert.equal(await status('DELETE', '/tags/b'), 404);
  assert.equal(await status('DELETE', '/tags'), 204);
  assert.deepEqual(await cloud.ok(member(), 'GET', `/servers/${id}/tags`), { tags: [] });
  assert.equal(await status('GET', '/tags', undefined, '2.25'), 404);
});

test('a volume is attached to the running guest and detached again', async () => {
  await cloud.cinder.addVolume({ id: VOLUME });
  const path = `/servers/${id}/os-volume_attachments`;
  const { volumeAttachment } = await cloud.ok(member(), 'POST', path, {
    volumeAttachment: { volumeId: VOLUME, device: '/dev/vdx', tag: 'data', delete_on_termination: true },
  });
  assert.deepEqual(volumeAttachment, { id: VOLUME, serverId: id, volumeId: VOLUME, device: '/dev/vdb', tag: 'data', delete_on_termination: true });
  await cloud.settle();
  assert.equal((await cloud.cinder.volumes.find(cloud.store.read, VOLUME))?.status, 'in-use');
  assert.deepEqual(
    guest()?.spec.disks.map((disk) => [disk.device, disk.serial]),
    [
      ['vda', undefined],
      ['vdb', VOLUME],
    ],
  );
  assert.equal(await status('POST', '/os-volume_attachments', { volumeAttachment: { volumeId: VOLUME } }), 400, 'it is attached already');
  const { volumeAttachments } = await cloud.ok(member(), 'GET', path);
  assert.deepEqual(Object.keys(volumeAttachments[0]).sort(), ['attachment_id', 'bdm_uuid', 'delete_on_termination', 'device', 'serverId', 'tag', 'volumeId']);
  assert.equal(await status('PUT', `/os-volume_attachments/${VOLUME}`, { volumeAttachment: { volumeId: VOLUME, delete_on_termination: false } }), 202);
  assert.equal((await cloud.ok(member(), 'GET', `${path}/${VOLUME}`)).volumeAttachment.delete_on_termination, false);
  assert.equal(await status('PUT', `/os-volume_attachments/${VOLUME}`, { volumeAttachment: { volumeId: VOLUME, device: '/dev/vdz' } }), 400);
  assert.equal(await status('PUT', `/os-volume_attachments/${VOLUME}`, { volumeAttachment: { volumeId: OTHER } }), 403, 'swapping is for admins');
  const swap = async (from: string, to: string) =>
    (await cloud.request(admin(), 'PUT', `${path}/${from}`, { volumeAttachment: { volumeId: to } }, '2.80')).status;
  assert.deepEqual([await swap(OTHER, VOLUME), await swap(VOLUME, OTHER), await swap(VOLUME, VOLUME)], [404, 400, 400]);
  assert.equal(await status('DELETE', `/os-volume_attachments/${VOLUME}`), 202);
  await cloud.settle();
  assert.equal((await cloud.cinder.volumes.find(cloud.store.read, VOLUME))?.status, 'available');
  assert.equal(guest()?.spec.disks.length, 1);
  assert.equal(await status('GET', `/os-volume_attachments/${VOLUME}`), 404);
  assert.equal(await status('DELETE', `/os-volume_attachments/${VOLUME}`), 404);
  assert.equal(await status('POST', '/os-volume_attachments', { volumeAttachment: { volumeId: OTHER } }), 404);
  assert.equal(await status('POST', '/os-volume_attachments', { volumeAttachment: { volumeId: VOLUME, device: 'vdb' } }), 400);
});

test('a volume attached to a stopped server is there when it starts', async () => {
  await cloud.ok(member(), 'POST', `/servers/${id}/action`, { 'os-stop': null });
  await cloud.settle();
  await cloud.ok(member(), 'POST', `/servers/${id}/os-volume_attachments`, { volumeAttachment: { volumeId: VOLUME } });
  await cloud.settle();
  assert.equal(guest()?.spec.disks.length, 1);
  await cloud.ok(member(), 'POST', `/servers/${id}/action`, { 'os-start': null });
  await cloud.settle();
  assert.deepEqual(
    guest()?.spec.disks.map((disk) => disk.device),
    ['vda', 'vdb'],
  );
  await cloud.ok(member(), 'DELETE', `/servers/${id}/os-volume_attachments/${VOLUME}`);
  await cloud.settle();
});

test('a multiattach volume needs 2.60', async () => {
  await cloud.cinder.addVolume({ id: OTHER, multiattach: true });
  assert.equal(await status('POST', '/os-volume_attachments', { volumeAttachment: { volumeId: OTHER } }, '2.59'), 400);
  assert.equal(await status('POST', '/os-volume_attachments', { volumeAttachment: { volumeId: OTHER } }), 200);
  await cloud.settle();
  assert.equal(guest()?.spec.disks.find((disk) => disk.device === 'vdb')?.shared, true);
  assert.equal(await status('DELETE', `/os-volume_attachments/${OTHER}`), 202);
  await cloud.settle();
});

test('of two servers that ask for one port at once, one gets it', async () => {
  const port = '99999999-9999-4999-8999-999999999991';
  await cloud.neutron.addPort(port, NETWORK, 'p1');
  const servers = [await cloud.create(member()), await cloud.create(member())];
  const attach = (server: string) => cloud.request(member(), 'POST', `/servers/${server}/os-interface`, { interfaceAttachment: { port_id: port } });
  const answers = await Promise.all(servers.map(attach));
  assert.deepEqual(answers.map((answer) => answer.status).toSorted(), [200, 409]);
  assert.match(JSON.stringify(answers.map((answer) => answer.body)), new RegExp(`Port ${port} is still in use`));
  for (const server of servers) await cloud.ok(member(), 'DELETE', `/servers/${server}`);
  await cloud.settle();
});

test('interfaces come and go while the guest runs', async () => {
  const path = `/servers/${id}/os-interface`;
  await cloud.neutron.addPort(PORT, NETWORK, 'p1');
  const { interfaceAttachment: made } = await cloud.ok(member(), 'POST', path, { interfaceAttachment: { net_id: NETWORK, tag: 'nic' } });
  assert.deepEqual([made.net_id, made.port_state, made.tag], [NETWORK, 'ACTIVE', 'nic']);
  const { interfaceAttachment: given } = await cloud.ok(member(), 'POST', path, { interfaceAttachment: { port_id: PORT } });
  assert.equal(given.port_id, PORT);
  assert.equal(guest()?.spec.nics.length, 3);
  assert.equal((await cloud.ok(member(), 'GET', path)).interfaceAttachments.length, 3);
  assert.equal((await cloud.ok(member(), 'GET', `/servers/${id}/ips`)).addresses.private.length, 3);
  assert.equal((await cloud.ok(member(), 'GET', `/servers/${id}/ips/private`)).private.length, 3);
  assert.equal(await status('GET', '/ips/nope'), 404);
  assert.equal(await status('POST', '/os-interface', { interfaceAttachment: { port_id: PORT } }), 409);
  assert.equal(await status('POST', '/os-interface', { interfaceAttachment: { port_id: PORT, net_id: NETWORK } }), 400);
  assert.equal(await status('POST', '/os-interface', { interfaceAttachment: { fixed_ips: [{ ip_address: '10.0.0.7' }] } }), 400);
  assert.equal(await status('POST', '/os-interface', { interfaceAttachment: { net_id: OTHER } }), 404);
  for (const portId of [made.port_id, PORT]) assert.equal(await status('DELETE', `/os-interface/${portId}`), 202);
  await cloud.settle();
  assert.equal(guest()?.spec.nics.length, 1);
  assert.equal(await cloud.neutron.ports.find(cloud.store.read, made.port_id), undefined, 'nova made it');
  assert.equal((await cloud.neutron.ports.find(cloud.store.read, PORT))?.deviceId, '', 'a user made it');
  assert.equal(await status('GET', `/os-interface/${PORT}`), 404);
  assert.equal(await status('DELETE', `/os-interface/${PORT}`), 404);
});

test('clients that wait for a device to go find the event that they wait for', async () => {
  const eventsOf = async (wanted: string): Promise<readonly string[]> => {
    const { instanceActions } = await cloud.ok(member(), 'GET', `/servers/${id}/os-instance-actions`);
    const { request_id: requestId } = instanceActions.find(({ action }: { action: string }) => action === wanted);
    const { instanceAction } = await cloud.ok(member(), 'GET', `/servers/${id}/os-instance-actions/${requestId}`);
    return instanceAction.events.map(({ event, result }: { event: string; result: string }) => `${event} ${result}`);
  };
  assert.ok((await eventsOf('attach_interface')).includes('compute_attach_interface Success'));
  assert.ok((await eventsOf('detach_interface')).includes('compute_detach_interface Success'));
  assert.ok((await eventsOf('detach_volume')).includes('compute_detach_volume Success'));
});

test('actions are told with their steps, by microversion', async () => {
  const { instanceActions } = await cloud.ok(member(), 'GET', `/servers/${id}/os-instance-actions`);
  const create = instanceActions.at(-1);
  assert.equal(create.action, 'create');
  const one = async (version: string, ctx = member()) =>
    (await cloud.ok(ctx, 'GET', `/servers/${id}/os-instance-actions/${create.request_id}`, undefined, version)).instanceAction;
  assert.equal((await one('2.50')).events, undefined);
  const { events } = await one('2.96');
  assert.deepEqual(events.map((event: { event: string; result: string }) => `${event.event} ${event.result}`).toReversed(), [
    'compute__do_build_and_run_instance Success',
    'compute_schedule Success',
    'compute_ports Success',
    'compute_disks_and_network Success',
    'compute_spawn Success',
  ]);
  assert.equal(events[0].traceback, undefined);
  assert.equal(events[0].host, undefined);
  assert.equal(events[0].hostId.length, 56);
  assert.equal((await one('2.96', admin())).events[0].host.length, 2);
  assert.equal(await status('GET', '/os-instance-actions/req-nope'), 404);
  const page = await cloud.ok(member(), 'GET', `/servers/${id}/os-instance-actions?limit=2`);
  assert.equal(page.instanceActions.length, 2);
  assert.equal(new URL(page.links[0].href, 'http://x').searchParams.get('marker'), page.instanceActions[1].request_id);
  assert.equal(await status('GET', '/os-instance-actions?marker=nope'), 400);
  assert.equal(await status('GET', '/os-instance-actions?nonsense=1'), 400);
});

test('actions of a deleted server are told from 2.21 on', async () => {
  const gone = await cloud.create(member());
  await cloud.ok(member(), 'DELETE', `/servers/${gone}`);
  await cloud.settle();
  assert.equal((await cloud.request(member(), 'GET', `/servers/${gone}/os-instance-actions`, undefined, '2.20')).status, 404);
  assert.deepEqual(
    (await cloud.ok(member(), 'GET', `/servers/${gone}/os-instance-actions`)).instanceActions.map((action: { action: string }) => action.action),
    ['delete', 'create'],
  );
});
