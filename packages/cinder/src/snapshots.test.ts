import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Cloud } from './cloud.fixture.ts';

describe('snapshots', () => {
  let cloud: Cloud;
  before(async () => {
    cloud = await Cloud.start({
      options: { quotaDefaults: { volumes: 100, per_volume_gigabytes: -1, snapshots: 5, gigabytes: 1000, backups: 10, backup_gigabytes: 1000, groups: 10 } },
    });
  });
  after(() => cloud.close());

  const make = async (volumeId: string, more: object = {}): Promise<string> => {
    const answer = await cloud.call('member', 'POST', '/snapshots', { snapshot: { volume_id: volumeId, ...more } });
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
    await cloud.settle();
    return answer.body.snapshot.id;
  };
  const remove = async (id: string): Promise<void> => {
    assert.equal((await cloud.call('member', 'DELETE', `/snapshots/${id}`)).status, 202);
    await cloud.settle();
  };

  test('a snapshot is made, shown, changed, used for a volume, and deleted', async () => {
    const volumeId = await cloud.volume('member', { size: 2 });
    const id = await make(volumeId, { name: 'one', description: 'first', metadata: { a: 'b' } });
    const { snapshot } = await cloud.show('member', `/snapshots/${id}`);
    assert.deepEqual(
      [snapshot.status, snapshot.size, snapshot['os-extended-snapshot-attributes:progress'], snapshot.metadata],
      ['available', 2, '100%', { a: 'b' }],
    );
    assert.ok(cloud.inspect().some((line) => line.includes(`snapshot ${id}`)));
    const changed = await cloud.call('member', 'PUT', `/snapshots/${id}`, { snapshot: { name: 'two' } });
    assert.deepEqual([changed.status, changed.body.snapshot.name, changed.body.snapshot.description], [200, 'two', 'first']);
    assert.equal((await cloud.call('member', 'PUT', `/snapshots/${id}`, { snapshot: {} })).status, 400);
    const clone = await cloud.volume('member', { snapshot_id: id });
    assert.deepEqual(
      [(await cloud.show('member', `/volumes/${clone}`)).volume.snapshot_id, (await cloud.show('member', `/volumes/${clone}`)).volume.size],
      [id, 2],
    );
    assert.equal((await cloud.call('member', 'POST', '/volumes', { volume: { snapshot_id: id, size: 1 } })).status, 400);
    assert.equal((await cloud.call('member', 'DELETE', `/volumes/${volumeId}`)).status, 400);
    await remove(id);
    assert.equal((await cloud.call('member', 'GET', `/snapshots/${id}`)).status, 404);
    assert.equal(
      cloud.inspect().some((line) => line.includes(id)),
      false,
    );
  });

  test('another project does not see it', async () => {
    const id = await make(await cloud.volume('member'));
    assert.equal((await cloud.call('other', 'GET', `/snapshots/${id}`)).status, 404);
    assert.equal((await cloud.call('other', 'DELETE', `/snapshots/${id}`)).status, 404);
    await remove(id);
  });

  test('a volume goes with its snapshots when asked to cascade', async () => {
    const volumeId = await cloud.volume('member');
    const ids = [await make(volumeId), await make(volumeId)];
    assert.equal((await cloud.call('member', 'DELETE', `/volumes/${volumeId}?cascade=true`)).status, 202);
    await cloud.settle();
    for (const id of ids) assert.equal((await cloud.call('member', 'GET', `/snapshots/${id}`)).status, 404);
    assert.equal((await cloud.show('member', '/limits')).limits.absolute.totalSnapshotsUsed, 0);
  });

  test('a volume in use is snapshotted with force, and from 3.66 on without', async () => {
    const volumeId = await cloud.volume('member');
    await cloud.call('member', 'POST', `/volumes/${volumeId}/action`, {
      'os-attach': { instance_uuid: 'f0000000-0000-4000-8000-000000000001', mountpoint: '/dev/vdb' },
    });
    const post = (body: object, version: string) => cloud.call('member', 'POST', '/snapshots', { snapshot: { volume_id: volumeId, ...body } }, version);
    assert.equal((await post({}, '3.65')).status, 400);
    const forced = await post({ force: true }, '3.65');
    assert.equal(forced.status, 202);
    await cloud.settle();
    assert.equal((await post({ force: false }, '3.66')).status, 400);
    const plain = await post({}, '3.66');
    assert.equal(plain.status, 202);
    await cloud.settle();
    for (const answer of [forced, plain]) await remove(answer.body.snapshot.id);
  });

  test('the quota of snapshots holds', async () => {
    const volumeId = await cloud.volume('member');
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) ids.push(await make(volumeId));
    const sixth = await cloud.call('member', 'POST', '/snapshots', { snapshot: { volume_id: volumeId } });
    assert.deepEqual(
      [sixth.status, sixth.body],
      [413, { overLimit: { code: 413, message: 'SnapshotLimitExceeded: Maximum number of snapshots allowed (5) exceeded', retryAfter: '0' } }],
    );
    for (const id of ids) await remove(id);
  });

  test('the status is set by administrators, and reported by members while it is made', async () => {
    const id = await make(await cloud.volume('member'));
    const act = (body: object, who: string) => cloud.call(who, 'POST', `/snapshots/${id}/action`, body);
    assert.equal((await act({ 'os-reset_status': { status: 'error' } }, 'member')).status, 403);
    assert.equal((await act({ 'os-reset_status': { status: 'creating' } }, 'admin')).status, 202);
    assert.equal((await act({ 'os-reset_status': { status: 'odd' } }, 'admin')).status, 400);
    assert.equal((await act({ 'os-update_snapshot_status': { status: 'error_deleting' } }, 'member')).status, 400);
    assert.equal((await act({ 'os-update_snapshot_status': { status: 'creating', progress: '80%' } }, 'member')).status, 202);
    assert.equal((await act({ 'os-update_snapshot_status': { status: 'creating', progress: '180%' } }, 'member')).status, 400);
    assert.equal((await cloud.show('member', `/snapshots/${id}`)).snapshot['os-extended-snapshot-attributes:progress'], '80%');
    assert.equal((await cloud.call('member', 'DELETE', `/snapshots/${id}`)).status, 400);
    assert.equal((await act({ 'os-force_delete': {} }, 'admin')).status, 202);
    await cloud.settle();
    assert.equal((await cloud.call('member', 'GET', `/snapshots/${id}`)).status, 404);
  });

  for (const [what, body, status] of [
    ['no volume', {}, 400],
    ['a volume that is not there', { volume_id: 'f0000000-0000-4000-8000-000000000000' }, 404],
    ['null as volume', { volume_id: null }, 404],
    ['a name that is too long', { volume_id: 'f0000000-0000-4000-8000-000000000000', name: 'x'.repeat(256) }, 400],
    ['an unknown field', { volume_id: 'f0000000-0000-4000-8000-000000000000', odd: 1 }, 400],
  ] as const)
    test(`a request with ${what} is ${status}`, async () =>
      assert.equal((await cloud.call('member', 'POST', '/snapshots', { snapshot: body })).status, status));
});

