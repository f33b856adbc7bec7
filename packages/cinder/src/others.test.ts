import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Cloud } from './cloud.fixture.ts';

const SERVER = 'f0000000-0000-4000-8000-000000000001';

describe('attachments', () => {
  let cloud: Cloud;
  before(async () => {
    cloud = await Cloud.start();
  });
  after(() => cloud.close());

  test('reserved, connected, completed and deleted by whoever attaches volumes', async () => {
    const volumeId = await cloud.volume('member');
    const made = await cloud.call('member', 'POST', '/attachments', { attachment: { volume_uuid: volumeId, instance_uuid: SERVER } });
    assert.equal(made.status, 200);
    const { id } = made.body.attachment;
    assert.deepEqual(
      [
        made.body.attachment.status,
        made.body.attachment.attach_mode,
        made.body.attachment.connection_info,
        made.body.attachment.attached_at,
        made.body.attachment.detached_at,
      ],
      ['reserved', 'null', {}, '', ''],
    );
    assert.equal((await cloud.show('member', `/volumes/${volumeId}`)).volume.status, 'reserved');
    assert.equal(
      (await cloud.call('member', 'POST', '/attachments', { attachment: { volume_uuid: volumeId, instance_uuid: 'f0000000-0000-4000-8000-000000000002' } }))
        .status,
      400,
    );
    const updated = await cloud.call('member', 'PUT', `/attachments/${id}`, { attachment: { connector: { host: 'somewhere', ip: '10.0.0.1', mode: 'rw' } } });
    assert.deepEqual(
      [updated.status, updated.body.attachment.status, updated.body.attachment.connection_info.disk_id, updated.body.attachment.attach_mode],
      [200, 'attaching', volumeId, 'rw'],
    );
    assert.equal((await cloud.call('member', 'POST', `/attachments/${id}/action`, { 'os-complete': {} }, '3.43')).status, 404);
    assert.equal((await cloud.call('member', 'POST', `/attachments/${id}/action`, { 'os-complete': {} })).status, 204);
    assert.equal((await cloud.show('member', `/volumes/${volumeId}`)).volume.status, 'in-use');
    assert.deepEqual((await cloud.show('member', `/attachments?instance_id=${SERVER}`)).attachments, [
      { id, status: 'attached', instance: SERVER, volume_id: volumeId },
    ]);
    assert.deepEqual((await cloud.show('member', '/attachments?volume_id=f0000000-0000-4000-8000-00000000000f')).attachments, []);
    assert.equal((await cloud.call('other', 'GET', `/attachments/${id}`)).status, 404);
    assert.deepEqual((await cloud.show('other', '/attachments')).attachments, []);
    assert.equal((await cloud.show('admin', '/attachments/detail?all_tenants=1')).attachments.length, 1);
    assert.deepEqual((await cloud.call('member', 'DELETE', `/attachments/${id}`)).body, { attachments: [] });
    assert.equal((await cloud.show('member', `/volumes/${volumeId}`)).volume.status, 'available');
    assert.equal((await cloud.call('member', 'GET', `/attachments/${id}`)).status, 404);
  });

  test('a mode is said at once from 3.54 on; the API begins at 3.27', async () => {
    const volumeId = await cloud.volume('member');
    const body = { attachment: { volume_uuid: volumeId, instance_uuid: SERVER, mode: 'ro', connector: { host: 'h' } } };
    assert.equal((await cloud.call('member', 'POST', '/attachments', body, '3.53')).status, 400);
    assert.equal((await cloud.call('member', 'GET', '/attachments', undefined, '3.26')).status, 404);
    const made = await cloud.call('member', 'POST', '/attachments', body);
    assert.deepEqual([made.body.attachment.attach_mode, made.body.attachment.connection_info.access_mode], ['ro', 'ro']);
  });

  for (const [what, body, status] of [
    ['no volume', {}, 400],
    ['a volume that is not there', { volume_uuid: 'f0000000-0000-4000-8000-000000000000' }, 404],
    ['a connector that is no object', { volume_uuid: 'f0000000-0000-4000-8000-000000000000', connector: 'x' }, 400],
  ] as const)
    test(`a request with ${what} is ${status}`, async () =>
      assert.equal((await cloud.call('member', 'POST', '/attachments', { attachment: body })).status, status));
});

