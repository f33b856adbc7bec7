import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemContext } from '@cairn/kit/context/context';
import { testContext } from '@cairn/kit/testing/world';
import { Cloud } from './cloud.fixture.ts';
import { type BackendOptions, defaultCinderOptions, homeBackend } from './options.ts';

// Several back ends: two of each host, one that all hosts share.
const shared: BackendOptions = {
  name: 'ceph',
  volumeBackendName: 'fast',
  driver: 'rbd',
  isShared: true,
  multiattach: true,
  isThin: true,
  availabilityZone: undefined,
};
const attic: BackendOptions = { ...homeBackend, name: 'disks', volumeBackendName: 'slow', availabilityZone: 'attic' };

let cloud: Cloud;
before(async () => {
  cloud = await Cloud.start({ hosts: ['host1', 'host2'], options: { backends: [homeBackend, shared, attic] } });
  for (const name of ['cairn', 'fast', 'slow', 'nowhere']) {
    const answer = await cloud.call('admin', 'POST', '/types', { volume_type: { name, extra_specs: { volume_backend_name: name } } });
    assert.equal(answer.status, 200);
  }
});
after(() => cloud.close());

const placeOf = async (id: string): Promise<string | null> => (await cloud.show('admin', `/volumes/${id}`)).volume['os-vol-host-attr:host'];
const disks = (): string[] => cloud.inspect().filter((line) => line.startsWith('disk '));

test('pools, services and capabilities show each back end as host@backend#pool', async () => {
  const pools = (await cloud.show('admin', '/scheduler-stats/get_pools?detail=true')).pools;
  assert.deepEqual(
    pools.map((pool: { name: string; capabilities: Record<string, unknown> }) => [
      pool.name,
      pool.capabilities['volume_backend_name'],
      pool.capabilities['storage_protocol'],
    ]),
    [
      ['ceph@ceph#ceph', 'fast', 'ceph'],
      ['host1@cairn#cairn', 'cairn', 'file'],
      ['host1@disks#disks', 'slow', 'file'],
      ['host2@cairn#cairn', 'cairn', 'file'],
      ['host2@disks#disks', 'slow', 'file'],
    ],
  );
  const services = (await cloud.show('admin', '/os-services?binary=cinder-volume')).services as { host: string; state: string; zone: string }[];
  assert.deepEqual(services.map(({ host, state, zone }) => `${host} ${state} ${zone}`).toSorted(), [
    'ceph@ceph up nova',
    'host1@cairn up nova',
    'host1@disks up attic',
    'host2@cairn up nova',
    'host2@disks up attic',
  ]);
  const shown = await cloud.show('admin', '/capabilities/ceph@ceph');
  assert.deepEqual([shown.volume_backend_name, shown.pool_name, shown.storage_protocol], ['fast', 'ceph', 'ceph']);
  assert.equal((await cloud.call('admin', 'GET', '/capabilities/host1@ceph')).status, 404);
  assert.equal((await cloud.call('admin', 'GET', '/scheduler-stats/get_pools?volume_type=fast')).body.pools.length, 1);
});

test('a type chooses its back end, and the volume lives and goes there', async () => {
  const id = await cloud.volume('member', { size: 2, volume_type: 'fast' });
  assert.equal(await placeOf(id), 'ceph@ceph#ceph');
  assert.deepEqual(disks(), [`disk ceph.${id} volume ${2 * 2 ** 30}`]);
  assert.deepEqual(
    (await cloud.show('admin', '/volumes/detail?all_tenants=1&host=ceph@ceph%23ceph')).volumes.map((one: { id: string }) => one.id),
    [id],
  );
  assert.equal((await cloud.call('member', 'POST', `/volumes/${id}/action`, { 'os-extend': { new_size: 3 } })).status, 202);
  await cloud.settle();
  const snapshot = await cloud.call('member', 'POST', '/snapshots', { snapshot: { volume_id: id } });
  await cloud.settle();
  const copy = await cloud.volume('member', { snapshot_id: snapshot.body.snapshot.id });
  assert.equal(await placeOf(copy), 'ceph@ceph#ceph');
  assert.equal((await cloud.call('member', 'DELETE', `/volumes/${copy}`)).status, 202);
  assert.equal((await cloud.call('member', 'DELETE', `/volumes/${id}?cascade=true`)).status, 202);
  await cloud.settle();
  assert.deepEqual(disks(), []);
});

test('no back end that a type asks for: the volume is in error, with a message that says so', async () => {
  const id = await cloud.volume('member', { size: 1, volume_type: 'nowhere' });
  assert.equal((await cloud.show('member', `/volumes/${id}`)).volume.status, 'error');
  const { messages } = await cloud.show('member', `/messages?resource_uuid=${id}`);
  assert.match(messages[0].user_message, /schedule allocate volume: ?Could not find any available weighted backend/i);
  await cloud.call('member', 'DELETE', `/volumes/${id}`);
  await cloud.settle();
});

