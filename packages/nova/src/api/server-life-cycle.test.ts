import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { findServer } from '../store/server.ts';
import { admin, IMAGE, member, NETWORK, TestCloud } from '../testing/cloud.ts';

const OTHER = '55555555-5555-4555-8555-555555555555';
const STABLE = '66666666-6666-4666-8666-666666666666';
const VOLUME = '77777777-7777-4777-8777-777777777770';

let cloud: TestCloud;
/** How long each guest that was shut down was given, in milliseconds. */
const graces: unknown[] = [];
before(async () => {
  cloud = await TestCloud.open({
    hosts: [{ name: 'h1' }],
    fault: ({ method, args, when }) => {
      if (method === 'guests.shutDown' && when === 'before') graces.push(args[1]);
    },
  });
  await cloud.glance.addImage({ id: OTHER, name: 'other', properties: { os_distro: 'debian' } });
  await cloud.glance.addImage({ id: STABLE, name: 'stable', properties: { hw_rescue_device: 'cdrom', hw_rescue_bus: 'scsi' } });
});
after(() => cloud.close());

const act = async (id: string, action: object, ctx = member(), version?: string) => await cloud.request(ctx, 'POST', `/servers/${id}/action`, action, version);
const done = async (id: string, action: object, ctx = member(), version?: string) => {
  const answer = await act(id, action, ctx, version);
  assert.ok(answer.status < 300, `${JSON.stringify(action)}: ${answer.status} ${JSON.stringify(answer.body)}`);
  await cloud.settle();
  return answer;
};
const message = (answer: { body: Record<string, { message: string }> }): string => Object.values(answer.body)[0]?.message ?? '';
const shown = async (id: string, on: TestCloud = cloud) => (await on.ok(admin(), 'GET', `/servers/${id}`)).server;
const state = async (id: string, on: TestCloud = cloud): Promise<string> => {
  const server = await shown(id, on);
  return `${server.status} ${server['OS-EXT-STS:power_state']} ${server['OS-EXT-STS:task_state']}`;
};
const guest = (id: string) => cloud.world.machines[0]?.guests.get(id);
const disks = (): readonly string[] => (cloud.world.machines[0]?.inspect() ?? []).filter((line) => line.startsWith('disk '));
const ofVolume = {
  imageRef: '',
  networks: 'none',
  block_device_mapping_v2: [{ source_type: 'image', destination_type: 'volume', uuid: IMAGE, boot_index: 0, volume_size: 2, delete_on_termination: true }],
};

test('a rebuilt server has new disks, the new image and what the request says, and runs as before', async () => {
  const id = await cloud.create(member(), { flavorRef: '2', config_drive: true, metadata: { a: 'b' } });
  const before = new Set(guest(id)?.spec.disks.map((disk) => disk.diskId));
  const answer = await act(id, {
    rebuild: { imageRef: OTHER, name: 'new', metadata: { c: 'd' }, description: 'text', user_data: 'AAAA', adminPass: 'secret' },
  });
  assert.equal(answer.status, 202);
  assert.deepEqual(
    [answer.body.server.status, answer.body.server.image.id, answer.body.server.adminPass, answer.body.server.user_data, answer.body.server.key_name],
    ['REBUILD', OTHER, 'secret', 'AAAA', null],
  );
  assert.match(String(answer.headers['location']), new RegExp(`/servers/${id}$`));
  await cloud.settle();
  assert.equal(await state(id), 'ACTIVE 1 null');
  const server = await shown(id);
  assert.deepEqual([server.name, server.metadata, server.description, server.image.id], ['new', { c: 'd' }, 'text', OTHER]);
  const after = guest(id)?.spec.disks.map((disk) => disk.diskId) ?? [];
  assert.equal(after.length, 4);
  assert.ok(after.every((disk) => !before.has(disk)));
  assert.equal(disks().length, 4, 'the old ones are gone');
  // preserved ephemeral disks stay
  const ephemeral = guest(id)?.spec.disks.find((disk) => disk.device === 'vdb')?.diskId;
  await done(id, { 'os-stop': null });
  await done(id, { rebuild: { imageRef: IMAGE, preserve_ephemeral: true } });
  assert.equal(await state(id), 'SHUTOFF 4 null', 'a stopped server stays stopped');
  await done(id, { 'os-start': null });
  assert.equal(guest(id)?.spec.disks.find((disk) => disk.device === 'vdb')?.diskId, ephemeral);
  await cloud.ok(member(), 'DELETE', `/servers/${id}`);
  await cloud.settle();
  assert.deepEqual(disks(), []);
});

