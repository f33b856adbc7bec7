import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { testContext } from '@cairn/kit/testing/world';
import { Cloud } from './cloud.fixture.ts';

const PROJECT = 'b0000000000000000000000000000001';

describe('volumes', () => {
  let cloud: Cloud;
  before(async () => {
    cloud = await Cloud.start();
  });
  after(() => cloud.close());

  test('a blank volume is accepted in creating and becomes available with a disk on a host', async () => {
    const answer = await cloud.call('member', 'POST', '/volumes', { volume: { size: 2, name: ' data ', metadata: { a: 'b' } } });
    assert.equal(answer.status, 202);
    const created = answer.body.volume;
    assert.equal(created.status, 'creating');
    assert.equal(created.name, 'data');
    assert.equal(created.updated_at, null);
    assert.equal(created.volume_type, '__DEFAULT__');
    assert.equal(created.shared_targets, null);
    assert.deepEqual(created.metadata, { a: 'b' });
    assert.equal('os-vol-tenant-attr:tenant_id' in created, false);
    assert.equal(created.links[0].href, `${cloud.front.url}/volume/v3/volumes/${created.id}`);
    await cloud.settle();
    const { volume } = await cloud.show('member', `/volumes/${created.id}`);
    assert.equal(volume.status, 'available');
    assert.equal(volume['os-vol-tenant-attr:tenant_id'], PROJECT);
    assert.equal('os-vol-host-attr:host' in volume, false);
    assert.deepEqual(
      cloud.inspect().filter((line) => line.includes(created.id)),
      [`disk ${created.id} volume ${2 * 2 ** 30}`],
    );
    const asAdmin = (await cloud.show('admin', `/volumes/${created.id}`)).volume;
    assert.equal(asAdmin['os-vol-host-attr:host'], 'host1@cairn#cairn');
    assert.equal(asAdmin.migration_status, null);
  });

  test('the project may stand in the path, must be the own one, and is then in links', async () => {
    const { status, body } = await cloud.call('member', 'POST', `/${PROJECT}/volumes`, { volume: { size: 1 } });
    assert.equal(status, 202);
    assert.equal(body.volume.links[0].href, `${cloud.front.url}/volume/v3/${PROJECT}/volumes/${body.volume.id}`);
    assert.equal(body.volume.links[1].href, `${cloud.front.url}/volume/${PROJECT}/volumes/${body.volume.id}`);
    const other = await cloud.call('member', 'GET', '/b0000000000000000000000000000002/volumes');
    assert.deepEqual([other.status, other.body], [400, { badRequest: { code: 400, message: 'Malformed request url' } }]);
    assert.equal((await cloud.call('member', 'GET', '/no-project/volumes')).status, 404);
    await cloud.settle();
  });

  test("another project's volume is not there, for administrators it is", async () => {
    const id = await cloud.volume('member');
    const hidden = await cloud.call('other', 'GET', `/volumes/${id}`);
    assert.deepEqual([hidden.status, hidden.body], [404, { itemNotFound: { code: 404, message: `Volume ${id} could not be found.` } }]);
    assert.equal((await cloud.call('other', 'DELETE', `/volumes/${id}`)).status, 404);
    assert.equal((await cloud.call('admin', 'GET', `/volumes/${id}`)).status, 200);
    assert.equal((await cloud.call('reader', 'DELETE', `/volumes/${id}`)).status, 403);
  });

  test('microversions decide what a volume shows', async () => {
    const id = await cloud.volume('member');
    const keys = async (version: string, who = 'member'): Promise<Set<string>> =>
      new Set(Object.keys((await cloud.call(who, 'GET', `/volumes/${id}`, undefined, version)).body.volume));
    const [base, v313, v348, v363, v365] = await Promise.all(['3.0', '3.13', '3.48', '3.63', '3.65'].map((version) => keys(version)));
    assert.equal(base?.has('group_id'), false);
    assert.equal(v313?.has('group_id'), true);
    assert.equal(v313?.has('shared_targets'), false);
    assert.equal(v348?.has('service_uuid'), true);
    assert.equal(v363?.has('volume_type_id'), true);
    assert.equal(v365?.has('consumes_quota'), true);
    assert.equal(v365?.has('provider_id'), false);
    assert.equal((await keys('3.21', 'admin')).has('provider_id'), true);
    assert.equal((await keys('3.61', 'admin')).has('cluster_name'), true);
  });

  test('from an image: bootable, with the metadata of the image', async () => {
    const imageId = await cloud.image(testContext(), 4096, { hw_disk_bus: 'virtio' });
    const id = await cloud.volume('member', { size: 1, imageRef: imageId });
    const { volume } = await cloud.show('member', `/volumes/${id}`);
    assert.equal(volume.status, 'available');
    assert.equal(volume.bootable, 'true');
    assert.equal(volume.volume_image_metadata.image_id, imageId);
    assert.equal(volume.volume_image_metadata.hw_disk_bus, 'virtio');
    assert.equal(volume.volume_image_metadata.size, '4096');
    const byName = await cloud.volume('member', { size: 1, imageRef: `image-${imageId}` });
    assert.equal((await cloud.show('member', `/volumes/${byName}`)).volume.volume_image_metadata.image_id, imageId);
    assert.equal((await cloud.call('member', 'POST', '/volumes', { volume: { size: 1, imageRef: 'no such name' } })).status, 400);
  });

  test('an image that does not fit, is not there or belongs to others is refused before anything is made', async () => {
    const before = cloud.inspect();
    const large = await cloud.image(testContext(), 1024);
    await cloud.world.env.store.write((tx) => cloud.glance.face.setProperties(tx, large, { min: '1' }));
    const missing = await cloud.call('member', 'POST', '/volumes', { volume: { size: 1, imageRef: 'f0000000-0000-4000-8000-000000000000' } });
    assert.deepEqual([missing.status, missing.body.badRequest.message], [400, 'Invalid image identifier or unable to access requested image.']);
    assert.equal((await cloud.call('other', 'POST', '/volumes', { volume: { size: 1, imageRef: large } })).status, 400);
    assert.deepEqual(cloud.inspect(), before);
  });

  test('from a volume and from a snapshot: size and type are theirs', async () => {
    const source = await cloud.volume('member', { size: 3 });
    const clone = await cloud.volume('member', { source_volid: source });
    assert.equal((await cloud.show('member', `/volumes/${clone}`)).volume.size, 3);
    const small = await cloud.call('member', 'POST', '/volumes', { volume: { source_volid: source, size: 2 } });
    assert.equal(small.status, 400);
    const both = await cloud.call('member', 'POST', '/volumes', { volume: { source_volid: source, imageRef: await cloud.image(testContext()) } });
    assert.equal(both.status, 400);
  });

  test('deletion removes row, disk and quota use', async () => {
    const id = await cloud.volume('other', { size: 7 });
    assert.equal((await cloud.call('other', 'DELETE', `/volumes/${id}`)).status, 202);
    await cloud.settle();
    assert.equal((await cloud.call('other', 'GET', `/volumes/${id}`)).status, 404);
    assert.equal(
      cloud.inspect().some((line) => line.includes(id)),
      false,
    );
    assert.deepEqual((await cloud.call('other', 'GET', '/volumes/summary')).body, { 'volume-summary': { total_count: 0, total_size: 0, metadata: {} } });
  });

  for (const [what, body] of [
    ['no size', { volume: {} }],
    ['size 0', { volume: { size: 0 } }],
    ['size as text that is no number', { volume: { size: '#$%' } }],
    ['size null', { volume: { size: null } }],
    ['a negative size', { volume: { size: -1 } }],
    ['no body', {}],
    ['an unknown field', { volume: { size: 1, nonsense: 1 } }],
    ['a zone that is not there', { volume: { size: 1, availability_zone: 'mars' } }],
    ['metadata that is no text', { volume: { size: 1, metadata: { a: 1 } } }],
    ['a name that is too long', { volume: { size: 1, name: 'x'.repeat(256) } }],
    ['multiattach', { volume: { size: 1, multiattach: true } }],
    ['a source that is no id', { volume: { size: 1, source_volid: 'x' } }],
  ] as const)
    test(`a request with ${what} is a 400`, async () => {
      const answer = await cloud.call('member', 'POST', '/volumes', body);
      assert.equal(answer.status, 400, JSON.stringify(answer.body));
      assert.equal(answer.body.badRequest.code, 400);
    });

  for (const [what, body] of [
    ['type', { size: 1, volume_type: 'nonesuch' }],
    ['snapshot', { size: 1, snapshot_id: 'f0000000-0000-4000-8000-000000000000' }],
    ['source volume', { size: 1, source_volid: 'f0000000-0000-4000-8000-000000000000' }],
  ] as const)
    test(`a ${what} that is not there is a 404`, async () => {
      assert.equal((await cloud.call('member', 'POST', '/volumes', { volume: body })).status, 404);
    });
});
