import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { on } from '@cairn/kit/store/store';
import { testContext } from '@cairn/kit/testing/world';
import { Cloud } from './cloud.fixture.ts';
import type { CinderTables, KeyRow } from './store/tables.ts';

const GIB = 2 ** 30;
const SPECS = { provider: 'luks', control_location: 'front-end', cipher: 'aes-xts-plain64', key_size: 256 };

describe('encrypted volumes', () => {
  let cloud: Cloud;
  before(async () => {
    cloud = await Cloud.start({ hosts: ['host1', 'host2'] });
    await type('secret', SPECS);
  });
  after(() => cloud.close());

  async function type(name: string, encryption?: object, extraSpecs: object = {}): Promise<string> {
    const { body } = await cloud.call('admin', 'POST', '/types', { volume_type: { name, extra_specs: extraSpecs } });
    const id = body.volume_type.id as string;
    if (encryption) assert.equal((await cloud.call('admin', 'POST', `/types/${id}/encryption`, { encryption })).status, 200);
    return id;
  }
  const keys = (): Promise<KeyRow[]> => on<CinderTables>(cloud.world.env.store.read).selectFrom('cinder_key').selectAll().execute();
  const keyOf = async (volumeId: string): Promise<string> => (await cloud.show('admin', `/volumes/${volumeId}`)).volume.encryption_key_id as string;
  const secretOf = (keyId: string): Promise<string> => cloud.cinder.face.diskKey(keyId);
  const diskOf = async (volumeId: string): Promise<string | undefined> => cloud.inspect().find((line) => line.startsWith(`disk ${volumeId} `));
  const remove = async (path: string): Promise<void> => {
    assert.equal((await cloud.call('admin', 'DELETE', path)).status, 202);
    await cloud.settle();
  };

  test('a volume has a disk that is encrypted, and a secret of its own that nobody is told', async () => {
    const id = await cloud.volume('member', { size: 1, volume_type: 'secret' });
    const volume = (await cloud.show('member', `/volumes/${id}`)).volume;
    assert.deepEqual([volume.status, volume.encrypted], ['available', true]);
    assert.equal(await diskOf(id), `disk ${id} volume ${GIB} encrypted`);
    const secret = await secretOf(volume.encryption_key_id);
    assert.match(secret, /^[0-9a-f]{64}$/);
    const [row] = await keys();
    assert.ok(row && !row.sealed.includes(secret));
    assert.deepEqual(await cloud.show('member', `/volumes/${id}/encryption`), { encryption_key_id: volume.encryption_key_id, ...SPECS });
    assert.equal((await cloud.call('member', 'GET', `/volumes/${id}/encryption/key_size`)).body, 256);
    const other = await cloud.volume('member', { size: 1, volume_type: 'secret' });
    assert.notEqual(await secretOf(await keyOf(other)), secret);

    const { body } = await cloud.call('admin', 'POST', `/volumes/${id}/action`, { 'os-initialize_connection': { connector: { host: 'host1' } } });
    assert.equal(body.connection_info.data.encrypted, true);
    const attached = await cloud.call('admin', 'POST', '/attachments', {
      attachment: { volume_uuid: id, instance_uuid: other, connector: { host: 'host1' } },
    });
    assert.equal(attached.body.attachment.connection_info.encrypted, true);
    const everything = JSON.stringify([attached.body, await cloud.world.env.events.since(cloud.world.env.store.read, 0, 1000)]);
    assert.equal(everything.includes(secret), false);
    assert.equal((await cloud.call('admin', 'DELETE', `/attachments/${attached.body.attachment.id}`)).status, 200);

    await remove(`/volumes/${id}`);
    await remove(`/volumes/${other}`);
    assert.deepEqual(await keys(), []);
  });

  test('copies have the same secret under keys of their own, and are of the same encryption', async () => {
    const id = await cloud.volume('member', { size: 1, volume_type: 'secret' });
    const { body } = await cloud.call('member', 'POST', '/snapshots', { snapshot: { volume_id: id } });
    await cloud.settle();
    const secret = await secretOf(await keyOf(id));
    for (const origin of [{ source_volid: id }, { snapshot_id: body.snapshot.id }]) {
      const copy = await cloud.volume('member', { size: 2, ...origin });
      assert.match((await diskOf(copy)) ?? '', / encrypted$/);
      assert.notEqual(await keyOf(copy), await keyOf(id));
      assert.equal(await secretOf(await keyOf(copy)), secret);
      const clear = await cloud.call('member', 'POST', '/volumes', { volume: { size: 2, ...origin, volume_type: '__DEFAULT__' } });
      assert.equal(clear.status, 400);
      assert.match(clear.body.badRequest.message, /requested type is not compatible/);
      await remove(`/volumes/${copy}`);
    }
    const clear = await cloud.volume('member', { size: 1 });
    assert.equal((await cloud.call('member', 'POST', '/volumes', { volume: { size: 1, source_volid: clear, volume_type: 'secret' } })).status, 400);
    await remove(`/volumes/${clear}`);
    await remove(`/snapshots/${body.snapshot.id}`);
    await remove(`/volumes/${id}`);
    assert.deepEqual(await keys(), []);
  });

  test('an image is encrypted; an image of an encrypted volume names its key, which goes with it', async () => {
    const plain = await cloud.image(testContext(), 4096);
    const id = await cloud.volume('member', { size: 1, volume_type: 'secret', imageRef: plain });
    assert.match((await diskOf(id)) ?? '', / encrypted$/);
    const answer = await cloud.call('member', 'POST', `/volumes/${id}/action`, { 'os-volume_upload_image': { image_name: 'copy' } });
    await cloud.settle();
    const imageId = answer.body['os-volume_upload_image'].image_id as string;
    const image = (await cloud.front.call('member', 'GET', `/image/v2/images/${imageId}`)).body;
    assert.deepEqual([image.status, image.cinder_encryption_key_deletion_policy], ['active', 'on_image_deletion']);
    const secret = await secretOf(await keyOf(id));
    assert.notEqual(image.cinder_encryption_key_id, await keyOf(id));
    assert.equal(await secretOf(image.cinder_encryption_key_id), secret);

    const again = await cloud.volume('member', { size: 1, volume_type: 'secret', imageRef: imageId });
    assert.equal((await cloud.show('member', `/volumes/${again}`)).volume.status, 'available');
    assert.equal(await secretOf(await keyOf(again)), secret);
    const reimage = await cloud.call('member', 'POST', `/volumes/${again}/action`, { 'os-reimage': { image_id: imageId } });
    assert.equal(reimage.status, 400);

    // a key that is another project's is no key of an image of one's own
    const stolen = await cloud.image(testContext({ projectId: 'b0000000000000000000000000000002' }), 4096, {
      cinder_encryption_key_id: image.cinder_encryption_key_id as string,
    });
    const refused = await cloud.call('other', 'POST', '/volumes', { volume: { size: 1, volume_type: 'secret', imageRef: stolen } });
    assert.equal(refused.status, 400);
    assert.match(refused.body.badRequest.message, /is not this project's/);

    await remove(`/volumes/${id}`);
    await remove(`/volumes/${again}`);
    assert.deepEqual((await keys()).length, 1);
    assert.equal((await cloud.front.call('member', 'DELETE', `/image/v2/images/${imageId}`)).status, 204);
    for (let i = 0; i < 200 && (await keys()).length > 0; i++) await new Promise((resolve) => setTimeout(resolve, 25));
    assert.deepEqual(await keys(), []);
  });

  test('a backup holds what is stored and has a key; what it is restored to has its secret', async () => {
    const id = await cloud.volume('member', { size: 1, volume_type: 'secret' });
    const secret = await secretOf(await keyOf(id));
    const made = await cloud.call('member', 'POST', '/backups', { backup: { volume_id: id } });
    await cloud.settle();
    const backup = (await cloud.show('member', `/backups/${made.body.backup.id}`)).backup;
    assert.equal(backup.status, 'available');
    assert.equal(await secretOf(backup.encryption_key_id), secret);
    assert.notEqual(backup.encryption_key_id, await keyOf(id));
    await remove(`/volumes/${id}`);

    const restored = await cloud.call('member', 'POST', `/backups/${backup.id}/restore`, { restore: {} });
    assert.equal(restored.status, 202);
    await cloud.settle();
    const volumeId = restored.body.restore.volume_id as string;
    const volume = (await cloud.show('member', `/volumes/${volumeId}`)).volume;
    assert.deepEqual([volume.status, volume.volume_type, volume.encrypted], ['available', 'secret', true]);
    assert.equal(await secretOf(volume.encryption_key_id), secret);
    assert.ok(cloud.inspect().some((line) => line.startsWith('disk ') && line.endsWith(' encrypted')));

    const clear = await cloud.volume('member', { size: 1 });
    const refused = await cloud.call('member', 'POST', `/backups/${backup.id}/restore`, { restore: { volume_id: clear } });
    assert.equal(refused.status, 400);
    for (const path of [`/volumes/${clear}`, `/volumes/${volumeId}`, `/backups/${backup.id}`]) await remove(path);
    assert.deepEqual(await keys(), []);
  });

  test('an encrypted volume moves to another storage with its key', async () => {
    const id = await cloud.volume('member', { size: 1, volume_type: 'secret' });
    const keyId = await keyOf(id);
    const at = (await cloud.show('admin', `/volumes/${id}`)).volume['os-vol-host-attr:host'] as string;
    const to = at.startsWith('host1') ? 'host2@cairn#cairn' : 'host1@cairn#cairn';
    assert.equal((await cloud.call('admin', 'POST', `/volumes/${id}/action`, { 'os-migrate_volume': { host: to } })).status, 202);
    await cloud.settle();
    const volume = (await cloud.show('admin', `/volumes/${id}`)).volume;
    assert.deepEqual([volume.migration_status, volume['os-vol-host-attr:host'], volume.encryption_key_id], ['success', to, keyId]);
    assert.ok(
      cloud
        .inspect()
        .filter((line) => line.startsWith('disk '))
        .every((line) => line.endsWith(' encrypted')),
    );
    await remove(`/volumes/${id}`);
    assert.deepEqual(await keys(), []);
  });

  test('who takes over a volume by a transfer has its key', async () => {
    const id = await cloud.volume('member', { size: 1, volume_type: 'secret' });
    const offer = (version: string, more: object = {}) => cloud.call('member', 'POST', '/volume-transfers', { transfer: { volume_id: id, ...more } }, version);
    assert.equal((await offer('3.69')).status, 400);
    assert.equal((await offer('3.70', { no_snapshots: true })).status, 400);
    const { id: transferId, auth_key: authKey } = (await offer('3.70')).body.transfer;
    assert.equal((await cloud.call('other', 'POST', `/volume-transfers/${transferId}/accept`, { accept: { auth_key: authKey } })).status, 202);
    assert.deepEqual(
      (await keys()).map((row) => row.project_id),
      ['b0000000000000000000000000000002'],
    );
    await remove(`/volumes/${id}`);
  });

  test('what is not served is refused, never made in the clear', async () => {
    const volumeOf = async (name: string) => cloud.call('member', 'POST', '/volumes', { volume: { size: 1, volume_type: name } });
    await type('luks2', { ...SPECS, provider: 'luks2' });
    await type('back-end', { ...SPECS, control_location: 'back-end' });
    await type('no cipher', { provider: 'luks', control_location: 'front-end' });
    await type('short', { ...SPECS, key_size: 128 });
    await type('many', SPECS, { multiattach: '<is> True' });
    await type('legacy', { ...SPECS, provider: 'nova.volume.encryptors.luks.LuksEncryptor', key_size: 512 });
    for (const [name, status, words] of [
      ['luks2', 409, /luks2.* is not served/],
      ['back-end', 409, /control_location back-end/],
      ['no cipher', 400, /Invalid encryption spec/],
      ['short', 400, /256 or 512 bits/],
      ['many', 400, /Multiattach cannot be used with encrypted volumes/],
    ] as const) {
      const answer = await volumeOf(name);
      assert.equal(answer.status, status, name);
      assert.match(JSON.stringify(answer.body), words);
    }
    assert.deepEqual(await keys(), []);
    const id = (await volumeOf('legacy')).body.volume.id as string;
    await cloud.settle();
    assert.match(await secretOf(await keyOf(id)), /^[0-9a-f]{128}$/);
    const managed = await cloud.call('admin', 'POST', '/manageable_volumes', {
      volume: { host: 'host1@cairn#cairn', ref: { 'source-name': 'x' }, volume_type: 'secret' },
    });
    assert.equal(managed.status, 400);
    assert.equal((await cloud.call('admin', 'POST', `/volumes/${id}/action`, { 'os-unmanage': {} })).status, 400);
    await remove(`/volumes/${id}`);
  });

  test('keys are sealed anew when asked', async () => {
    const id = await cloud.volume('member', { size: 1, volume_type: 'secret' });
    const secret = await secretOf(await keyOf(id));
    assert.equal(await cloud.cinder.resealKeys(), 1);
    assert.equal(await secretOf(await keyOf(id)), secret);
  });
});
