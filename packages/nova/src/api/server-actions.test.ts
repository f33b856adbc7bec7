import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { admin, context, IMAGE, member, TestCloud } from '../testing/cloud.ts';

let cloud: TestCloud;
before(async () => {
  cloud = await TestCloud.open();
});
after(() => cloud.close());

const act = async (id: string, action: object, ctx = member(), version?: string) => await cloud.request(ctx, 'POST', `/servers/${id}/action`, action, version);
const message = (answer: { body: Record<string, { message: string }> }): string => Object.values(answer.body)[0]?.message ?? '';
const shown = async (id: string) => (await cloud.ok(admin(), 'GET', `/servers/${id}`)).server;
const state = async (id: string): Promise<string> => {
  const server = await shown(id);
  return `${server.status} ${server['OS-EXT-STS:power_state']} ${server['OS-EXT-STS:task_state']}`;
};
const guestState = async (id: string): Promise<string | undefined> => {
  const host = (await shown(id))['OS-EXT-SRV-ATTR:host'];
  return cloud.world.machines.find((machine) => machine.host === host)?.guests.get(id)?.state;
};

test('power changes carry the server and its guest along', async () => {
  const id = await cloud.create(member());
  const steps: readonly (readonly [object, string, string])[] = [
    [{ 'os-stop': null }, 'SHUTOFF 4 null', 'shutdown'],
    [{ 'os-start': null }, 'ACTIVE 1 null', 'running'],
    [{ pause: null }, 'PAUSED 3 null', 'paused'],
    [{ unpause: null }, 'ACTIVE 1 null', 'running'],
    [{ suspend: null }, 'SUSPENDED 4 null', 'suspended'],
    [{ resume: null }, 'ACTIVE 1 null', 'running'],
    [{ reboot: { type: 'soft' } }, 'ACTIVE 1 null', 'running'],
    [{ reboot: { type: 'HARD' } }, 'ACTIVE 1 null', 'running'],
  ];
  for (const [action, expected, guest] of steps) {
    const answer = await act(id, action);
    assert.deepEqual([answer.status, answer.body], [202, undefined], JSON.stringify(action));
    await cloud.settle();
    assert.equal(await state(id), expected, JSON.stringify(action));
    assert.equal(await guestState(id), guest, JSON.stringify(action));
  }
  const { instanceActions } = await cloud.ok(member(), 'GET', `/servers/${id}/os-instance-actions`);
  assert.deepEqual(
    instanceActions.map((action: { action: string }) => action.action),
    ['reboot', 'reboot', 'resume', 'suspend', 'unpause', 'pause', 'start', 'stop', 'create'],
  );
});

test("an action in the wrong state is 409 in upstream's words", async () => {
  const id = await cloud.create(member());
  const wrong = await act(id, { 'os-start': null });
  assert.deepEqual(
    [wrong.status, wrong.body],
    [409, { conflictingRequest: { code: 409, message: `Cannot 'start' instance ${id} while it is in vm_state active` } }],
  );
  assert.equal(message(await act(id, { unpause: null })), `Cannot 'unpause' instance ${id} while it is in vm_state active`);
  assert.equal((await act(id, { reboot: { type: 'warm' } })).status, 400);
  assert.equal((await act(id, { 'os-stop': null, pause: null })).status, 400);
  assert.equal((await act(id, { nonsense: null })).status, 400);
});

test('a locked server is left alone by its owner until it is unlocked', async () => {
  const id = await cloud.create(member());
  assert.equal((await act(id, { lock: { locked_reason: 'hands off' } })).status, 202);
  assert.deepEqual([(await shown(id)).locked, (await shown(id)).locked_reason], [true, 'hands off']);
  for (const action of [{ 'os-stop': null }, { pause: null }, { reboot: { type: 'HARD' } }]) {
    const answer = await act(id, action);
    assert.deepEqual([answer.status, message(answer)], [409, `Instance ${id} is locked`]);
  }
  assert.equal((await cloud.request(member(), 'DELETE', `/servers/${id}`)).status, 409);
  assert.equal((await cloud.request(member(), 'PUT', `/servers/${id}/metadata`, { metadata: {} })).status, 409);
  assert.equal((await act(id, { pause: null }, admin())).status, 202);
  await cloud.settle();
  assert.equal((await act(id, { unlock: null })).status, 202);
  assert.equal((await act(id, { lock: null }, admin())).status, 202);
  assert.equal((await act(id, { unlock: null })).status, 403, 'an administrator locked it');
  assert.equal((await act(id, { unlock: null }, admin())).status, 202);
  assert.equal((await act(id, { lock: { locked_reason: 'x' } }, member(), '2.72')).status, 202, 'before 2.73 whatever it holds is ignored');
  assert.equal((await shown(id)).locked_reason, null);
});