test('what a rebuild refuses', async () => {
  const id = await cloud.create(member());
  const bad: readonly (readonly [object, number, string | RegExp])[] = [
    [{ imageRef: VOLUME }, 400, 'Cannot find image for rebuild'],
    [{ imageRef: IMAGE, key_name: 'nobodys' }, 400, 'Invalid key_name provided.'],
    [{ imageRef: IMAGE, personality: [] }, 400, /personality/],
    [{ imageRef: IMAGE, metadata: Object.fromEntries(Array.from({ length: 129 }, (_, at) => [`k${at}`, 'v'])) }, 403, /Maximum number of metadata items/],
  ];
  for (const [rebuild, status, words] of bad) {
    const answer = await act(id, { rebuild });
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    if (typeof words === 'string') assert.equal(message(answer), words);
    else assert.match(message(answer), words);
  }
  await done(id, { rebuild: { imageRef: IMAGE, personality: [{ path: '/x', contents: 'aGk=' }] } }, member(), '2.56');
  await done(id, { pause: null });
  assert.equal(message(await act(id, { rebuild: { imageRef: IMAGE } })), `Cannot 'rebuild' instance ${id} while it is in vm_state paused`);
  const backed = await cloud.create(member(), ofVolume);
  const refused = await act(backed, { rebuild: { imageRef: OTHER } }, member(), '2.92');
  assert.deepEqual(
    [refused.status, message(refused)],
    [400, `Image ${OTHER} is unacceptable: Unable to rebuild with a different image for a volume-backed server.`],
  );
  await done(backed, { rebuild: { imageRef: IMAGE } }, member(), '2.92');
  await done(backed, { rebuild: { imageRef: OTHER } }, member(), '2.93');
  assert.equal(await state(backed), 'ACTIVE 1 null');
  assert.equal((await shown(backed)).image, '');
  const [volume] = (await cloud.cinder.volumes.all(cloud.store.read)).filter((one) => one.imageId === OTHER);
  assert.equal(volume?.status, 'in-use');
});

test('a rescued server runs from the rescue image with its root disk beside, and comes back', async () => {
  const id = await cloud.create(member(), { config_drive: true });
  const root = guest(id)?.spec.disks[0]?.diskId;
  const answer = await done(id, { rescue: { adminPass: 'pw' } });
  assert.deepEqual([answer.status, answer.body], [200, { adminPass: 'pw' }]);
  assert.equal(await state(id), 'RESCUE 1 null');
  assert.deepEqual(
    guest(id)?.spec.disks.map((disk) => [disk.device, disk.bootIndex, disk.diskId === root]),
    [
      ['vda', 0, false],
      ['vdb', undefined, true],
      ['vdc', undefined, false],
    ],
  );
  assert.deepEqual((await cloud.ok(member(), 'GET', `/servers/${id}/os-volume_attachments`)).volumeAttachments, []);
  assert.equal(message(await act(id, { reboot: { type: 'HARD' } })), `Cannot 'reboot' instance ${id} while it is in vm_state rescued`);
  const count = disks().length;
  assert.deepEqual(graces.splice(0).slice(-1), [60_000], 'the server itself may end in good order');
  assert.equal((await done(id, { unrescue: null })).status, 202);
  assert.deepEqual(graces, [0], 'nobody waits for a guest that only rescues');
  assert.equal(await state(id), 'ACTIVE 1 null');
  assert.equal(guest(id)?.spec.disks[0]?.diskId, root);
  assert.equal(disks().length, count - 1);
  // deleted while rescued: nothing stays
  await done(id, { rescue: null });
  await cloud.ok(member(), 'DELETE', `/servers/${id}`);
  await cloud.settle();
  assert.equal(guest(id), undefined);
  assert.ok(disks().length < count);
});

test('stable rescue leaves all disks in their places; a volume-backed server takes nothing else', async () => {
  const id = await cloud.create(member(), { networks: [{ uuid: NETWORK }] });
  await done(id, { rescue: { rescue_image_ref: STABLE } });
  assert.deepEqual(
    guest(id)?.spec.disks.map((disk) => [disk.device, disk.bus, disk.kind, disk.bootIndex]),
    [
      ['vda', 'virtio', 'disk', undefined],
      ['sda', 'scsi', 'cdrom', 0],
    ],
  );
  const backed = await cloud.create(member(), ofVolume);
  for (const [body, version] of [
    [null, '2.96'],
    [{ rescue_image_ref: IMAGE }, '2.96'],
    [{ rescue_image_ref: STABLE }, '2.86'],
  ] as const) {
    const refused = await act(backed, { rescue: body }, member(), version);
    assert.deepEqual([refused.status, message(refused)], [400, `Instance ${backed} cannot be rescued: Cannot rescue a volume-backed instance`]);
  }
  await done(backed, { rescue: { rescue_image_ref: STABLE } }, member(), '2.87');
  assert.equal(await state(backed), 'RESCUE 1 null');
  await done(backed, { unrescue: null });
  assert.equal(await state(backed), 'ACTIVE 1 null');
  assert.equal(message(await act(backed, { rescue: { rescue_image_ref: VOLUME } })), `Requested rescue image '${VOLUME}' is not supported`);
});