describe('transfers', () => {
  let cloud: Cloud;
  before(async () => {
    cloud = await Cloud.start();
  });
  after(() => cloud.close());

  test('a volume goes with its snapshots and its quota use to whoever has the key', async () => {
    const volumeId = await cloud.volume('member', { size: 2 });
    await cloud.call('member', 'POST', '/snapshots', { snapshot: { volume_id: volumeId } });
    await cloud.settle();
    const made = await cloud.call('member', 'POST', '/volume-transfers', { transfer: { volume_id: volumeId, name: ' gift ' } });
    assert.equal(made.status, 202);
    const { id, auth_key: key, name } = made.body.transfer;
    assert.deepEqual([name, key.length, made.body.transfer.no_snapshots, made.body.transfer.accepted], ['gift', 16, false, false]);
    assert.equal((await cloud.show('member', `/volumes/${volumeId}`)).volume.status, 'awaiting-transfer');
    assert.equal((await cloud.call('member', 'DELETE', `/volumes/${volumeId}`)).status, 400);
    assert.equal((await cloud.call('other', 'GET', `/volume-transfers/${id}`)).status, 404);
    assert.equal('auth_key' in (await cloud.show('member', `/volume-transfers/${id}`)).transfer, false);
    assert.equal((await cloud.call('other', 'POST', `/volume-transfers/${id}/accept`, { accept: { auth_key: 'wrong' } })).status, 400);
    const accepted = await cloud.call('other', 'POST', `/volume-transfers/${id}/accept`, { accept: { auth_key: key } });
    assert.deepEqual([accepted.status, accepted.body.transfer.volume_id], [202, volumeId]);
    assert.equal((await cloud.call('member', 'GET', `/volumes/${volumeId}`)).status, 404);
    assert.equal((await cloud.show('other', `/volumes/${volumeId}`)).volume.status, 'available');
    assert.equal((await cloud.show('other', '/snapshots')).snapshots.length, 1);
    const use = async (who: string) => {
      const { absolute } = (await cloud.show(who, '/limits')).limits;
      return [absolute.totalVolumesUsed, absolute.totalGigabytesUsed, absolute.totalSnapshotsUsed];
    };
    assert.deepEqual(
      [await use('member'), await use('other')],
      [
        [0, 0, 0],
        [1, 4, 1],
      ],
    );
    assert.equal((await cloud.call('other', 'POST', `/volume-transfers/${id}/accept`, { accept: { auth_key: key } })).status, 404);
  });

  test('an offer is listed and taken back', async () => {
    const volumeId = await cloud.volume('member');
    const { body } = await cloud.call('member', 'POST', '/os-volume-transfer', { transfer: { volume_id: volumeId } }, '3.0');
    assert.deepEqual(
      (await cloud.show('member', '/volume-transfers/detail')).transfers.map((one: { id: string }) => one.id),
      [body.transfer.id],
    );
    assert.deepEqual((await cloud.show('other', '/os-volume-transfer')).transfers, []);
    assert.equal((await cloud.call('member', 'POST', '/os-volume-transfer', { transfer: { volume_id: volumeId } })).status, 400);
    assert.equal((await cloud.call('member', 'DELETE', `/os-volume-transfer/${body.transfer.id}`)).status, 202);
    assert.equal((await cloud.show('member', `/volumes/${volumeId}`)).volume.status, 'available');
  });

  test('nothing goes beyond the quota of the one who accepts', async () => {
    const volumeId = await cloud.volume('member', { size: 7 });
    await cloud.call('admin', 'PUT', '/os-quota-sets/b0000000000000000000000000000002', { quota_set: { gigabytes: 6 } });
    const { body } = await cloud.call('member', 'POST', '/volume-transfers', { transfer: { volume_id: volumeId } });
    assert.equal(
      (await cloud.call('other', 'POST', `/volume-transfers/${body.transfer.id}/accept`, { accept: { auth_key: body.transfer.auth_key } })).status,
      413,
    );
    assert.equal((await cloud.show('member', `/volumes/${volumeId}`)).volume.status, 'awaiting-transfer');
  });
});

