import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { on } from '@cairn/kit/store/store';
import { isCairnError } from '@cairn/kit/errors/errors';
import { testContext } from '@cairn/kit/testing/world';
import { Cloud } from './cloud.fixture.ts';
import type { VolumeMove } from './face.ts';
import { type BackendOptions, homeBackend } from './options.ts';
import type { CinderTables } from './store/tables.ts';

const SERVER = 'f0000000-0000-4000-8000-000000000001';
const SPECS = { provider: 'luks', control_location: 'front-end', cipher: 'aes-xts-plain64', key_size: 256 };
const fast: BackendOptions = {
  name: 'fast',
  volumeBackendName: 'fast',
  driver: 'local',
  isShared: false,
  multiattach: true,
  isThin: true,
  availabilityZone: undefined,
};

/** Volumes whose data goes from disk to disk, in use or not; nova's part is done by the tests. */
describe('volumes on their way to another disk', () => {
  let cloud: Cloud;
  before(async () => {
    cloud = await Cloud.start({ hosts: ['host1', 'host2'], options: { backends: [homeBackend, fast] } });
    await type('clear', { volume_backend_name: 'cairn' });
    await type('fast', { volume_backend_name: 'fast' });
    await type('secret', {}, SPECS);
    await type('other secret', {}, { ...SPECS, key_size: 512 });
  });
  after(() => cloud.close());

  async function type(name: string, extraSpecs: object, encryption?: object): Promise<void> {
    const { body } = await cloud.call('admin', 'POST', '/types', { volume_type: { name, extra_specs: extraSpecs } });
    if (encryption) assert.equal((await cloud.call('admin', 'POST', `/types/${body.volume_type.id}/encryption`, { encryption })).status, 200);
  }
  const face = (): Cloud['cinder']['face'] => cloud.cinder.face;
  const write: Cloud['world']['env']['store']['write'] = (work) => cloud.world.env.store.write(work);
  const volumeOf = async (id: string) => (await cloud.show('admin', `/volumes/${id}`)).volume;
  const act = async (id: string, body: object): Promise<number> => {
    const { status } = await cloud.call('admin', 'POST', `/volumes/${id}/action`, body);
    await cloud.settle();
    return status;
  };
  const disks = (): string[] => cloud.inspect().filter((line) => line.startsWith('disk '));
  const keys = () => on<CinderTables>(cloud.world.env.store.read).selectFrom('cinder_key').selectAll().execute();

  /** A volume that a server has on the volume's host. */
  async function inUse(volumeType: string): Promise<{ id: string; host: string; attachmentId: string }> {
    const id = await cloud.volume('member', { size: 1, volume_type: volumeType });
    const host = ((await volumeOf(id))['os-vol-host-attr:host'] as string).split('@')[0] as string;
    const attachmentId = cloud.world.env.ids.uuid();
    await write((tx) => face().reserve(tx, testContext(), { id: attachmentId, volumeId: id, serverId: SERVER }));
    await face().connect(attachmentId, host);
    await write((tx) => face().complete(tx, attachmentId, '/dev/vdb'));
    return { id, host, attachmentId };
  }
  async function asked(id: string): Promise<{ server_id: string; move: VolumeMove } | undefined> {
    const events = await cloud.world.env.events.since(cloud.world.env.store.read, 0, 10_000);
    return events.findLast((event) => event.type === 'volume.move' && event.resourceId === id)?.payload as { server_id: string; move: VolumeMove } | undefined;
  }
  async function end(id: string, outcome: 'done' | 'failed'): Promise<VolumeMove> {
    const { server_id: serverId, move } = (await asked(id)) as { server_id: string; move: VolumeMove };
    assert.equal(serverId, SERVER);
    await write((tx) => face().endMove(tx, move, outcome));
    await write((tx) => face().endMove(tx, move, outcome));
    await cloud.settle();
    return move;
  }
  async function remove({ id, attachmentId }: { id: string; attachmentId: string }): Promise<void> {
    await write((tx) => face().detach(tx, attachmentId));
    assert.equal((await cloud.call('admin', 'DELETE', `/volumes/${id}`)).status, 202);
    await cloud.settle();
    assert.deepEqual([disks(), await keys()], [[], []]);
  }

  test('a volume in use migrates: its server is asked to copy it, and everything of it changes when that is done', async () => {
    const used = await inUse('clear');
    const { id, host } = used;
    assert.equal(await act(id, { 'os-migrate_volume': { host: `${host}@fast#fast` } }), 202);
    const during = await volumeOf(id);
    assert.deepEqual([during.status, during.migration_status, during['os-vol-host-attr:host']], ['in-use', 'migrating', `${host}@cairn#cairn`]);
    assert.equal(disks().length, 2);
    assert.equal((await cloud.call('admin', 'POST', '/snapshots', { snapshot: { volume_id: id, force: true } })).status, 400);
    assert.equal(await act(id, { 'os-extend': { new_size: 2 } }), 400);
    assert.equal(await act(id, { 'os-migrate_volume': { host: `${host}@fast#fast` } }), 400);
    const move = await end(id, 'done');
    const volume = await volumeOf(id);
    assert.deepEqual([volume.status, volume.migration_status, volume['os-vol-host-attr:host']], ['in-use', 'success', `${host}@fast#fast`]);
    assert.equal((await face().connect(used.attachmentId, host)).diskId, move.newDiskId);
    const attachment = (await cloud.show('admin', `/attachments/${used.attachmentId}`)).attachment;
    assert.deepEqual([attachment.connection_info.disk_id, attachment.status], [move.newDiskId, 'attached']);
    assert.equal(disks().length, 1);
    await remove(used);
  });

  test('a server that cannot copy leaves the volume where it is', async () => {
    const used = await inUse('clear');
    assert.equal(await act(used.id, { 'os-migrate_volume': { host: `${used.host}@fast#fast` } }), 202);
    const move = await end(used.id, 'failed');
    const volume = await volumeOf(used.id);
    assert.deepEqual([volume.status, volume.migration_status, volume['os-vol-host-attr:host']], ['in-use', 'error', `${used.host}@cairn#cairn`]);
    assert.equal(disks().length, 1);
    // nova must not believe that it moved after all
    await assert.rejects(
      write((tx) => face().endMove(tx, move, 'done')),
      (error) => isCairnError(error, 'Conflict'),
    );
    await remove(used);
  });

  test('a volume in use goes to storage of another host, to which its server has a way then', async () => {
    const used = await inUse('clear');
    const other = used.host === 'host1' ? 'host2' : 'host1';
    assert.equal(await act(used.id, { 'os-migrate_volume': { host: `${other}@cairn#cairn` } }), 202);
    const { move } = (await asked(used.id)) as { move: VolumeMove };
    const { diskId, location } = await face().connect(used.attachmentId, used.host, { move });
    assert.deepEqual([diskId, location?.kind], [move.newDiskId, 'nbd']);
    assert.equal(JSON.stringify(move).includes(location?.key ?? ''), false);
    await end(used.id, 'done');
    const volume = await volumeOf(used.id);
    assert.deepEqual([volume.status, volume.migration_status, volume['os-vol-host-attr:host']], ['in-use', 'success', `${other}@cairn#cairn`]);
    assert.equal(disks().length, 1);
    await face().disconnect(used.attachmentId, used.host);
    await remove(used);
  });

  test('a retype on demand of a volume in use moves it, and encrypts or decrypts it on the way', async () => {
    const used = await inUse('clear');
    const { id } = used;
    const retype = (newType: string, policy = 'on-demand') => act(id, { 'os-retype': { new_type: newType, migration_policy: policy } });
    assert.equal(await retype('secret', 'never'), 202);
    assert.deepEqual([(await volumeOf(id)).volume_type, await keys()], ['clear', []]);

    assert.equal(await retype('secret'), 202);
    assert.equal((await volumeOf(id)).status, 'retyping');
    assert.equal((await keys()).length, 1);
    await end(id, 'done');
    let volume = await volumeOf(id);
    assert.deepEqual([volume.status, volume.volume_type, volume.encrypted], ['in-use', 'secret', true]);
    assert.match(disks().join(), / encrypted$/);

    const before = volume.encryption_key_id as string;
    assert.equal(await retype('other secret'), 202);
    await end(id, 'failed');
    volume = await volumeOf(id);
    assert.deepEqual([volume.status, volume.volume_type, volume.encryption_key_id], ['in-use', 'secret', before]);
    assert.equal((await keys()).length, 1);
    assert.equal(await retype('other secret'), 202);
    await end(id, 'done');
    volume = await volumeOf(id);
    assert.notEqual(volume.encryption_key_id, before);
    assert.equal((await face().diskKey(volume.encryption_key_id)).length, 128);

    assert.equal(await retype('fast'), 202);
    await end(id, 'done');
    volume = await volumeOf(id);
    assert.deepEqual([volume.volume_type, volume.encrypted, volume['os-vol-host-attr:host'].split('#')[1]], ['fast', false, 'fast']);
    assert.deepEqual(await keys(), []);
    await remove(used);
  });

  test('a closed volume is encrypted, encrypted otherwise and decrypted where it is, or on its way', async () => {
    const id = await cloud.volume('member', { size: 1, volume_type: 'clear' });
    const retype = (newType: string) => act(id, { 'os-retype': { new_type: newType, migration_policy: 'on-demand' } });
    for (const [newType, encrypted, count] of [
      ['secret', true, 1],
      ['other secret', true, 1],
      ['fast', false, 0],
    ] as const) {
      assert.equal(await retype(newType), 202);
      const volume = await volumeOf(id);
      assert.deepEqual([volume.status, volume.volume_type, volume.encrypted], ['available', newType, encrypted], newType);
      assert.deepEqual([disks().length, (await keys()).length], [1, count]);
      assert.equal(disks()[0]?.endsWith(' encrypted'), encrypted);
    }
    assert.equal((await cloud.call('admin', 'DELETE', `/volumes/${id}`)).status, 202);
    await cloud.settle();
    assert.deepEqual(disks(), []);
  });
});