test('a shelved server leaves its host and comes back from its image with its addresses', async () => {
  const id = await cloud.create(member(), { networks: [{ uuid: NETWORK }] });
  const address = (await shown(id)).addresses.private[0].addr;
  assert.equal((await done(id, { shelve: null })).status, 202);
  let server = await shown(id);
  assert.deepEqual([server.status, server['OS-EXT-SRV-ATTR:host'], server['OS-EXT-STS:power_state']], ['SHELVED_OFFLOADED', null, 4]);
  assert.equal(guest(id), undefined);
  const images = (await cloud.glance.images.all(cloud.store.read)).filter((image) => image.name === 'one-shelved');
  assert.deepEqual([images.length, images[0]?.status, images[0]?.properties['image_type']], [1, 'active', 'snapshot']);
  assert.deepEqual(
    await cloud.store.read.kysely
      .selectFrom('placement_allocation' as never)
      .select('used' as never)
      .where('consumer_id' as never, '=', id as never)
      .execute(),
    [],
  );
  const gone = await act(id, { unshelve: { host: 'h9' } }, admin());
  assert.deepEqual([gone.status, message(gone)], [400, 'Compute host h9 could not be found.']);
  assert.equal((await act(id, { unshelve: { host: 'h1' } })).status, 403, 'for administrators alone');
  assert.equal(message(await act(id, { unshelve: { availability_zone: 'moon' } })), 'The requested availability zone is not available');
  await done(id, { unshelve: { availability_zone: 'nova', host: 'h1' } }, admin());
  server = await shown(id);
  assert.deepEqual([server.status, server['OS-EXT-SRV-ATTR:host'], server.addresses.private[0].addr], ['ACTIVE', 'h1', address]);
  assert.equal(server.pinned_availability_zone, 'nova');
  assert.equal(
    (await cloud.glance.images.all(cloud.store.read)).some((image) => image.name === 'one-shelved'),
    false,
  );
  // deleted on the shelf: its image goes, too
  await done(id, { shelve: null });
  await cloud.ok(member(), 'DELETE', `/servers/${id}`);
  await cloud.settle();
  assert.equal(
    (await cloud.glance.images.all(cloud.store.read)).some((image) => image.name === 'one-shelved'),
    false,
  );
});

test('servers on volumes are shelved without an image', async () => {
  const id = await cloud.create(member(), ofVolume);
  await done(id, { shelve: null });
  assert.equal((await shown(id)).status, 'SHELVED_OFFLOADED');
  assert.equal(
    (await cloud.glance.images.all(cloud.store.read)).some((image) => image.name === 'one-shelved'),
    false,
  );
  await done(id, { unshelve: null });
  assert.equal(await state(id), 'ACTIVE 1 null');
  assert.equal(guest(id)?.spec.disks.length, 1);
});

test('with time on the host first, a shelved server stays until it is offloaded or its time is over', async () => {
  const other = await TestCloud.open({ hosts: [{ name: 'h1' }], options: { shelvedOffloadMs: 20 } });
  try {
    const id = await other.create(member());
    await other.ok(member(), 'POST', `/servers/${id}/action`, { shelve: null });
    await other.settle();
    assert.equal(await state(id, other), 'SHELVED 4 null');
    const refused = await other.request(admin(), 'POST', `/servers/${id}/action`, { unshelve: { host: 'h1' } });
    assert.equal(refused.status, 409);
    await other.ok(member(), 'POST', `/servers/${id}/action`, { unshelve: null });
    await other.settle();
    assert.equal(await state(id, other), 'ACTIVE 1 null');
    await other.ok(member(), 'POST', `/servers/${id}/action`, { shelve: null });
    await other.settle();
    assert.equal((await other.request(member(), 'POST', `/servers/${id}/action`, { shelveOffload: null })).status, 403);
    await new Promise((resolve) => setTimeout(resolve, 40));
    await other.nova.reconciler.round();
    await other.settle();
    assert.equal(await state(id, other), 'SHELVED_OFFLOADED 4 null');
  } finally {
    await other.close();
  }
});

