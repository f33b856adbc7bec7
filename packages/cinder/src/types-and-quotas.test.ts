import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { engines } from '@cairn/kit/store/testing';
import { on } from '@cairn/kit/store/store';
import { Cloud } from './cloud.fixture.ts';
import type { CinderTables } from './store/tables.ts';

const PROJECT = 'b0000000000000000000000000000001';

describe('volume types', () => {
  let cloud: Cloud;
  before(async () => {
    cloud = await Cloud.start();
  });
  after(() => cloud.close());
  const make = async (body: object): Promise<string> => {
    const answer = await cloud.call('admin', 'POST', '/types', { volume_type: body });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body.volume_type.id;
  };

  test('there is a default from the start', async () => {
    const { volume_type: type } = await cloud.show('member', '/types/default');
    assert.deepEqual([type.name, type.is_public, type.extra_specs], ['__DEFAULT__', true, {}]);
    assert.equal((await cloud.call('admin', 'DELETE', `/types/${type.id}`)).status, 400);
  });

  test('made, changed and deleted by administrators alone; names are unique', async () => {
    const id = await make({ name: 'gold', description: 'fast', extra_specs: { speed: 'high', multiattach: '<is> True' } });
    assert.equal((await cloud.call('admin', 'POST', '/types', { volume_type: { name: 'gold' } })).status, 409);
    assert.equal((await cloud.call('member', 'POST', '/types', { volume_type: { name: 'lead' } })).status, 403);
    assert.equal((await cloud.call('admin', 'POST', '/types', { volume_type: { name: '' } })).status, 400);
    const seen = (await cloud.show('member', `/types/${id}`)).volume_type;
    assert.deepEqual(seen.extra_specs, { multiattach: '<is> True' }, 'users see no specs that tell of the storage');
    assert.equal('qos_specs_id' in seen, false);
    assert.deepEqual((await cloud.show('admin', `/types/${id}`)).volume_type.extra_specs, { speed: 'high', multiattach: '<is> True' });
    const changed = await cloud.call('admin', 'PUT', `/types/${id}`, { volume_type: { name: 'golden', is_public: true } });
    assert.deepEqual([changed.status, changed.body.volume_type.name], [200, 'golden']);
    assert.equal((await cloud.call('admin', 'PUT', `/types/${id}`, { volume_type: {} })).status, 400);
    assert.equal((await cloud.call('admin', 'PUT', `/types/${id}`, { volume_type: { name: '  ' } })).status, 400);
    assert.equal((await cloud.call('admin', 'PUT', `/types/${id}`, { volume_type: { name: '__DEFAULT__' } })).status, 409);
    assert.equal((await cloud.call('admin', 'DELETE', `/types/${id}`)).status, 202);
    assert.equal((await cloud.call('admin', 'GET', `/types/${id}`)).status, 404);
  });

  test('a type with volumes keeps its specs and stays', async () => {
    const id = await make({ name: 'used' });
    const volumeId = await cloud.volume('member', { size: 1, volume_type: 'used' });
    assert.equal((await cloud.show('member', `/volumes/${volumeId}`)).volume.volume_type_id, id);
    assert.equal((await cloud.call('admin', 'DELETE', `/types/${id}`)).status, 400);
    assert.equal((await cloud.call('admin', 'POST', `/types/${id}/extra_specs`, { extra_specs: { a: 'b' } })).status, 400);
    await cloud.call('member', 'DELETE', `/volumes/${volumeId}`);
    await cloud.settle();
    assert.equal((await cloud.call('admin', 'DELETE', `/types/${id}`)).status, 202);
  });

  test('extra specs one by one', async () => {
    const id = await make({ name: 'specs' });
    const base = `/types/${id}/extra_specs`;
    assert.deepEqual((await cloud.call('admin', 'POST', base, { extra_specs: { a: 'b' } })).body, { extra_specs: { a: 'b' } });
    assert.deepEqual((await cloud.call('admin', 'PUT', `${base}/a`, { a: 'c' })).body, { a: 'c' });
    assert.equal((await cloud.call('admin', 'PUT', `${base}/a`, { x: 'c' })).status, 400);
    assert.equal((await cloud.call('admin', 'PUT', `${base}/a`, { a: 'c', b: 'd' })).status, 400);
    assert.deepEqual((await cloud.call('admin', 'GET', `${base}/a`)).body, { a: 'c' });
    assert.equal((await cloud.call('member', 'GET', `${base}/a`)).status, 404);
    assert.equal((await cloud.call('member', 'POST', base, { extra_specs: { a: 'b' } })).status, 403);
    assert.equal((await cloud.call('admin', 'POST', base, { extra_specs: { 'no spaces': 'b' } })).status, 400);
    assert.equal((await cloud.call('admin', 'DELETE', `${base}/a`)).status, 202);
    assert.equal((await cloud.call('admin', 'DELETE', `${base}/a`)).status, 404);
    assert.equal((await cloud.call('admin', 'GET', '/types/f0000000-0000-4000-8000-000000000000/extra_specs')).status, 404);
  });

  test('a private type is for those who were let in', async () => {
    const id = await make({ name: 'private', 'os-volume-type-access:is_public': false });
    const names = async (who: string, query = ''): Promise<string[]> =>
      (await cloud.show(who, `/types${query}`)).volume_types.map((type: { name: string }) => type.name);
    assert.equal((await names('member')).includes('private'), false);
    assert.equal((await cloud.call('member', 'GET', `/types/${id}`)).status, 404);
    assert.equal((await cloud.call('member', 'POST', '/volumes', { volume: { size: 1, volume_type: 'private' } })).status, 404);
    assert.deepEqual(await names('admin', '?is_public=False'), ['private']);
    assert.equal((await names('admin', '?is_public=None')).includes('private'), true);
    assert.equal((await cloud.call('admin', 'GET', '/types?is_public=odd')).status, 400);
    const act = (body: object) => cloud.call('admin', 'POST', `/types/${id}/action`, body);
    assert.equal((await act({ addProjectAccess: { project: PROJECT } })).status, 202);
    assert.equal((await act({ addProjectAccess: { project: PROJECT } })).status, 409);
    assert.deepEqual((await cloud.show('admin', `/types/${id}/os-volume-type-access`)).volume_type_access, [{ volume_type_id: id, project_id: PROJECT }]);
    assert.equal((await names('member')).includes('private'), true);
    assert.equal((await act({ removeProjectAccess: { project: PROJECT } })).status, 202);
    assert.equal((await act({ removeProjectAccess: { project: PROJECT } })).status, 404);
    const { volume_type: open } = await cloud.show('admin', '/types/default');
    assert.equal((await cloud.call('admin', 'GET', `/types/${open.id}/os-volume-type-access`)).status, 404);
    assert.equal((await cloud.call('admin', 'POST', `/types/${open.id}/action`, { addProjectAccess: { project: PROJECT } })).status, 400);
  });

  test('types are found by extra specs, but not by specs that the caller may not see', async () => {
    await make({ name: 'findable', extra_specs: { secret: 'yes', multiattach: '<is> True' } });
    const names = async (who: string, specs: string): Promise<string[]> =>
      (await cloud.show(who, `/types?extra_specs=${encodeURIComponent(specs)}`)).volume_types.map((type: { name: string }) => type.name);
    assert.deepEqual(await names('admin', "{'secret':'yes'}"), ['findable']);
    assert.deepEqual(await names('member', "{'secret':'yes'}"), []);
    assert.deepEqual(await names('member', "{'multiattach':'<is> True'}"), ['findable']);
  });

  test('extra specs limit sizes', async () => {
    await make({ name: 'sized', extra_specs: { 'provisioning:min_vol_size': '2', 'provisioning:max_vol_size': '4' } });
    const create = (size: number) => cloud.call('member', 'POST', '/volumes', { volume: { size, volume_type: 'sized' } });
    assert.equal((await create(1)).status, 400);
    assert.equal((await create(5)).status, 400);
    const made = await create(3);
    assert.equal(made.status, 202);
    await cloud.settle();
    assert.equal((await cloud.call('member', 'POST', `/volumes/${made.body.volume.id}/action`, { 'os-extend': { new_size: 5 } })).status, 400);
  });

  test('a volume of a type that no storage satisfies goes to error with a message', async () => {
    await make({ name: 'impossible', extra_specs: { vendor_name: 'Acme' } });
    const id = await cloud.volume('member', { size: 1, volume_type: 'impossible' });
    assert.equal((await cloud.show('member', `/volumes/${id}`)).volume.status, 'error');
    assert.equal((await cloud.show('member', `/messages?resource_uuid=${id}`)).messages[0].event_id, 'VOLUME_VOLUME_001_003');
  });

  test('a project may have a default of its own', async () => {
    const id = await make({ name: 'own-default' });
    const set = (project: string, type: string) => cloud.call('admin', 'PUT', `/default-types/${project}`, { default_type: { volume_type: type } });
    assert.deepEqual((await set(PROJECT, 'own-default')).body, { default_type: { project_id: PROJECT, volume_type_id: id } });
    assert.equal((await set('b0000000000000000000000000000009', 'own-default')).status, 404);
    assert.equal((await set(PROJECT, 'nonesuch')).status, 400);
    assert.equal((await cloud.show('member', '/types/default')).volume_type.name, 'own-default');
    const { body } = await cloud.call('member', 'POST', '/volumes', { volume: { size: 1 } });
    assert.equal(body.volume.volume_type, 'own-default');
    await cloud.settle();
    assert.equal((await cloud.call('admin', 'DELETE', `/types/${id}`)).status, 400);
    assert.deepEqual((await cloud.show('admin', '/default-types')).default_types, [{ project_id: PROJECT, volume_type_id: id }]);
    assert.equal((await cloud.call('member', 'GET', '/default-types')).status, 403);
    assert.equal((await cloud.call('admin', 'DELETE', `/default-types/${PROJECT}`)).status, 204);
    assert.equal((await cloud.call('admin', 'GET', `/default-types/${PROJECT}`)).status, 404);
    assert.equal((await cloud.call('admin', 'GET', '/default-types', undefined, '3.61')).status, 404);
  });
});