describe('the cloud behind volumes', () => {
  let cloud: Cloud;
  before(async () => {
    cloud = await Cloud.start({ hosts: ['host1', 'host2'] });
  });
  after(() => cloud.close());

  test('versions: the list is open, the document of v3 is not', async () => {
    const list = await cloud.front.call(undefined, 'GET', '/volume/');
    assert.equal(list.status, 300);
    assert.deepEqual([list.body.versions[0].id, list.body.versions[0].min_version, list.body.versions[0].version], ['v3.0', '3.0', '3.71']);
    assert.equal(list.body.versions[0].links[1].href, `${cloud.front.url}/volume/v3/`);
    assert.equal((await cloud.front.call(undefined, 'GET', '/volume/v3/')).status, 401);
    assert.deepEqual((await cloud.front.call('member', 'GET', '/volume/v3/')).body, list.body);
  });

  test('the microversion is negotiated and told', async () => {
    const answer = await cloud.call('member', 'GET', '/volumes', undefined, 'latest');
    assert.deepEqual([answer.headers.get('openstack-api-version'), answer.headers.get('vary')], ['volume 3.71', 'OpenStack-API-Version']);
    assert.match(answer.headers.get('x-compute-request-id') ?? '', /^req-/);
    assert.equal((await cloud.front.call('member', 'GET', '/volume/v3/volumes')).headers.get('openstack-api-version'), 'volume 3.0');
    assert.equal((await cloud.call('member', 'GET', '/volumes', undefined, '3.72')).status, 406);
    assert.equal((await cloud.call('member', 'GET', '/volumes', undefined, '3.x')).status, 400);
  });

  test('no token is a 401 in the form of the middleware before cinder', async () => {
    const answer = await cloud.call(undefined, 'GET', '/volumes');
    assert.deepEqual([answer.status, answer.body.error.code, answer.body.error.title], [401, 401, 'Unauthorized']);
  });

  test('services are listed, disabled with a reason and enabled again; a disabled host gets no volumes', async () => {
    const { services } = await cloud.show('admin', '/os-services');
    assert.deepEqual(services.map((one: { binary: string; host: string }) => `${one.binary} ${one.host}`).toSorted(), [
      'cinder-backup host1',
      'cinder-scheduler host1',
      'cinder-volume host1@cairn',
      'cinder-volume host2@cairn',
    ]);
    assert.equal((await cloud.call('member', 'GET', '/os-services')).status, 403);
    assert.equal((await cloud.show('admin', '/os-services?host=host1@cairn')).services.length, 1);
    assert.equal((await cloud.show('admin', '/os-services?binary=cinder-volume')).services.length, 2);
    const put = (what: string, body: object) => cloud.call('admin', 'PUT', `/os-services/${what}`, body);
    const off = await put('disable-log-reason', { host: 'host2@cairn', binary: 'cinder-volume', disabled_reason: 'repair' });
    assert.deepEqual(off.body, { host: 'host2@cairn', service: '', binary: 'cinder-volume', status: 'disabled', disabled: true, disabled_reason: 'repair' });
    for (let i = 0; i < 3; i++) {
      const id = await cloud.volume('member');
      assert.equal((await cloud.show('admin', `/volumes/${id}`)).volume['os-vol-host-attr:host'], 'host1@cairn#cairn');
    }
    assert.deepEqual((await put('enable', { host: 'host2@cairn', binary: 'cinder-volume' })).body, {
      host: 'host2@cairn',
      service: '',
      binary: 'cinder-volume',
      status: 'enabled',
      disabled: false,
    });
    for (const body of [{}, { binary: 'cinder-volume' }, { host: 'x y', binary: 'b' }])
      assert.equal((await put('disable', body)).status, 400, JSON.stringify(body));
    assert.equal((await put('disable', { host: 'nowhere', binary: 'cinder-volume' })).status, 404);
  });

  test('a frozen backend refuses deletions and snapshots', async () => {
    const id = await cloud.volume('member');
    const host = (await cloud.show('admin', `/volumes/${id}`)).volume['os-vol-host-attr:host'].split('#')[0];
    assert.equal((await cloud.call('admin', 'PUT', '/os-services/freeze', { host })).status, 200);
    assert.equal((await cloud.call('member', 'DELETE', `/volumes/${id}`)).status, 400);
    assert.equal((await cloud.call('member', 'POST', '/snapshots', { snapshot: { volume_id: id } })).status, 400);
    assert.equal((await cloud.call('admin', 'PUT', '/os-services/thaw', { host })).status, 200);
    assert.equal((await cloud.call('member', 'DELETE', `/volumes/${id}`)).status, 202);
    await cloud.settle();
  });

  test('zones, pools, capabilities, hosts, extensions, filters', async () => {
    assert.deepEqual((await cloud.show('member', '/os-availability-zone')).availabilityZoneInfo, [{ zoneName: 'nova', zoneState: { available: true } }]);
    const { pools } = await cloud.show('admin', '/scheduler-stats/get_pools?detail=true');
    assert.deepEqual([pools.length, pools[0].name, pools[0].capabilities.total_capacity_gb], [2, 'host1@cairn#cairn', 4000]);
    assert.equal((await cloud.show('admin', '/scheduler-stats/get_pools?name=host2@cairn%23cairn')).pools.length, 1);
    assert.equal((await cloud.call('admin', 'GET', '/scheduler-stats/get_pools?odd=1')).status, 400);
    assert.equal((await cloud.call('member', 'GET', '/scheduler-stats/get_pools')).status, 403);
    assert.equal((await cloud.show('admin', '/capabilities/host1@cairn')).pool_name, 'cairn');
    assert.equal((await cloud.call('admin', 'GET', '/capabilities/host9@cairn')).status, 404);
    const { host } = await cloud.show('admin', '/os-hosts/host1@cairn');
    assert.equal(host[0].resource.project, '(total)');
    assert.equal((await cloud.call('admin', 'PUT', '/os-hosts/host1@cairn', { status: 'disable' })).body.status, 'disabled');
    await cloud.call('admin', 'PUT', '/os-services/enable', { host: 'host1@cairn', binary: 'cinder-volume' });
    assert.equal((await cloud.show('member', '/extensions/os-hosts')).extension.name, 'Hosts');
    assert.equal((await cloud.call('member', 'GET', '/extensions/odd')).status, 404);
    assert.deepEqual((await cloud.show('member', '/resource_filters?resource=volume')).resource_filters[0].resource, 'volume');
    assert.equal((await cloud.call('member', 'GET', '/resource_filters', undefined, '3.32')).status, 404);
    const id = await cloud.volume('member');
    assert.deepEqual(await cloud.show('member', `/volumes/${id}/encryption`), { encryption_key_id: null });
  });
});