test('deleted servers wait for their restoration where the operator keeps them', async () => {
  const other = await TestCloud.open({ hosts: [{ name: 'h1' }], options: { reclaimServerMs: 30 } });
  try {
    const id = await other.create(member());
    await other.ok(member(), 'DELETE', `/servers/${id}`);
    await other.settle();
    assert.equal(await state(id, other), 'SOFT_DELETED 4 null');
    const used = async () => (await other.ok(member(), 'GET', '/limits')).limits.absolute.totalInstancesUsed;
    assert.equal(await used(), 0);
    await other.ok(member(), 'POST', `/servers/${id}/action`, { restore: null });
    await other.settle();
    assert.equal(await state(id, other), 'ACTIVE 1 null');
    assert.equal(await used(), 1);
    await other.ok(member(), 'DELETE', `/servers/${id}`);
    await other.settle();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await other.nova.reconciler.round();
    await other.settle();
    assert.equal((await findServer(other.store.read, id))?.deleted, 1);
    assert.equal(await used(), 0);
    const forced = await other.create(member());
    await other.ok(member(), 'DELETE', `/servers/${forced}`);
    await other.settle();
    await other.ok(member(), 'POST', `/servers/${forced}/action`, { forceDelete: null });
    await other.settle();
    assert.equal((await findServer(other.store.read, forced))?.deleted, 1);
    assert.equal(await used(), 0);
  } finally {
    await other.close();
  }
  const id = await cloud.create(member());
  assert.equal(message(await act(id, { restore: null })), `Cannot 'restore' instance ${id} while it is in vm_state active`);
});

test('a backup is an image with its type, and past the rotation the oldest go', async () => {
  const asked: string[] = [];
  const other = await TestCloud.open({
    hosts: [{ name: 'h1' }],
    inside: async (call) => {
      asked.push(`${call.method} ${call.url}`);
      return { status: 200, headers: {}, body: { images: [{ id: 'new' }, { id: 'older' }, { id: 'oldest' }] } };
    },
  });
  try {
    const id = await other.create(member());
    const backup = { name: 'b1', backup_type: 'daily', rotation: 1, metadata: { k: 'v' } };
    const made = await other.ok(member(), 'POST', `/servers/${id}/action`, { createBackup: backup });
    await other.settle();
    const image = await other.glance.images.find(other.store.read, made.image_id);
    assert.deepEqual(
      [image?.status, image?.properties['image_type'], image?.properties['backup_type'], image?.properties['instance_uuid'], image?.properties['k']],
      ['active', 'backup', 'daily', id, 'v'],
    );
    assert.match(asked[0] ?? '', /^GET \/v2\/images\?image_type=backup&backup_type=daily&instance_uuid=/);
    assert.deepEqual(asked.slice(1), ['DELETE /v2/images/older', 'DELETE /v2/images/oldest']);
    const old = await other.request(member(), 'POST', `/servers/${id}/action`, { createBackup: { ...backup, rotation: 0 } }, '2.44');
    assert.deepEqual([old.status, old.headers['location']], [202, undefined]);
    await other.settle();
    const backed = await other.create(member(), ofVolume);
    const refused = await other.request(member(), 'POST', `/servers/${backed}/action`, { createBackup: backup });
    assert.deepEqual([refused.status, message(refused)], [400, 'Backup is not supported for volume-backed instances.']);
  } finally {
    await other.close();
  }
});

test("a password is set by the guest's agent, which the image must promise", async () => {
  const id = await cloud.create(member());
  const refused = await act(id, { changePassword: { adminPass: 'x' } });
  assert.deepEqual([refused.status, message(refused)], [409, 'QEMU guest agent is not enabled']);
  const image = '99999999-9999-4999-8999-999999999999';
  await cloud.glance.addImage({ id: image, name: 'agent', properties: { hw_qemu_guest_agent: 'yes' } });
  const able = await cloud.create(member(), { imageRef: image });
  assert.equal((await act(able, { changePassword: { adminPass: 'x' } })).status, 202);
  assert.equal(await state(able), 'ACTIVE 1 null');
  const rows = await cloud.store.read.kysely
    .selectFrom('kit_saga' as never)
    .selectAll()
    .execute();
  assert.equal(JSON.stringify(rows).includes('"x"'), false, 'the password is written nowhere');
});