for (const engine of engines())
  describe(`quotas on ${engine}`, () => {
    let cloud: Cloud;
    before(async () => {
      cloud = await Cloud.start({ engine });
    });
    after(() => cloud.close());

    test('are shown with and without use, defaults apart', async () => {
      await cloud.volume('member', { size: 4 });
      const { quota_set: plain } = await cloud.show('member', `/os-quota-sets/${PROJECT}`);
      assert.deepEqual(
        [plain.volumes, plain.gigabytes, plain.per_volume_gigabytes, plain.gigabytes___DEFAULT__, plain.groups, plain.id],
        [10, 1000, -1, -1, 10, PROJECT],
      );
      const { quota_set: usage } = await cloud.show('member', `/os-quota-sets/${PROJECT}?usage=True`);
      assert.deepEqual(usage.gigabytes, { limit: 1000, in_use: 4, reserved: 0 });
      assert.deepEqual(usage.volumes___DEFAULT__, { limit: -1, in_use: 1, reserved: 0 });
      assert.equal((await cloud.call('member', 'GET', '/os-quota-sets/b0000000000000000000000000000002')).status, 403);
      assert.equal((await cloud.show('admin', `/os-quota-sets/${PROJECT}/defaults`)).quota_set.volumes, 10);
    });

    test('are set by administrators, checked, and forgotten again', async () => {
      const put = (set: object, who = 'admin') => cloud.call(who, 'PUT', `/os-quota-sets/${PROJECT}`, { quota_set: set });
      assert.equal((await put({ volumes: 5 }, 'member')).status, 403);
      assert.deepEqual((await put({ volumes: 2, gigabytes___DEFAULT__: 6 })).body.quota_set.volumes, 2);
      for (const bad of [{ nonsense: 1 }, { volumes: 'x' }, { volumes: -2 }, {}, { volumes: 0 }])
        assert.equal((await put(bad)).status, 400, JSON.stringify(bad));
      const tooMuch = await cloud.call('member', 'POST', '/volumes', { volume: { size: 3 } });
      assert.equal(tooMuch.status, 413);
      assert.equal(
        tooMuch.body.overLimit.message,
        'VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes___DEFAULT__ quota. Requested 3G, quota is 6G and 4G has been consumed.',
      );
      await cloud.volume('member', { size: 1 });
      const third = await cloud.call('member', 'POST', '/volumes', { volume: { size: 1 } });
      assert.equal(third.body.overLimit.message, "VolumeLimitExceeded: Maximum number of volumes allowed (2) exceeded for quota 'volumes'.");
      assert.equal((await cloud.call('admin', 'DELETE', `/os-quota-sets/${PROJECT}`)).status, 200);
      assert.equal((await cloud.show('member', `/os-quota-sets/${PROJECT}`)).quota_set.volumes, 10);
    });

    test('the class default holds for those without their own', async () => {
      assert.equal((await cloud.call('admin', 'PUT', '/os-quota-class-sets/default', { quota_class_set: { snapshots: 3 } })).body.quota_class_set.snapshots, 3);
      assert.equal((await cloud.show('member', `/os-quota-sets/${PROJECT}`)).quota_set.snapshots, 3);
      assert.equal((await cloud.show('admin', '/os-quota-class-sets/default')).quota_class_set.id, 'default');
      assert.equal((await cloud.call('member', 'GET', '/os-quota-class-sets/default')).status, 403);
      assert.equal((await cloud.call('admin', 'PUT', '/os-quota-class-sets/default', { quota_class_set: { odd: 3 } })).status, 400);
    });

    test('requests at once do not overdraw', async () => {
      await cloud.call('admin', 'PUT', '/os-quota-sets/b0000000000000000000000000000002', { quota_set: { volumes: 3 } });
      const answers = await Promise.all(Array.from({ length: 8 }, () => cloud.call('other', 'POST', '/volumes', { volume: { size: 1 } })));
      assert.deepEqual(answers.map((answer) => answer.status).toSorted(), [202, 202, 202, 413, 413, 413, 413, 413]);
      await cloud.settle();
    });

    test('what is recorded as used is what the rows say, after all of this', async () => {
      const q = on<CinderTables>(cloud.world.env.store.read);
      const usage = await q.selectFrom('cinder_usage').selectAll().execute();
      const volumes = await q.selectFrom('cinder_volume').selectAll().execute();
      for (const line of usage) {
        const own = volumes.filter((row) => row.project_id === line.project_id && row.type_id === line.type_id);
        assert.deepEqual([line.volumes, line.volume_gb], [own.length, own.reduce((sum, row) => sum + row.size_gb, 0)]);
      }
      const [pool] = await q.selectFrom('cinder_pool').selectAll().execute();
      assert.deepEqual([pool?.volumes, pool?.provisioned_gb], [volumes.length, volumes.reduce((sum, row) => sum + row.size_gb, 0)]);
    });

    test('limits show both', async () => {
      const { absolute } = (await cloud.show('member', '/limits')).limits;
      assert.deepEqual([absolute.maxTotalVolumes, absolute.totalVolumesUsed, absolute.totalGigabytesUsed], [10, 2, 5]);
      assert.equal((await cloud.call('admin', 'GET', `/limits?project_id=${PROJECT}`)).body.limits.absolute.totalVolumesUsed, 2);
      assert.equal((await cloud.call('admin', 'GET', `/limits?project_id=${PROJECT}`, undefined, '3.38')).body.limits.absolute.totalVolumesUsed, 0);
    });
  });