test('what volumes take at once is promised once', async (t) => {
  const [thin, thick] = [true, false].map(
    (isThin): BackendOptions => ({ ...homeBackend, name: isThin ? 'thin' : 'thick', volumeBackendName: isThin ? 'thin' : 'thick', driver: 'lvm', isThin }),
  );
  const quotaDefaults = { ...defaultCinderOptions.quotaDefaults, gigabytes: -1 };
  const own = await Cloud.start({ hosts: ['host1'], options: { backends: [thin as BackendOptions, thick as BackendOptions], quotaDefaults } });
  t.after(() => own.close());
  const { pools } = await own.show('admin', '/scheduler-stats/get_pools?detail=true');
  const [first] = pools as { readonly capabilities: { readonly free_capacity_gb: number } }[];
  assert.deepEqual(
    pools.map((pool: { name: string; capabilities: Record<string, unknown> }) => [
      pool.name,
      ...['storage_protocol', 'thin_provisioning_support', 'thick_provisioning_support', 'sparse_copy_volume'].map((name) => pool.capabilities[name]),
    ]),
    [
      ['host1@thick#thick', 'block', false, true, false],
      ['host1@thin#thin', 'block', true, false, true],
    ],
  );
  const size = Math.ceil(first?.capabilities.free_capacity_gb ?? 0) + 1;
  for (const name of ['thin', 'thick']) {
    await own.call('admin', 'POST', '/types', { volume_type: { name, extra_specs: { volume_backend_name: name } } });
    const id = await own.volume('member', { size, volume_type: name });
    // the simulated storage has no room for it either, but is asked only where more may be promised than there is
    const { messages } = await own.show('member', `/messages?resource_uuid=${id}`);
    assert.equal(/schedule allocate volume/.test(messages[0].user_message), name === 'thick', messages[0].user_message);
  }
});

test('the zone of a volume binds it to the back ends of that zone', async () => {
  const inAttic = await cloud.volume('member', { size: 1, availability_zone: 'attic' });
  assert.match((await placeOf(inAttic)) ?? '', /^host[12]@disks#disks$/);
  // a type that only another zone has
  const wrong = await cloud.volume('member', { size: 1, availability_zone: 'attic', volume_type: 'fast' });
  assert.equal((await cloud.show('member', `/volumes/${wrong}`)).volume.status, 'error');
  for (const id of [inAttic, wrong]) await cloud.call('member', 'DELETE', `/volumes/${id}`);
  await cloud.settle();
});

test('retype and migrate carry a volume from back end to back end', async () => {
  const id = await cloud.volume('member', { size: 1, volume_type: 'cairn' });
  const retype = (type: string) => cloud.call('member', 'POST', `/volumes/${id}/action`, { 'os-retype': { new_type: type, migration_policy: 'on-demand' } });
  assert.equal((await retype('fast')).status, 202);
  await cloud.settle();
  assert.equal(await placeOf(id), 'ceph@ceph#ceph');
  assert.equal(disks().length, 1);
  assert.match(disks()[0] ?? '', /^disk ceph\./);
  assert.equal((await retype('cairn')).status, 202);
  await cloud.settle();
  assert.match((await placeOf(id)) ?? '', /^host[12]@cairn#cairn$/);
  const move = await cloud.call('admin', 'POST', `/volumes/${id}/action`, { 'os-migrate_volume': { host: 'ceph@ceph#ceph' } });
  assert.equal(move.status, 202);
  await cloud.settle();
  assert.equal(await placeOf(id), 'ceph@ceph#ceph');
  assert.equal((await cloud.call('admin', 'POST', `/volumes/${id}/action`, { 'os-migrate_volume': { host: 'host1@ceph#ceph' } })).status, 400);
  await cloud.call('member', 'DELETE', `/volumes/${id}`);
  await cloud.settle();
  assert.deepEqual(disks(), []);
  const pools = (await cloud.show('admin', '/scheduler-stats/get_pools?detail=true')).pools;
  for (const pool of pools) assert.equal(pool.capabilities.provisioned_capacity_gb, 0, pool.name);
});

test('shared volumes are bound to no host, and can be connected to any', async () => {
  const { face } = cloud.cinder;
  const { env } = cloud.world;
  const member = testContext();
  const far = await cloud.volume('member', { size: 1, volume_type: 'fast' });
  assert.equal((await face.volume(env.store.read, member, far)).host, null);
  const attachment = env.ids.uuid();
  await env.store.write((tx) => face.reserve(tx, member, { id: attachment, volumeId: far, serverId: env.ids.uuid() }));
  assert.equal((await face.connect(attachment, 'host2')).diskId, `ceph.${far}`);
  await env.store.write((tx) => face.detach(tx, attachment));
  // asked for by nova for a host: its own storage, or one that all share, as the type says
  const own = env.ids.uuid();
  await env.store.write((tx) => face.createVolume(tx, member, { id: own, name: 'own', sizeGb: 1, host: 'host2' }));
  const type = env.ids.uuid();
  await env.store.write((tx) => face.createVolume(tx, member, { id: type, name: 'typed', sizeGb: 1, host: 'host2', volumeType: 'fast' }));
  await cloud.settle();
  assert.notEqual(await placeOf(own), 'host1@cairn#cairn');
  assert.equal(await placeOf(type), 'ceph@ceph#ceph');
  for (const id of [far, own, type]) await env.store.write((tx) => face.deleteVolume(tx, systemContext('req-test'), id));
  await cloud.settle();
});

test('a volume of any back end is found by its id when it is managed again', async () => {
  const made = await cloud.call('admin', 'POST', '/volumes', { volume: { size: 1, volume_type: 'fast' } });
  const { id } = made.body.volume as { id: string };
  await cloud.settle();
  const host = await placeOf(id);
  assert.equal((await cloud.call('admin', 'POST', `/volumes/${id}/action`, { 'os-unmanage': {} })).status, 202);
  await cloud.settle();
  const again = await cloud.call('admin', 'POST', '/os-volume-manage', { volume: { host, ref: { 'source-name': `volume-${id}` }, volume_type: 'fast' } });
  assert.deepEqual([again.status, again.body.volume.status, again.body.volume.size], [202, 'available', 1]);
  assert.equal((await cloud.call('admin', 'DELETE', `/volumes/${again.body.volume.id}`)).status, 202);
  await cloud.settle();
  assert.deepEqual(
    disks().filter((line) => line.includes(id)),
    [],
  );
});