test('administrators reset states and force deletion', async () => {
  const id = await cloud.create(member());
  assert.equal((await act(id, { 'os-resetState': { state: 'error' } })).status, 403);
  assert.equal((await act(id, { 'os-resetState': { state: 'error' } }, admin())).status, 202);
  assert.equal((await shown(id)).status, 'ERROR');
  assert.equal((await act(id, { 'os-resetState': { state: 'active' } }, admin())).status, 202);
  assert.equal((await act(id, { 'os-resetState': { state: 'gone' } }, admin())).status, 400);
  assert.equal((await act(id, { restore: null })).status, 409, 'nothing is soft-deleted');
  assert.equal((await act(id, { forceDelete: null })).status, 202);
  await cloud.settle();
  assert.equal((await cloud.request(member(), 'GET', `/servers/${id}`)).status, 404);
});

test('console output comes by lines, without control characters', async () => {
  const id = await cloud.create(member(), { name: 'talker' });
  const all = await act(id, { 'os-getConsoleOutput': {} });
  assert.equal(all.status, 200);
  assert.match(all.body.output, /talker login: /);
  assert.equal((await act(id, { 'os-getConsoleOutput': { length: 1 } })).body.output, 'talker login: ');
  assert.equal((await act(id, { 'os-getConsoleOutput': { length: '0' } })).body.output, '');
  assert.equal((await act(id, { 'os-getConsoleOutput': { length: -1 } })).body.output, all.body.output);
  assert.equal((await act(id, { 'os-getConsoleOutput': { length: -2 } })).status, 400);
  const guest = [...cloud.world.machines].map((machine) => machine.guests.get(id)).find((one) => one !== undefined);
  assert.ok(guest);
  guest.console = 'a\u001b[31mb\tc\r\nd';
  assert.equal((await act(id, { 'os-getConsoleOutput': {} })).body.output, 'a[31mb\tc\nd');
});

test('an image is made of a running server, and its maker finds it', async () => {
  const id = await cloud.create(member());
  const answer = await act(id, { createImage: { name: 'shot', metadata: { k: 'v' } } });
  assert.equal(answer.status, 202);
  const { image_id: imageId } = answer.body;
  await cloud.settle();
  assert.equal(await state(id), 'ACTIVE 1 null');
  const image = await cloud.glance.images.find(cloud.store.read, imageId);
  assert.equal(image?.status, 'active');
  assert.equal(image?.name, 'shot');
  assert.equal(image?.owner, 'p1');
  assert.equal(image?.properties['k'], 'v');
  assert.equal(image?.properties['base_image_ref'], IMAGE);
  assert.equal(image?.properties['os_distro'], 'cirros');
  const old = await act(id, { createImage: { name: 'old' } }, member(), '2.44');
  assert.deepEqual([old.status, old.body], [202, undefined]);
  assert.match(String(old.headers['location']), /\/image\/images\/[0-9a-f-]{36}$/);
  await cloud.settle();
  assert.equal(
    (await act(id, { createImage: { name: 'x', metadata: Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`k${i}`, 'v'])) } }, member(), '2.38'))
      .status,
    403,
  );
});

