import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { testContext } from '@cairn/kit/testing/world';
import { MessageReaper } from './app/message-reaper.ts';
import { Cloud } from './cloud.fixture.ts';

const SERVER = 'f0000000-0000-4000-8000-000000000001';
const GIB = 2 ** 30;

describe('volume actions', () => {
  let cloud: Cloud;
  /** Host calls that are to fail, by method. */
  const broken = new Set<string>();
  before(async () => {
    cloud = await Cloud.start({
      options: { quotaDefaults: { volumes: 100, per_volume_gigabytes: 50, snapshots: 100, gigabytes: 100, backups: 10, backup_gigabytes: 1000, groups: 10 } },
      fault({ method, when }) {
        if (when === 'before' && broken.has(method)) throw Object.assign(new Error('the disk is on fire'), { name: 'Fire' });
      },
    });
  });
  after(() => cloud.close());

  const act = (id: string, body: object, who = 'member', version = '3.71') => cloud.call(who, 'POST', `/volumes/${id}/action`, body, version);
  const statusOf = async (id: string): Promise<string> => (await cloud.show('admin', `/volumes/${id}`)).volume.status;
  const messages = async (id: string): Promise<string[]> =>
    (await cloud.show('member', '/messages')).messages
      .filter((one: { resource_uuid: string }) => one.resource_uuid === id)
      .map((one: { user_message: string }) => one.user_message);

  test('extending grows the disk and the quota use', async () => {
    const id = await cloud.volume('member');
    const before = (await cloud.show('member', '/limits')).limits.absolute.totalGigabytesUsed;
    assert.equal((await act(id, { 'os-extend': { new_size: '3' } })).status, 202);
    assert.equal(await statusOf(id).then((status) => ['extending', 'available'].includes(status)), true);
    await cloud.settle();
    const { volume } = await cloud.show('member', `/volumes/${id}`);
    assert.deepEqual([volume.status, volume.size], ['available', 3]);
    assert.ok(cloud.inspect().includes(`disk ${id} volume ${3 * GIB}`));
    assert.equal((await cloud.show('member', '/limits')).limits.absolute.totalGigabytesUsed, before + 2);
  });

  for (const [what, new_size, status] of [
    ['the same size', 1, 400],
    ['no number', 'abc', 400],
    ['null', null, 400],
    ['0', 0, 400],
    ['more than one volume may have', 51, 413],
    ['more than the quota', 50, 413],
  ] as const)
    test(`extending to ${what} is ${status}, and changes nothing`, async () => {
      const id = await cloud.volume('member');
      const extra = status === 413 && new_size === 50 ? await Promise.all([cloud.volume('member', { size: 30 }), cloud.volume('member', { size: 30 })]) : [];
      const answer = await act(id, { 'os-extend': { new_size } });
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      if (status === 413) {
        assert.equal(answer.headers.get('retry-after'), '0');
        assert.match(answer.body.overLimit.message, new_size === 50 ? /^VolumeSizeExceedsAvailableQuota: / : /^VolumeSizeExceedsLimit: /);
      }
      assert.equal(await statusOf(id), 'available');
      for (const one of [id, ...extra]) await cloud.call('member', 'DELETE', `/volumes/${one}`);
      await cloud.settle();
    });

  test('a volume in use is extended from 3.42 on, and an event tells nova of it', async () => {
    const id = await cloud.volume('member');
    await act(id, { 'os-attach': { instance_uuid: SERVER, mountpoint: '/dev/vdb' } });
    assert.equal((await act(id, { 'os-extend': { new_size: 2 } }, 'member', '3.41')).status, 400);
    assert.equal((await act(id, { 'os-extend': { new_size: 2 } })).status, 202);
    await cloud.settle();
    assert.equal(await statusOf(id), 'in-use');
    const events = await cloud.world.env.events.since(cloud.world.env.store.read, 0, 10_000);
    const told = events.find((event) => event.type === 'volume.extended' && event.resourceId === id);
    assert.deepEqual(told && (told.payload as { server_ids: string[]; new_size: number }).server_ids, [SERVER]);
    await act(id, { 'os-detach': {} });
    assert.equal(await statusOf(id), 'available');
  });

  test('a failed extension leaves error_extending, the old size, the old quota use and a message', async () => {
    const id = await cloud.volume('member');
    const before = (await cloud.show('member', '/limits')).limits.absolute.totalGigabytesUsed;
    broken.add('disks.resize');
    await act(id, { 'os-extend': { new_size: 9 } });
    await cloud.settle();
    broken.clear();
    const { volume } = await cloud.show('member', `/volumes/${id}`);
    assert.deepEqual([volume.status, volume.size], ['error_extending', 1]);
    assert.equal((await cloud.show('member', '/limits')).limits.absolute.totalGigabytesUsed, before);
    assert.deepEqual(await messages(id), ['extend volume:Volume Driver failed to extend volume.']);
  });

  test('a failed creation leaves error and a message; the volume can be deleted', async () => {
    broken.add('disks.create');
    const id = await cloud.volume('member');
    broken.clear();
    assert.equal(await statusOf(id), 'error');
    assert.deepEqual(await messages(id), ['create volume from backend storage:Driver failed to create the volume.']);
    assert.equal((await cloud.call('member', 'DELETE', `/volumes/${id}`)).status, 202);
    await cloud.settle();
    assert.equal((await cloud.call('member', 'GET', `/volumes/${id}`)).status, 404);
  });

  test('a failed deletion leaves error_deleting and a message; an administrator may try again', async () => {
    const id = await cloud.volume('member');
    broken.add('disks.remove');
    await cloud.call('member', 'DELETE', `/volumes/${id}`);
    await cloud.settle();
    broken.clear();
    assert.equal(await statusOf(id), 'error_deleting');
    assert.equal((await messages(id)).length, 1);
    assert.equal((await cloud.call('member', 'DELETE', `/volumes/${id}`)).status, 400);
    assert.equal((await act(id, { 'os-force_delete': {} })).status, 403);
    assert.equal((await act(id, { 'os-force_delete': {} }, 'admin')).status, 202);
    await cloud.settle();
    assert.equal((await cloud.call('admin', 'GET', `/volumes/${id}`)).status, 404);
  });

  test('a volume that no host has room for goes to error, and says that', async () => {
    await cloud.call('admin', 'PUT', '/os-quota-sets/b0000000000000000000000000000002', { quota_set: { gigabytes: -1, per_volume_gigabytes: -1 } });
    const id = await cloud.volume('other', { size: 900_000 });
    const { volume } = await cloud.show('other', `/volumes/${id}`);
    assert.equal(volume.status, 'error');
    const { messages: told } = await cloud.show('other', '/messages');
    assert.equal(told[0].user_message, 'schedule allocate volume:Could not find any available weighted backend.');
    assert.equal(told[0].event_id, 'VOLUME_VOLUME_001_003');
    assert.equal((await cloud.call('member', 'GET', `/messages/${told[0].id}`)).status, 404);
    assert.equal((await cloud.call('other', 'DELETE', `/messages/${told[0].id}`)).status, 204);
    assert.equal((await cloud.call('other', 'GET', `/messages/${told[0].id}`)).status, 404);
  });

  test('messages go when their time is over', async () => {
    const brief = await Cloud.start({ diskGb: 1, options: { messageTtlMs: 0 } });
    try {
      await brief.call('admin', 'PUT', '/os-quota-sets/b0000000000000000000000000000001', { quota_set: { gigabytes: -1 } });
      await brief.volume('member', { size: 5_000 });
      assert.equal((await brief.show('member', '/messages')).messages.length, 1);
      await brief.world.env.clock.sleep(2);
      assert.equal(await new MessageReaper(brief.world.env).reap(), 1);
      assert.equal((await brief.show('member', '/messages')).messages.length, 0);
    } finally {
      await brief.close();
    }
  });

  test('reserve and unreserve, begin and roll back a detachment', async () => {
    const id = await cloud.volume('member');
    assert.equal((await act(id, { 'os-reserve': {} })).status, 202);
    assert.equal(await statusOf(id), 'attaching');
    assert.equal((await act(id, { 'os-reserve': {} })).status, 400);
    assert.equal((await act(id, { 'os-unreserve': {} })).status, 202);
    assert.equal(await statusOf(id), 'available');
    assert.equal((await act(id, { 'os-begin_detaching': {} })).status, 400);
    await act(id, { 'os-attach': { instance_uuid: SERVER, mountpoint: '/dev/vdb' } });
    assert.equal((await act(id, { 'os-begin_detaching': {} })).status, 202);
    assert.equal(await statusOf(id), 'detaching');
    assert.equal((await act(id, { 'os-roll_detaching': {} })).status, 202);
    assert.equal(await statusOf(id), 'in-use');
  });

  test('an attached volume shows its server, and cannot be deleted or attached elsewhere', async () => {
    const id = await cloud.volume('member');
    assert.equal((await act(id, { 'os-attach': { instance_uuid: SERVER, mountpoint: '/dev/vdb', host_name: 'secret' } })).status, 202);
    const { volume } = await cloud.show('member', `/volumes/${id}`);
    assert.equal(volume.status, 'in-use');
    assert.deepEqual(
      volume.attachments.map((one: Record<string, unknown>) => [one['server_id'], one['device'], one['volume_id'], one['host_name']]),
      [[SERVER, '/dev/vdb', id, null]],
    );
    assert.deepEqual(volume.metadata, { readonly: 'False', attached_mode: 'rw' });
    assert.equal((await cloud.show('admin', `/volumes/${id}`)).volume.attachments[0].host_name, 'secret');
    assert.equal((await cloud.call('member', 'DELETE', `/volumes/${id}`)).status, 400);
    const twice = await act(id, { 'os-attach': { instance_uuid: 'f0000000-0000-4000-8000-000000000002', mountpoint: '/dev/vdc' } });
    assert.equal(twice.status, 400);
    assert.equal((await act(id, { 'os-detach': { attachment_id: volume.attachments[0].attachment_id } })).status, 202);
    assert.equal(await statusOf(id), 'available');
  });

  test('read-only and bootable flags', async () => {
    const id = await cloud.volume('member');
    assert.equal((await act(id, { 'os-update_readonly_flag': { readonly: true } })).status, 202);
    assert.equal((await cloud.show('member', `/volumes/${id}`)).volume.metadata.readonly, 'True');
    assert.equal((await act(id, { 'os-attach': { instance_uuid: SERVER, mountpoint: '/dev/vdb', mode: 'rw' } })).status, 400);
    assert.equal((await act(id, { 'os-set_bootable': { bootable: 'true' } })).status, 200);
    assert.equal((await cloud.show('member', `/volumes/${id}`)).volume.bootable, 'true');
    assert.equal((await act(id, { 'os-set_bootable': { bootable: 'perhaps' } })).status, 400);
  });

  test('image metadata is set, shown and removed by actions', async () => {
    const id = await cloud.volume('member');
    assert.deepEqual((await act(id, { 'os-set_image_metadata': { metadata: { image_id: 'x', kernel_id: 'y' } } })).body, {
      metadata: { image_id: 'x', kernel_id: 'y' },
    });
    assert.deepEqual((await act(id, { 'os-show_image_metadata': {} })).body, { metadata: { image_id: 'x', kernel_id: 'y' } });
    assert.equal((await act(id, { 'os-unset_image_metadata': { key: 'image_id' } })).status, 200);
    assert.equal((await act(id, { 'os-unset_image_metadata': { key: 'image_id' } })).status, 404);
    assert.deepEqual((await cloud.show('member', `/volumes/${id}`)).volume.volume_image_metadata, { kernel_id: 'y' });
  });

  test('a volume gets another type, and the quota use of types follows', async () => {
    const limits = async (): Promise<Record<string, { in_use: number }>> =>
      (await cloud.show('member', '/os-quota-sets/b0000000000000000000000000000001?usage=true')).quota_set;
    for (const name of ['from', 'to']) await cloud.call('admin', 'POST', '/types', { volume_type: { name } });
    await cloud.call('admin', 'POST', '/types', { volume_type: { name: 'elsewhere', extra_specs: { volume_backend_name: 'other' } } });
    const id = await cloud.volume('member', { size: 2, volume_type: 'from' });
    await cloud.call('member', 'POST', '/snapshots', { snapshot: { volume_id: id } });
    await cloud.settle();
    const retype = (new_type: string) => act(id, { 'os-retype': { new_type, migration_policy: 'never' } });
    assert.equal((await retype('from')).status, 400);
    assert.equal((await retype('nonesuch')).status, 404);
    assert.equal((await retype('to')).status, 202);
    const { volume } = await cloud.show('admin', `/volumes/${id}`);
    assert.deepEqual([volume.volume_type, volume.status, volume.migration_status], ['to', 'available', null]);
    const after = await limits();
    assert.deepEqual([after['volumes_from']?.in_use, after['volumes_to']?.in_use, after['gigabytes_to']?.in_use, after['snapshots_to']?.in_use], [0, 1, 4, 1]);
    await cloud.call('admin', 'PUT', '/os-quota-sets/b0000000000000000000000000000001', { quota_set: { volumes_from: 0 } });
    assert.equal((await retype('from')).status, 413);
    assert.equal((await retype('elsewhere')).status, 202);
    assert.equal((await cloud.show('member', `/volumes/${id}`)).volume.volume_type, 'to');
    assert.equal((await messages(id)).length, 1);
    await cloud.call('admin', 'DELETE', '/os-quota-sets/b0000000000000000000000000000001');
  });

  test('force_detach settles the status of a volume in error', async () => {
    const id = await cloud.volume('member');
    await act(id, { 'os-attach': { instance_uuid: SERVER, mountpoint: '/dev/vdb' } });
    await act(id, { 'os-reset_status': { status: 'error' } }, 'admin');
    assert.equal((await act(id, { 'os-force_detach': { connector: null } }, 'admin')).status, 202);
    assert.equal(await statusOf(id), 'available');
  });

  test('a status is set by administrators alone, to what there is', async () => {
    const id = await cloud.volume('member');
    assert.equal((await act(id, { 'os-reset_status': { status: 'error' } })).status, 403);
    assert.equal((await act(id, { 'os-reset_status': { status: 'error' } }, 'admin')).status, 202);
    assert.equal(await statusOf(id), 'error');
    for (const body of [{ status: 'nonsense' }, { status: 'in-use' }, { status: 'deleting' }, {}, { attach_status: 'odd' }])
      assert.equal((await act(id, { 'os-reset_status': body }, 'admin')).status, 400, JSON.stringify(body));
    assert.equal((await act(id, { 'os-reset_status': { status: 'available', migration_status: 'none' } }, 'admin')).status, 202);
  });

  test('a volume is copied to an image, whose data is there afterwards', async () => {
    const id = await cloud.volume('member');
    const answer = await act(id, { 'os-volume_upload_image': { image_name: 'copy', disk_format: 'qcow2' } });
    assert.equal(answer.status, 202);
    const uploaded = answer.body['os-volume_upload_image'];
    assert.deepEqual(
      [uploaded.status, uploaded.disk_format, uploaded.container_format, uploaded.visibility, uploaded.protected],
      ['uploading', 'qcow2', 'bare', 'private', false],
    );
    const type = (await cloud.call('member', 'GET', '/types/default')).body.volume_type;
    const { created_at, updated_at, ...record } = uploaded.volume_type;
    assert.deepEqual(
      record,
      { id: type.id, name: type.name, description: type.description, is_public: true, extra_specs: {}, qos_specs_id: null, deleted: false, deleted_at: null },
      'the type is there whole',
    );
    assert.match(created_at, /^[\d-]{10}T[\d:]{8}\.\d{6}$/);
    assert.equal(updated_at, null);
    await cloud.settle();
    assert.equal(await statusOf(id), 'available');
    const image = await cloud.glance.face.image(cloud.world.env.store.read, testContext(), uploaded.image_id);
    assert.deepEqual([image.status, image.name, image.virtualSizeBytes], ['active', 'copy', GIB]);
    const back = await cloud.volume('member', { size: 1, imageRef: uploaded.image_id });
    assert.equal(await statusOf(back), 'available');
  });

  test('a public image is for administrators, other formats and compressed ones are refused', async () => {
    const id = await cloud.volume('member');
    assert.equal((await act(id, { 'os-volume_upload_image': { image_name: 'x', visibility: 'public' } })).status, 403);
    assert.equal((await act(id, { 'os-volume_upload_image': { image_name: 'x', disk_format: 'iso' } })).status, 400);
    assert.equal((await act(id, { 'os-volume_upload_image': { image_name: 'x', container_format: 'compressed' } })).status, 400);
    assert.equal((await act(id, { 'os-volume_upload_image': {} })).status, 400);
    assert.equal(await statusOf(id), 'available');
  });

  test('a failed upload takes the image away, and the volume is as before', async () => {
    const id = await cloud.volume('member');
    broken.add('disks.export');
    const { body } = await act(id, { 'os-volume_upload_image': { image_name: 'lost' } });
    await cloud.settle();
    broken.clear();
    assert.equal(await statusOf(id), 'available');
    await assert.rejects(cloud.glance.face.image(cloud.world.env.store.read, testContext(), body['os-volume_upload_image'].image_id));
    assert.deepEqual(await messages(id), ['copy volume to image:Failed to upload volume to image at backend.']);
  });

  test('reverting goes to the newest snapshot alone', async () => {
    const id = await cloud.volume('member');
    assert.equal((await act(id, { revert: { snapshot_id: null } })).status, 400);
    const snap = async (): Promise<string> => {
      const { body } = await cloud.call('member', 'POST', '/snapshots', { snapshot: { volume_id: id } });
      await cloud.settle();
      return body.snapshot.id;
    };
    const [first, second] = [await snap(), await snap()];
    assert.equal((await act(id, { revert: { snapshot_id: first } })).status, 400);
    assert.equal((await act(id, { revert: { snapshot_id: second } }, 'member', '3.39')).status, 404);
    assert.equal((await act(id, { revert: { snapshot_id: second } })).status, 202);
    await cloud.settle();
    assert.equal(await statusOf(id), 'available');
    assert.equal((await cloud.show('member', `/snapshots/${second}`)).snapshot.status, 'available');
  });

  test('re-imaging puts another disk under the volume and removes the old one', async () => {
    const id = await cloud.volume('member');
    const imageId = await cloud.image(testContext(), 2048);
    assert.equal((await act(id, { 'os-reimage': { image_id: imageId } }, 'member', '3.67')).status, 404);
    assert.equal((await act(id, { 'os-reimage': { image_id: imageId } })).status, 202);
    await cloud.settle();
    const { volume } = await cloud.show('member', `/volumes/${id}`);
    assert.deepEqual([volume.status, volume.bootable, volume.volume_image_metadata.image_id], ['available', 'true', imageId]);
    assert.equal(
      cloud.inspect().some((line) => line.startsWith(`disk ${id} `)),
      false,
    );
    await cloud.call('member', 'DELETE', `/volumes/${id}`);
    await cloud.settle();
  });

  test('an action that is not there is a 400, one of a newer microversion a 404', async () => {
    const id = await cloud.volume('member');
    assert.equal((await act(id, { 'os-nonsense': {} })).status, 400);
    assert.equal((await act(id, { 'os-extend': { new_size: 2 }, 'os-reserve': {} })).status, 400);
    assert.equal((await act('f0000000-0000-4000-8000-000000000000', { 'os-reserve': {} })).status, 404);
    assert.equal((await act(id, { 'os-extend_volume_completion': {} }, 'admin')).status, 400);
    assert.equal((await act(id, { 'os-extend_volume_completion': {} })).status, 403);
  });

  test('a volume that is being made is deleted by force without a trace', async () => {
    const { body } = await cloud.call('member', 'POST', '/volumes', { volume: { size: 1 } });
    const { id } = body.volume;
    const answer = await cloud.call('admin', 'DELETE', `/volumes/${id}?force=true`);
    assert.equal(answer.status, 202);
    await cloud.settle();
    assert.equal((await cloud.call('admin', 'GET', `/volumes/${id}`)).status, 404);
    assert.equal(
      cloud.inspect().some((line) => line.includes(id)),
      false,
    );
    assert.deepEqual(await messages(id), []);
  });
});