describe('metadata of volumes and snapshots', () => {
  let cloud: Cloud;
  let volumeId: string;
  before(async () => {
    cloud = await Cloud.start();
    volumeId = await cloud.volume('member', { size: 1, metadata: { a: '1' } });
  });
  after(() => cloud.close());

  for (const kind of ['volumes', 'snapshots'] as const)
    test(`items of ${kind} are added, set, replaced and removed`, async () => {
      let id = volumeId;
      if (kind === 'snapshots') {
        id = (await cloud.call('member', 'POST', '/snapshots', { snapshot: { volume_id: volumeId, metadata: { a: '1' } } })).body.snapshot.id;
        await cloud.settle();
      }
      const base = `/${kind}/${id}/metadata`;
      assert.deepEqual((await cloud.call('member', 'POST', base, { metadata: { b: '2' } })).body, { metadata: { a: '1', b: '2' } });
      assert.deepEqual((await cloud.call('member', 'PUT', `${base}/b`, { meta: { b: '3' } })).body, { meta: { b: '3' } });
      assert.equal((await cloud.call('member', 'PUT', `${base}/b`, { meta: { c: '3' } })).status, 400);
      assert.deepEqual((await cloud.call('member', 'GET', `${base}/b`)).body, { meta: { b: '3' } });
      assert.deepEqual((await cloud.call('member', 'PUT', base, { metadata: { z: '9' } })).body, { metadata: { z: '9' } });
      assert.equal((await cloud.call('member', 'GET', `${base}/b`)).status, 404);
      assert.equal((await cloud.call('member', 'DELETE', `${base}/z`)).status, 200);
      assert.equal((await cloud.call('member', 'DELETE', `${base}/z`)).status, 404);
      assert.deepEqual((await cloud.call('member', 'GET', base)).body, { metadata: {} });
      assert.equal((await cloud.call('member', 'POST', base, { metadata: { k: 5 } })).status, 400);
      assert.equal((await cloud.call('member', 'POST', base, { metadata: { ['k'.repeat(256)]: 'v' } })).status, 400);
      assert.equal((await cloud.call('reader', 'POST', base, { metadata: { k: 'v' } })).status, 403);
      assert.equal((await cloud.call('other', 'GET', base)).status, 404);
    });

  test("volumes' metadata carries an ETag that guards changes", async () => {
    const base = `/volumes/${volumeId}/metadata`;
    await cloud.call('member', 'PUT', base, { metadata: { key: 'v\u00e9' } });
    const read = await cloud.call('member', 'GET', base);
    const etag = read.headers.get('etag') ?? '';
    // md5 of {"metadata": {"key": "v\u00e9"}} as Python writes it
    assert.equal(etag, '1a84fd3e48cf4fa57487012a1a8aff52');
    assert.deepEqual(read.body, { metadata: { key: 'v\u00e9' } });
    const put = (ifMatch: string) =>
      cloud.front.call('member', 'PUT', `/volume/v3${base}/key`, { meta: { key: 'w' } }, { 'openstack-api-version': 'volume 3.15', 'if-match': ifMatch });
    assert.equal((await put('"0000"')).status, 412);
    assert.equal((await put(`"${etag}"`)).status, 200);
    assert.equal((await cloud.call('member', 'GET', base, undefined, '3.14')).headers.get('etag'), null);
  });
});