test('a volume-backed server boots from a new volume, and its image names snapshots', async () => {
  const id = await cloud.create(member(), {
    imageRef: '',
    block_device_mapping_v2: [{ source_type: 'image', destination_type: 'volume', uuid: IMAGE, boot_index: 0, volume_size: 2, delete_on_termination: true }],
  });
  const server = await shown(id);
  assert.equal(server.status, 'ACTIVE');
  assert.equal(server.image, '');
  const [{ id: volumeId, delete_on_termination: goes }] = server['os-extended-volumes:volumes_attached'];
  assert.equal(goes, true);
  assert.equal((await cloud.cinder.volumes.find(cloud.store.read, volumeId))?.status, 'in-use');
  const { image_id: imageId } = (await act(id, { createImage: { name: 'shot' } })).body;
  await cloud.settle();
  const image = await cloud.glance.images.find(cloud.store.read, imageId);
  assert.equal(image?.status, 'active');
  const [mapping] = JSON.parse(image?.properties['block_device_mapping'] ?? '[]');
  assert.equal(mapping.source_type, 'snapshot');
  assert.equal((await cloud.cinder.snapshots.find(cloud.store.read, mapping.snapshot_id))?.volumeId, volumeId);
  // such an image boots a volume-backed server again
  await cloud.store.write((tx) => cloud.cinder.volumes.put(tx, { ...volume(volumeId), bootable: true, status: 'in-use' }));
  const again = await cloud.create(member(), { imageRef: imageId });
  assert.equal((await shown(again)).status, 'ACTIVE');
  assert.equal((await shown(again))['os-extended-volumes:volumes_attached'].length, 1);
  await cloud.ok(member(), 'DELETE', `/servers/${id}`);
  await cloud.settle();
  assert.equal(await cloud.cinder.volumes.find(cloud.store.read, volumeId), undefined, 'delete_on_termination');
});
const volume = (id: string) => ({ id, name: '', sizeGb: 2, projectId: 'p1', multiattach: false, imageId: IMAGE, host: null });

test('diagnostics have the form of their microversion', async () => {
  const id = await cloud.create(member());
  assert.equal((await cloud.request(member(), 'GET', `/servers/${id}/diagnostics`)).status, 403);
  const newer = await cloud.ok(admin(), 'GET', `/servers/${id}/diagnostics`);
  assert.deepEqual([newer.state, newer.num_cpus, newer.num_nics, newer.num_disks, newer.memory_details], ['running', 1, 1, 1, { maximum: 512, used: 256 }]);
  const older = await cloud.ok(admin(), 'GET', `/servers/${id}/diagnostics`, undefined, '2.47');
  assert.equal(older.memory, 512 * 1024);
  assert.equal(older.vda_read, 0);
  await act(id, { 'os-stop': null });
  await cloud.settle();
  assert.equal((await cloud.request(admin(), 'GET', `/servers/${id}/diagnostics`)).status, 409);
});

test('security groups are added to a server and taken from it', async () => {
  const id = await cloud.create(member(), { security_groups: [{ name: 'web' }] });
  const groups = async (): Promise<string[]> =>
    (await cloud.ok(member(), 'GET', `/servers/${id}/os-security-groups`)).security_groups.map((group: { name: string }) => group.name);
  assert.deepEqual(await groups(), ['web']);
  assert.equal((await act(id, { addSecurityGroup: { name: 'default' } })).status, 202);
  assert.deepEqual(await groups(), ['default', 'web']);
  assert.equal((await act(id, { removeSecurityGroup: { name: 'web' } })).status, 202);
  assert.deepEqual(await groups(), ['default']);
  assert.deepEqual((await shown(id)).security_groups, [{ name: 'default' }]);
  assert.equal((await act(id, { addSecurityGroup: { name: 'nope' } })).status, 404);
  assert.equal((await act(id, { addSecurityGroup: {} })).status, 400);
});

test('a server that is being built can be deleted at once', async () => {
  const slow = await TestCloud.open({ delays: { guestStartMs: 500 } });
  try {
    const { server } = await slow.ok(member(), 'POST', '/servers', { server: { name: 'one', imageRef: IMAGE, flavorRef: '1', networks: 'auto' } });
    await slow.until(async () => (await slow.ok(member(), 'GET', `/servers/${server.id}`)).server['OS-EXT-STS:task_state'] === 'spawning');
    assert.equal((await slow.request(member(), 'POST', `/servers/${server.id}/action`, { 'os-stop': null })).status, 409);
    assert.equal((await slow.request(member(), 'DELETE', `/servers/${server.id}`)).status, 204);
    assert.equal((await slow.request(member(), 'DELETE', `/servers/${server.id}`)).status, 204, 'and again');
    await slow.until(async () => (await slow.request(member(), 'GET', `/servers/${server.id}`)).status === 404, 15_000);
    for (const machine of slow.world.machines) assert.deepEqual(machine.inspect(), []);
  } finally {
    await slow.close();
  }
});

test('an administrator of another project acts on a server, too', async () => {
  const id = await cloud.create(context({ projectId: 'p7' }));
  assert.equal((await act(id, { 'os-stop': null }, admin())).status, 202);
  await cloud.settle();
  assert.equal((await shown(id)).status, 'SHUTOFF');
});
